// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Names of permissions and scopes, declarations, what they grant and how they grow, against maps
// and sets that follow the words of pat/scope.h.
#include "pat/scope.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/fuzz_input.h"

namespace {

using pat::PermissionSet;
using pat::ScopeSet;

bool NameByHand(std::string_view name) {
  constexpr std::string_view kWord = "abcdefghijklmnopqrstuvwxyz0123456789";
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789:._-") == name.npos &&
         kWord.find(name[0]) != kWord.npos && name != "account" && name.rfind("account:", 0) != 0;
}

// Mostly one of a few, so that names meet.
std::string Name(FuzzInput* input) {
  static constexpr const char* kFew[] = {"a",  "b", "c:read",  "d.x",       "e-1",
                                         "f_", "0", "account", "account:x", "accounts"};
  const unsigned which = input->Below(16);
  if (which < 10) return kFew[which];
  if (which == 10) return std::string(60 + input->Below(8), 'z');
  return std::string(input->Text(70));
}

/// Permissions and scopes as given, and what they would be if they are good.
struct Declaration {
  std::vector<std::pair<std::string, int>> permissions;
  std::vector<std::pair<std::string, std::uint64_t>> scopes;

  absl::StatusOr<ScopeSet> Create() const {
    std::vector<pat::Permission> given;
    for (const auto& [name, bit] : permissions) given.push_back({name, bit});
    std::vector<pat::Scope> bundles;
    for (const auto& [name, bits] : scopes) {
      bundles.push_back({name, PermissionSet::FromBits(bits)});
    }
    return ScopeSet::Create(given, std::move(bundles));
  }

  bool Good() const {
    std::map<std::string, int> bit_of;
    std::set<int> bits;
    std::uint64_t all = 0;
    for (const auto& [name, bit] : permissions) {
      if (!NameByHand(name) || bit < 0 || bit > 63) return false;
      if (!bit_of.emplace(name, bit).second || !bits.insert(bit).second) return false;
      all |= std::uint64_t{1} << bit;
    }
    std::set<std::string> names;
    for (const auto& [name, bundle] : scopes) {
      if (!NameByHand(name) || !names.insert(name).second) return false;
      if (bundle == 0 || (bundle | all) != all) return false;
      const auto same = bit_of.find(name);
      if (same != bit_of.end() && (bundle >> same->second & 1U) == 0) return false;
    }
    return scopes.size() <= 64;
  }
};

Declaration Declare(FuzzInput* input) {
  Declaration declaration;
  const unsigned permissions = input->Below(9);
  for (unsigned i = 0; i < permissions; ++i) {
    std::string name = Name(input);
    declaration.permissions.emplace_back(std::move(name), static_cast<int>(input->Byte()) - 8);
  }
  unsigned scopes = input->Below(9);
  const bool many = scopes == 8 && input->Flag();
  for (unsigned i = 0; i < scopes; ++i) {
    std::string name = Name(input);
    std::uint64_t bits = 0;
    for (unsigned which = input->Byte(); which != 0; which &= which - 1) {
      const auto place = static_cast<std::size_t>(__builtin_ctz(which));
      const int bit = place < declaration.permissions.size() ? declaration.permissions[place].second
                                                             : static_cast<int>(place);
      if (bit >= 0 && bit < 64) bits |= std::uint64_t{1} << bit;
    }
    declaration.scopes.emplace_back(std::move(name), bits);
  }
  for (int i = 0; many && i < 60; ++i) {
    declaration.scopes.emplace_back("more" + std::to_string(i), declaration.scopes[0].second);
  }
  return declaration;
}

void CheckUse(const ScopeSet& set, const Declaration& declaration, FuzzInput* input) {
  const std::map<std::string, std::uint64_t> scopes(declaration.scopes.begin(),
                                                    declaration.scopes.end());
  const std::map<std::string, int> bits(declaration.permissions.begin(),
                                        declaration.permissions.end());
  std::vector<std::string> names;
  const unsigned count = input->Below(5);
  for (unsigned i = 0; i < count; ++i) names.push_back(Name(input));
  bool good = !names.empty();
  std::uint64_t granted = 0;
  for (const std::string& name : names) {
    const auto scope = scopes.find(name);
    good = good && scope != scopes.end() && std::count(names.begin(), names.end(), name) == 1;
    if (scope != scopes.end()) granted |= scope->second;
  }
  const absl::StatusOr<PermissionSet> grant = set.Grant(names);
  Require(grant.ok() == good);
  Require(!grant.ok() || grant->bits() == granted);
  Require(!grant.ok() || set.all().Contains(*grant));

  for (const std::string& name : names) {
    const absl::StatusOr<PermissionSet> need = set.Need(name);
    Require(need.ok() == (scopes.count(name) + bits.count(name) > 0));
    if (!need.ok()) continue;
    Require(need->bits() ==
            (scopes.count(name) > 0 ? scopes.at(name) : std::uint64_t{1} << bits.at(name)));
    // Who requires something by a permission's name is never satisfied by less.
    if (bits.count(name) > 0) Require(need->Contains(pat::Permission{name, bits.at(name)}));
  }
}

// What may stand after an extension: the union of both, if no name and no bit means two things.
void CheckExtension(const Declaration& older, const ScopeSet& old_set, const Declaration& newer,
                    const ScopeSet& new_set) {
  Declaration both = older;
  bool contradicts = false;
  for (const auto& permission : newer.permissions) {
    const auto& known = older.permissions;
    if (std::find(known.begin(), known.end(), permission) != known.end()) continue;
    both.permissions.push_back(permission);  // a clash makes the union no good declaration
  }
  for (const auto& scope : newer.scopes) {
    const auto& known = older.scopes;
    if (std::find(known.begin(), known.end(), scope) != known.end()) continue;
    both.scopes.push_back(scope);
  }
  contradicts = !both.Good();
  const absl::StatusOr<ScopeSet> extended = old_set.ExtendedBy(new_set);
  Require(extended.ok() == !contradicts);
  if (!extended.ok()) return;
  Require(extended->permissions().size() == both.permissions.size());
  Require(extended->scopes().size() == both.scopes.size());
  for (const auto& [name, bits] : older.scopes) {
    Require(extended->FindScope(name)->permissions.bits() == bits);
  }
  const absl::StatusOr<ScopeSet> again = extended->ExtendedBy(new_set);
  Require(again.ok() && again->scopes().size() == extended->scopes().size() &&
          again->permissions().size() == extended->permissions().size());
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzInput input(data, size);
  if (input.Below(4) == 0) {
    Require(pat::ValidatePermissionName(input.rest()).ok() == NameByHand(input.rest()));
    return 0;
  }
  const Declaration older = Declare(&input);
  const absl::StatusOr<ScopeSet> set = older.Create();
  Require(set.ok() == older.Good());
  if (!set.ok()) return 0;
  CheckUse(*set, older, &input);
  const Declaration newer = Declare(&input);
  const absl::StatusOr<ScopeSet> more = newer.Create();
  Require(more.ok() == newer.Good());
  if (more.ok()) CheckExtension(older, *set, newer, *more);
  return 0;
}
