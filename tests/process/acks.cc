// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/process/acks.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace {

constexpr int kNameBits = 18;
constexpr std::uint64_t kNameMask = (std::uint64_t{1} << kNameBits) - 1;

std::uint64_t PackSeen(Seen seen) { return seen.state | (seen.name & kNameMask) << 2; }

Seen UnpackSeen(std::uint64_t bits) {
  return {static_cast<Seen::State>(bits & 3), static_cast<std::uint32_t>(bits >> 2 & kNameMask)};
}

Seen::State StateOf(pat::State state) {
  switch (state) {
    case pat::State::kActive: return Seen::kActive;
    case pat::State::kInactive: return Seen::kInactive;
    case pat::State::kDeleted: return Seen::kDeleted;
    case pat::State::kExpired: break;
  }
  return Seen::kNone;
}

}  // namespace

// 20 bits acknowledged, 1 whether a change is under way, 20 the change, 23 its count.
std::uint64_t Promise::Pack() const {
  return PackSeen(acknowledged) | std::uint64_t{under_way.has_value()} << 20 |
         PackSeen(under_way.value_or(Seen())) << 21 | std::uint64_t{change} << 41;
}

Promise Promise::Unpack(std::uint64_t word) {
  Promise promise;
  promise.acknowledged = UnpackSeen(word);
  if ((word >> 20 & 1) != 0) promise.under_way = UnpackSeen(word >> 21);
  promise.change = static_cast<std::uint32_t>(word >> 41);
  return promise;
}

bool Promise::Allows(Seen seen, bool automatic) const {
  if (automatic && seen.state == Seen::kDeleted) return true;
  return seen == acknowledged || (under_way.has_value() && seen == *under_way);
}

void AckTable::Complain(const std::string& what) {
  if (complaints.fetch_add(1) != 0) return;
  std::memcpy(complaint.data(), what.data(), std::min(what.size(), complaint.size() - 1));
}

std::string AckedAccount(std::uint32_t account) {
  switch (account) {
    case 0: return "a";
    case 1: return std::string("\0\xFF\x01 binary", 10);
    case 2: return "0123456789abcdef";  // the longest that stands in a record itself
    case 3: return "an account whose id is longer than that";
    case 4: return std::string(128, 'L');
    case 5: return "alice";
    default: return absl::StrCat("fresh account ", account);
  }
}

std::string NameOf(std::uint32_t number) { return absl::StrCat("name ", number & kNameMask); }

std::uint32_t NumberOf(const std::string& name) {
  return name.compare(0, 5, "name ") == 0
             ? static_cast<std::uint32_t>(std::strtoul(name.c_str() + 5, nullptr, 10))
             : ~std::uint32_t{0};
}

std::optional<Seen> Look(pat::Authority* authority, const AckedToken& token, AckTable* table) {
  const absl::StatusOr<pat::Token> view = authority->Get(token.id);
  if (!view.ok()) {
    table->Complain(absl::StrCat("cannot read token ", token.id, ": ", view.status().ToString()));
    return std::nullopt;
  }
  if (view->damaged || view->account != AckedAccount(token.account) ||
      view->origin != (token.automatic ? pat::Origin::kAuto : pat::Origin::kManual)) {
    table->Complain(absl::StrCat("token ", token.id, " is not what was issued"));
    return std::nullopt;
  }
  return Seen{StateOf(view->state), NumberOf(view->description)};
}

std::optional<Seen> Present(pat::Authority* authority, const AckedToken& token, AckTable* table) {
  const pat::Decision decision = authority->Verify(token.text.data());
  if (const pat::Principal* who = decision.principal()) {
    if (who->token_id() == token.id && who->account() == AckedAccount(token.account)) {
      return Seen{Seen::kActive, 0};
    }
    table->Complain(absl::StrCat("token ", token.id, " is taken for another"));
    return std::nullopt;
  }
  switch (decision.refusal()->reason()) {
    case pat::RefusalReason::kInactive: return Seen{Seen::kInactive, 0};
    case pat::RefusalReason::kDeleted: return Seen{Seen::kDeleted, 0};
    default: break;
  }
  table->Complain(absl::StrCat("token ", token.id, " is refused: ",
                               std::string(pat::ToString(decision.refusal()->reason()))));
  return std::nullopt;
}
