// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The metadata of a token: any bytes, against a reader of the wire format of our own; and what is
// written is read back.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/codec.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/wire_fields.h"

namespace {

using pat::Metadata;

bool Same(const Metadata& a, const Metadata& b) {
  return a.version == b.version && a.digest == b.digest && a.description == b.description &&
         a.scopes == b.scopes && a.created_unix_s == b.created_unix_s &&
         a.expires_unix_s == b.expires_unix_s && a.attributes == b.attributes &&
         a.selector_key == b.selector_key;
}

std::optional<Metadata> ByHand(std::string_view bytes) {
  const auto fields = WireReader::Read(bytes);
  if (!fields.has_value()) return std::nullopt;
  Metadata metadata;
  metadata.version = static_cast<std::uint16_t>(WireReader::Number(*fields, 1, WireField::kVarint));
  const std::string_view digest = WireReader::Bytes(*fields, 2);
  if (digest.size() != metadata.digest.size()) return std::nullopt;
  std::copy(digest.begin(), digest.end(), metadata.digest.begin());
  metadata.description = WireReader::Bytes(*fields, 3);
  metadata.created_unix_s =
      static_cast<std::uint32_t>(WireReader::Number(*fields, 5, WireField::kFixed32));
  metadata.expires_unix_s =
      static_cast<std::uint32_t>(WireReader::Number(*fields, 6, WireField::kFixed32));
  metadata.selector_key =
      static_cast<std::uint16_t>(WireReader::Number(*fields, 8, WireField::kVarint));
  for (const WireField& field : *fields) {
    if (field.type != WireField::kBytes) continue;
    if (field.number == 4) metadata.scopes.emplace_back(field.bytes);
    if (field.number != 7) continue;
    const auto attribute = WireReader::Read(field.bytes);
    if (!attribute.has_value()) return std::nullopt;
    metadata.attributes[std::string(WireReader::Bytes(*attribute, 1))] =
        WireReader::Bytes(*attribute, 2);
  }
  return metadata;
}

// Returns the bytes it is written as.
std::string CheckRoundTrip(const Metadata& metadata) {
  std::string bytes = pat::EncodeMetadata(metadata);
  const std::optional<Metadata> again = pat::DecodeMetadata(bytes);
  Require(again.has_value() && Same(*again, metadata));
  const std::optional<Metadata> by_hand = ByHand(bytes);
  Require(by_hand.has_value() && Same(*by_hand, metadata));
  return bytes;
}

void CheckAny(std::string_view bytes) {
  const std::optional<Metadata> decoded = pat::DecodeMetadata(bytes);
  const std::optional<Metadata> by_hand = ByHand(bytes);
  Require(decoded.has_value() == by_hand.has_value());
  if (!decoded.has_value()) return;
  Require(Same(*decoded, *by_hand));
  CheckRoundTrip(*decoded);
}

Metadata Any(FuzzInput* input) {
  Metadata metadata;
  metadata.version = static_cast<std::uint16_t>(input->Number(2));
  for (unsigned char& byte : metadata.digest) byte = static_cast<unsigned char>(input->Byte());
  metadata.description = input->Text(200);
  metadata.created_unix_s = static_cast<std::uint32_t>(input->Number(4));
  metadata.expires_unix_s = static_cast<std::uint32_t>(input->Number(4));
  const unsigned scopes = input->Below(5);
  for (unsigned i = 0; i < scopes; ++i) metadata.scopes.emplace_back(input->Text(66));
  const unsigned attributes = input->Below(5);
  for (unsigned i = 0; i < attributes; ++i) {
    const std::string name(input->Text(20));
    metadata.attributes[name] = input->Text(255);
  }
  return metadata;
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzInput input(data, size);
  if (input.Flag()) {
    CheckAny(input.rest());
    return 0;
  }
  std::string bytes = CheckRoundTrip(Any(&input));
  while (!input.empty()) {  // what is left changes bytes here and there
    const std::size_t at = input.Number(2) % bytes.size();
    bytes[at] = static_cast<char>(input.Byte());
  }
  CheckAny(bytes);
  return 0;
}
