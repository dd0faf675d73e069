// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Keyring texts, against a reader that follows docs/format.md line by line; and one text written of
// what was read is read the same.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/key_set.h"
#include "lib/keyring_source.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

constexpr std::string_view kHex = "0123456789abcdef";

/// Keys by number, in hexadecimal.
using Keys = std::map<unsigned, std::string>;
struct Read {
  std::string realm;
  Keys selectors;
  Keys seals;
};

bool IsHex(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of(kHex) == text.npos;
}

// "<number> <64 digits>", of a number not seen yet.
bool ReadKey(std::string_view text, Keys* keys) {
  const std::string_view digits = text.substr(0, text.find(' '));
  if (digits.size() == text.size() || !IsHex(text.substr(digits.size() + 1), 64)) return false;
  if (digits.empty() || digits.size() > 5 || digits[0] == '0' ||
      digits.find_first_not_of("0123456789") != digits.npos) {
    return false;
  }
  const unsigned long number = std::stoul(std::string(digits));
  return number <= 65535 &&
         keys->emplace(static_cast<unsigned>(number), text.substr(digits.size() + 1)).second;
}

bool InRange(const Keys& keys) {
  return !keys.empty() && keys.rbegin()->first - keys.begin()->first < 8;
}

std::optional<Read> ByHand(std::string_view text) {
  constexpr std::string_view kFirst = "libpat keyring 1\n";
  if (text.size() > 4096 || text.substr(0, kFirst.size()) != kFirst || text.back() != '\n') {
    return std::nullopt;
  }
  Read read;
  text.remove_prefix(kFirst.size());
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    if (line.rfind("realm ", 0) == 0 && read.realm.empty() && IsHex(line.substr(6), 32)) {
      read.realm = line.substr(6);
    } else if (!(line.rfind("selector ", 0) == 0 && ReadKey(line.substr(9), &read.selectors)) &&
               !(line.rfind("seal ", 0) == 0 && ReadKey(line.substr(5), &read.seals))) {
      return std::nullopt;
    }
  }
  if (read.realm.empty() || !InRange(read.selectors) || !InRange(read.seals)) return std::nullopt;
  return read;
}

std::string Hex(const unsigned char* bytes, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += kHex[bytes[i] / 16];
    text += kHex[bytes[i] % 16];
  }
  return text;
}

// Newest first, the same keys.
void CheckKeys(const std::vector<pat::MasterSecret>& secrets, const Keys& keys) {
  Require(secrets.size() == keys.size());
  auto key = keys.rbegin();
  for (const pat::MasterSecret& secret : secrets) {
    Require(secret.number == key->first);
    Require(Hex(secret.secret.data(), secret.secret.size()) == key->second);
    ++key;
  }
}

std::string Write(const Read& read) {
  std::string text = "libpat keyring 1\nrealm " + read.realm + "\n";
  for (const auto& [number, key] : read.selectors) {
    text += "selector " + std::to_string(number) + " " + key + "\n";
  }
  for (const auto& [number, key] : read.seals) {
    text += "seal " + std::to_string(number) + " " + key + "\n";
  }
  return text;
}

void Check(std::string_view text) {
  const absl::StatusOr<pat::KeyringContents> parsed = pat::KeyringSource::Parse(text);
  const std::optional<Read> by_hand = ByHand(text);
  Require(parsed.ok() == by_hand.has_value());
  if (!parsed.ok()) {  // the message tells nothing of what stands there
    const std::string message(parsed.status().message());
    for (std::size_t at = 0; at + 8 <= text.size(); at += 8) {
      const std::string_view part = text.substr(at, 8);
      Require(!IsHex(part, 8) || message.find(part) == message.npos);
    }
    return;
  }
  Require(Hex(parsed->realm.data(), parsed->realm.size()) == by_hand->realm);
  CheckKeys(parsed->selectors, by_hand->selectors);
  CheckKeys(parsed->seals, by_hand->seals);
  const absl::StatusOr<pat::KeyringContents> again = pat::KeyringSource::Parse(Write(*by_hand));
  Require(again.ok() && again->realm == parsed->realm);
  CheckKeys(again->selectors, by_hand->selectors);
  CheckKeys(again->seals, by_hand->seals);
  Require(pat::KeySet::Derive(*parsed).ok());
}

// Lines that are mostly good.
std::string Lines(FuzzInput* input) {
  std::string text = "libpat keyring 1\nrealm " + std::string(32, 'a') + "\n";
  const unsigned lines = input->Below(24);
  for (unsigned i = 0; i < lines; ++i) {
    const unsigned kind = input->Byte();
    const std::string rest =
        std::to_string(1 + kind / 16) + " " + std::string(64, kHex[input->Below(16)]) + "\n";
    switch (kind % 8) {
      case 0: text += std::string(input->Text(30)) + "\n"; break;
      case 1:
        text += "seal " + std::to_string(input->Number(3)) + rest.substr(rest.find(' '));
        break;
      default: text += (kind % 2 == 0 ? "selector " : "seal ") + rest;
    }
  }
  return text;
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzInput input(data, size);
  if (input.Flag()) {
    Check(input.rest());
    return 0;
  }
  std::string text = Lines(&input);
  Check(text);
  while (!input.empty()) {
    const std::size_t at = input.Number(2) % text.size();
    text[at] = static_cast<char>(input.Byte());
  }
  Check(text);
  return 0;
}
