// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// A store's rows about itself, header and scopes: any bytes, against a reader of the wire format of
// our own; and what is written is read back.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/codec.h"
#include "pat/token_text.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/wire_fields.h"

namespace {

using pat::Header;
using pat::ScopeSet;

template <typename Array>
bool Fixed(std::string_view bytes, Array* array) {
  if (bytes.size() != array->size()) return false;
  std::copy(bytes.begin(), bytes.end(), array->begin());
  return true;
}

bool Same(const Header& a, const Header& b) {
  return a.realm == b.realm && a.prefixes == b.prefixes && a.created_unix_s == b.created_unix_s &&
         a.selector_keys == b.selector_keys && a.seal_keys == b.seal_keys;
}

bool KeyByHand(std::string_view bytes, pat::HeaderKeys* keys) {
  const auto fields = WireReader::Read(bytes);
  if (!fields.has_value()) return false;
  const auto number =
      static_cast<std::uint32_t>(WireReader::Number(*fields, 1, WireField::kVarint));
  pat::HeaderKey key;
  key.created_unix_s =
      static_cast<std::uint32_t>(WireReader::Number(*fields, 3, WireField::kFixed32));
  return number >= 1 && number <= 0xFFFF && Fixed(WireReader::Bytes(*fields, 2), &key.check) &&
         keys->emplace(static_cast<std::uint16_t>(number), key).second;
}

bool AreNear(const pat::HeaderKeys& keys) {
  return !keys.empty() && keys.rbegin()->first - keys.begin()->first < 8;
}

std::optional<Header> HeaderByHand(std::string_view bytes) {
  const auto fields = WireReader::Read(bytes);
  if (!fields.has_value()) return std::nullopt;
  Header header;
  if (!Fixed(WireReader::Bytes(*fields, 1), &header.realm)) return std::nullopt;
  header.created_unix_s =
      static_cast<std::uint32_t>(WireReader::Number(*fields, 3, WireField::kFixed32));
  for (const WireField& field : *fields) {
    if (field.type != WireField::kBytes) continue;
    if (field.number == 2) {
      if (!pat::ValidatePrefix(field.bytes).ok()) return std::nullopt;
      header.prefixes.emplace_back(field.bytes);
    } else if (field.number == 4 || field.number == 5) {
      pat::HeaderKeys& keys = field.number == 4 ? header.selector_keys : header.seal_keys;
      if (!KeyByHand(field.bytes, &keys)) return std::nullopt;
    }
  }
  if (header.prefixes.empty() || header.prefixes.size() > 8) return std::nullopt;
  if (!AreNear(header.selector_keys) || !AreNear(header.seal_keys)) return std::nullopt;
  return header;
}

void CheckHeader(std::string_view bytes) {
  const std::optional<Header> decoded = pat::DecodeHeader(bytes);
  const std::optional<Header> by_hand = HeaderByHand(bytes);
  Require(decoded.has_value() == by_hand.has_value());
  if (!decoded.has_value()) return;
  Require(Same(*decoded, *by_hand));
  const std::optional<Header> again = pat::DecodeHeader(pat::EncodeHeader(*decoded));
  Require(again.has_value() && Same(*again, *decoded));
}

std::string SomeHeader(FuzzInput* input) {
  Header header;
  for (unsigned char& byte : header.realm) byte = static_cast<unsigned char>(input->Byte());
  header.created_unix_s = static_cast<std::uint32_t>(input->Number(4));
  const unsigned prefixes = 1 + input->Below(9);
  for (unsigned i = 0; i < prefixes; ++i) {
    header.prefixes.push_back(std::string(input->Text(3)) + static_cast<char>('a' + i) + "_");
  }
  for (pat::HeaderKeys* keys : {&header.selector_keys, &header.seal_keys}) {
    const auto lowest = static_cast<unsigned>(input->Number(2));
    for (unsigned i = input->Below(9); i > 0; --i) {
      pat::HeaderKey& key = (*keys)[static_cast<std::uint16_t>(lowest + i)];
      key.check.fill(static_cast<unsigned char>(i));
      key.created_unix_s = i;
    }
  }
  return pat::EncodeHeader(header);
}

bool Same(const ScopeSet& a, const ScopeSet& b) {
  const auto permission = [](const auto& p, const auto& q) {
    return p.name == q.name && p.bit == q.bit;
  };
  const auto scope = [](const auto& p, const auto& q) {
    return p.name == q.name && p.permissions == q.permissions;
  };
  return std::equal(a.permissions().begin(), a.permissions().end(), b.permissions().begin(),
                    b.permissions().end(), permission) &&
         std::equal(a.scopes().begin(), a.scopes().end(), b.scopes().begin(), b.scopes().end(),
                    scope);
}

std::optional<ScopeSet> ScopesByHand(std::string_view bytes) {
  const auto fields = WireReader::Read(bytes);
  if (!fields.has_value()) return std::nullopt;
  std::vector<pat::Permission> permissions;
  std::vector<pat::Scope> scopes;
  for (const WireField& field : *fields) {
    if (field.type != WireField::kBytes || field.number > 2) continue;
    const auto inside = WireReader::Read(field.bytes);
    if (!inside.has_value()) return std::nullopt;
    const std::string_view name = WireReader::Bytes(*inside, 1);
    if (field.number == 1) {
      const auto bit =
          static_cast<std::uint32_t>(WireReader::Number(*inside, 2, WireField::kVarint));
      permissions.push_back({name, bit > 63 ? -1 : static_cast<int>(bit)});
    } else {
      scopes.push_back({std::string(name), pat::PermissionSet::FromBits(WireReader::Number(
                                               *inside, 2, WireField::kFixed64))});
    }
  }
  absl::StatusOr<ScopeSet> set = ScopeSet::Create(permissions, std::move(scopes));
  if (!set.ok()) return std::nullopt;
  return *std::move(set);
}

void CheckScopes(std::string_view bytes) {
  const std::optional<ScopeSet> decoded = pat::DecodeScopes(bytes);
  const std::optional<ScopeSet> by_hand = ScopesByHand(bytes);
  Require(decoded.has_value() == by_hand.has_value());
  if (!decoded.has_value()) return;
  Require(Same(*decoded, *by_hand));
  const std::optional<ScopeSet> again = pat::DecodeScopes(pat::EncodeScopes(*decoded));
  Require(again.has_value() && Same(*again, *decoded));
}

// What is left of the input changes bytes here and there.
std::string Changed(std::string bytes, FuzzInput* input) {
  while (!input->empty()) {
    const std::size_t at = input->Number(2) % bytes.size();
    bytes[at] = static_cast<char>(input->Byte());
  }
  return bytes;
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzInput input(data, size);
  switch (input.Below(4)) {
    case 0: CheckHeader(input.rest()); break;
    case 1: CheckScopes(input.rest()); break;
    case 2: CheckHeader(Changed(SomeHeader(&input), &input)); break;
    default: CheckScopes(Changed(pat::EncodeScopes(ScopeSet::DockerHub()), &input));
  }
  return 0;
}
