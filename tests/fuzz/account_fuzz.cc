// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// An account's row, against a reader that follows docs/format.md byte by byte. There is one row for
// an account.
#include <optional>
#include <string>
#include <string_view>

#include "lib/codec.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using pat::Account;

std::uint64_t LittleEndian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) {
    value = value * 256 + static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

std::optional<Account> ByHand(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  const std::size_t id = static_cast<unsigned char>(bytes[0]);
  if (id < 1 || id > 128 || bytes.size() < 1 + id + 25) return std::nullopt;
  Account account;
  account.id = bytes.substr(1, id);
  std::size_t at = 1 + id;
  account.version = LittleEndian(bytes, at, 8);
  account.active = static_cast<std::uint32_t>(LittleEndian(bytes, at + 8, 4));
  account.inactive = static_cast<std::uint32_t>(LittleEndian(bytes, at + 12, 4));
  account.earliest_expiry_unix_s = static_cast<std::uint32_t>(LittleEndian(bytes, at + 16, 4));
  account.expired_through_unix_s = static_cast<std::uint32_t>(LittleEndian(bytes, at + 20, 4));
  const auto autos = static_cast<unsigned char>(bytes[at + 24]);
  at += 25;
  if (autos > 64 || bytes.size() != at + autos * 8U) return std::nullopt;
  for (; at < bytes.size(); at += 8) account.auto_tokens.push_back(LittleEndian(bytes, at, 8));
  return account;
}

bool Same(const Account& a, const Account& b) {
  return a.id == b.id && a.version == b.version && a.active == b.active &&
         a.inactive == b.inactive && a.earliest_expiry_unix_s == b.earliest_expiry_unix_s &&
         a.expired_through_unix_s == b.expired_through_unix_s && a.auto_tokens == b.auto_tokens;
}

void Check(std::string_view bytes) {
  const std::optional<Account> decoded = pat::DecodeAccount(bytes);
  const std::optional<Account> by_hand = ByHand(bytes);
  Require(decoded.has_value() == by_hand.has_value());
  const auto id = pat::AccountIdIn(bytes);
  if (!decoded.has_value()) {  // the id alone may still be whole
    Require(!id.has_value() || (id->size() >= 1 && id->size() <= 128 && id->size() < bytes.size()));
    return;
  }
  Require(Same(*decoded, *by_hand));
  Require(id.has_value() && *id == decoded->id);
  Require(pat::EncodeAccount(*decoded) == bytes);
}

std::string Some(FuzzInput* input) {
  Account account;
  account.id = "i" + std::string(input->Text(130));
  account.version = input->Number(8);
  account.active = static_cast<std::uint32_t>(input->Number(4));
  account.earliest_expiry_unix_s = static_cast<std::uint32_t>(input->Number(4));
  const unsigned autos = input->Below(68);
  for (unsigned i = 0; i < autos; ++i) account.auto_tokens.push_back(input->Number(3));
  return pat::EncodeAccount(account);
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzInput input(data, size);
  if (input.Flag()) {
    Check(input.rest());
    return 0;
  }
  std::string bytes = Some(&input);
  Check(bytes);
  while (!input.empty()) {
    const std::size_t at = input.Number(2) % (bytes.size() + 1);
    if (at == bytes.size()) bytes += static_cast<char>(input.Byte());
    bytes[at] = static_cast<char>(input.Byte());
  }
  Check(bytes);
  return 0;
}
