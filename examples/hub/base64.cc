// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "base64.h"

#include <cstddef>
#include <cstdint>

#include "secret.h"

namespace hub {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Bytes as digits of `bits` bits each, without padding.
std::string Encode(std::string_view bytes, std::string_view digits, unsigned bits) {
  std::string text;
  text.reserve((bytes.size() * 8 + bits - 1) / bits + 3);
  std::uint32_t pool = 0;
  unsigned held = 0;
  for (char byte : bytes) {
    pool = (pool << 8) | static_cast<unsigned char>(byte);
    for (held += 8; held >= bits; held -= bits) {
      text.push_back(digits[(pool >> (held - bits)) & ((1U << bits) - 1)]);
    }
  }
  if (held > 0) text.push_back(digits[(pool << (bits - held)) & ((1U << bits) - 1)]);
  return text;
}

/// Undoes Encode. None for a digit that is none, or bits left over that are not a zero rest.
std::optional<std::string> Decode(std::string_view text, std::string_view digits, unsigned bits) {
  std::string bytes;
  bytes.reserve(text.size() * bits / 8);
  std::uint32_t pool = 0;
  unsigned held = 0;
  for (char c : text) {
    const std::size_t value = digits.find(c);
    if (value == std::string_view::npos) {
      Wipe(bytes);
      return std::nullopt;
    }
    pool = (pool << bits) | static_cast<std::uint32_t>(value);
    held += bits;
    if (held >= 8) {
      held -= 8;
      bytes.push_back(static_cast<char>((pool >> held) & 0xFF));
    }
  }
  if (held >= bits || (pool & ((1U << held) - 1)) != 0) {
    Wipe(bytes);
    return std::nullopt;
  }
  return bytes;
}

}  // namespace

std::string Base64(std::string_view bytes) {
  std::string text = Encode(bytes, kBase64, 6);
  while (text.size() % 4 != 0) text.push_back('=');
  return text;
}

std::string Base64Url(std::string_view bytes) { return Encode(bytes, kBase64Url, 6); }

std::optional<std::string> FromBase64(std::string_view text) {
  if (!text.empty() && text.size() % 4 == 0) {
    for (int i = 0; i < 2 && text.back() == '='; ++i) text.remove_suffix(1);
  }
  return Decode(text, kBase64, 6);
}

std::optional<std::string> FromBase64Url(std::string_view text) {
  return Decode(text, kBase64Url, 6);
}

std::string Base32(std::string_view bytes) { return Encode(bytes, kBase32, 5); }

std::optional<std::string> FromBase32(std::string_view text) { return Decode(text, kBase32, 5); }

}  // namespace hub
