// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Token records, sealed rows, selectors and public ids: read by hand after docs/format.md, and
// after any change of a bit no seal fits.
#include "lib/seal.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_keys.h"

namespace {

using pat::RecordFields;
using pat::TokenRecord;

std::uint64_t LittleEndian(const TokenRecord& record, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value += std::uint64_t{record.bytes[at + i]} << (8 * i);
  return value;
}

void CheckFields(const TokenRecord& record, const RecordFields& fields) {
  const std::uint64_t flags = LittleEndian(record, 30, 2);
  Require(fields.permissions == LittleEndian(record, 16, 8));
  Require(fields.time_unix_s == LittleEndian(record, 24, 4));
  Require(fields.version == LittleEndian(record, 28, 2));
  Require(static_cast<unsigned>(fields.state) == flags % 4);
  Require((fields.origin == pat::Origin::kAuto) == (flags / 4 % 2 == 1));
  Require(fields.long_account == (flags / 8 % 2 == 1));
  Require(fields.account_size == flags / 16 % 16 + 1);
  Require(static_cast<unsigned>(fields.reason) == std::min<std::uint64_t>(flags / 256 % 8, 5));
  Require(fields.key_slot == flags / 2048 % 8);
  Require(fields.unknown_flags == flags / 16384);
  Require(std::equal(fields.account.begin(), fields.account.end(), record.bytes.begin() + 32));
  Require(fields.account_number() == LittleEndian(record, 32, 4));
  const bool deleted = flags % 4 == 3;
  const pat::Lifecycle cycle = pat::LifecycleOf(fields);
  Require(cycle.deleted == deleted && cycle.active == (flags % 4 == 1));
  Require(cycle.expires_at.has_value() == (!deleted && fields.time_unix_s != 0));
}

void CheckRecord(FuzzInput* input) {
  TokenRecord given;
  const std::string_view bytes = input->Bytes(48);
  std::copy(bytes.begin(), bytes.end(), given.bytes.begin());
  const std::uint64_t id = input->Number(6);
  pat::Digest digest{};
  const std::string_view half = input->Bytes(16);
  std::copy(half.begin(), half.end(), digest.begin());
  const RecordFields fields = pat::DecodeRecord(given);
  CheckFields(given, fields);
  Require(!pat::RecordSealFits(FuzzKeys(), id, digest, given));  // nobody guesses a seal

  TokenRecord sealed = pat::SealRecord(FuzzKeys(), id, digest, fields);
  Require(pat::RecordSealFits(FuzzKeys(), id, digest, sealed));
  Require(pat::DecodeRecord(sealed).key_slot == 12 % 8);
  const auto same = [&](std::size_t from, std::size_t to) {
    return std::equal(given.bytes.begin() + static_cast<std::ptrdiff_t>(from),
                      given.bytes.begin() + static_cast<std::ptrdiff_t>(to),
                      sealed.bytes.begin() + static_cast<std::ptrdiff_t>(from));
  };
  Require(same(16, 30) && same(32, 48));
  const std::size_t bit = input->Number(2);
  Require(!pat::RecordSealFits(FuzzKeys(), id ^ std::uint64_t{1} << bit % 48, digest, sealed));
  pat::Digest other = digest;
  other[bit % 16] = static_cast<unsigned char>(other[bit % 16] ^ 1U << bit / 16 % 8);
  Require(!pat::RecordSealFits(FuzzKeys(), id, other, sealed));
  sealed.bytes[bit / 8 % 48] =
      static_cast<unsigned char>(sealed.bytes[bit / 8 % 48] ^ 1U << bit % 8);
  Require(!pat::RecordSealFits(FuzzKeys(), id, digest, sealed));
}

void CheckRow(FuzzInput* input) {
  const auto table = static_cast<pat::RowTable>(1 + input->Below(3));
  const std::string key(input->Text(80));
  const std::size_t bit = input->Number(2);
  const std::string value(input->rest());
  Require(!pat::OpenRow(FuzzKeys(), table, key, value).has_value());
  std::string row = pat::SealRow(FuzzKeys(), table, key, value);
  const auto opened = pat::OpenRow(FuzzKeys(), table, key, row);
  Require(opened.has_value() && *opened == value);
  const auto next = static_cast<pat::RowTable>(1 + static_cast<unsigned>(table) % 3);
  Require(!pat::OpenRow(FuzzKeys(), next, key, row).has_value());
  Require(!pat::OpenRow(FuzzKeys(), table, key + "x", row).has_value());
  Require(!pat::OpenRow(FuzzKeys(), table, key, row + "x").has_value());
  const std::size_t at = bit / 8 % row.size();
  row[at] = static_cast<char>(row[at] ^ 1 << bit % 8);
  Require(!pat::OpenRow(FuzzKeys(), table, key, row).has_value());
  row.resize(bit % row.size());
  Require(!pat::OpenRow(FuzzKeys(), table, key, row).has_value());
}

void CheckAccount(FuzzInput* input) {
  const auto number = static_cast<std::uint32_t>(input->Number(4));
  const std::string account = "a" + std::string(input->Text(127));
  RecordFields fields;
  pat::SetAccount(account, number, FuzzKeys().newest_seal(), &fields);
  fields.key_slot = 12 % 8;
  Require(pat::AccountFits(fields, account, FuzzKeys()));
  Require(fields.long_account == (account.size() > 16));
  Require(fields.long_account ? fields.account_number() == number
                              : fields.inline_account() == account);
  const std::string other = "a" + std::string(input->rest().substr(0, 127));
  Require(pat::AccountFits(fields, other, FuzzKeys()) == (other == account));
}

// Lower-case hexadecimal digits in the groups of a UUID.
bool UuidByHand(std::string_view text) {
  std::string shape;
  for (const char c : text) {
    shape += std::string_view("0123456789abcdef").find(c) != std::string_view::npos ? 'h' : c;
  }
  return shape == "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
}

void CheckIds(FuzzInput* input) {
  const std::uint64_t id = input->Number(6);
  const std::string text = pat::PublicIdOf(FuzzKeys(), id);
  Require(UuidByHand(text) && pat::IdOfPublicId(FuzzKeys(), text) == id);
  Require(pat::IdOfSelector(FuzzKeys(), pat::SelectorOf(FuzzKeys(), id)) == id);
  const std::string_view given = input->rest();
  const std::uint64_t found = pat::IdOfPublicId(FuzzKeys(), given);
  Require(found == 0 || (UuidByHand(given) && pat::PublicIdOf(FuzzKeys(), found) == given));
  pat::Selector selector{};
  std::copy_n(given.begin(), std::min<std::size_t>(given.size(), 16), selector.begin());
  Require(pat::IdOfSelector(FuzzKeys(), selector) == 0);  // 80 redundant bits
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzInput input(data, size);
  switch (input.Below(4)) {
    case 0: CheckRecord(&input); break;
    case 1: CheckRow(&input); break;
    case 2: CheckAccount(&input); break;
    default: CheckIds(&input);
  }
  return 0;
}
