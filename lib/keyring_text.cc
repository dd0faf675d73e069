// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The text of a keyring (docs/format.md): made, read, changed.
#include "lib/keyring_text.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "lib/keyring_source.h"
#include "lib/out_of_memory.h"
#include "pat/keyring.h"

namespace pat {
namespace {

constexpr std::string_view kFirstLine = "libpat keyring 1";
constexpr int kLastNumber = 0xFFFF;

void AppendHex(const unsigned char* bytes, std::size_t size, std::string* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < size; ++i) {
    *out += kDigits[bytes[i] >> 4U];
    *out += kDigits[bytes[i] & 15U];
  }
}

bool ParseHex(std::string_view text, unsigned char* bytes, std::size_t size) {
  if (text.size() != 2 * size) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f')) return false;
    const int value = digit ? c - '0' : c - 'a' + 10;
    bytes[i / 2] = static_cast<unsigned char>(i % 2 == 0 ? value << 4 : bytes[i / 2] | value);
  }
  return true;
}

// "<number> <64 hex digits>"
bool ParseMaster(std::string_view text, MasterSecret* master) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos || space < 1 || space > 5 || text[0] == '0') return false;
  unsigned number = 0;
  for (char c : text.substr(0, space)) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  master->number = static_cast<std::uint16_t>(number);
  return number >= 1 && number <= kLastNumber &&
         ParseHex(text.substr(space + 1), master->secret.data(), master->secret.size());
}

// Sorts newest first; false unless there are 1 to 8, of different numbers less than 8 apart (three
// bits of a record must tell them apart).
bool Order(std::vector<MasterSecret>* list) {
  std::sort(list->begin(), list->end(),
            [](const MasterSecret& a, const MasterSecret& b) { return a.number > b.number; });
  for (std::size_t i = 1; i < list->size(); ++i) {
    if ((*list)[i].number == (*list)[i - 1].number) return false;
  }
  return !list->empty() && list->size() <= kMaxKeys &&
         list->front().number - list->back().number < static_cast<int>(kMaxKeys);
}

absl::Status RandomFailed() { return absl::InternalError("the random number generator failed"); }

void DropOldest(std::vector<MasterSecret>* keys) {
  crypto::Wipe(keys->back().secret.data(), keys->back().secret.size());
  keys->pop_back();
}

absl::StatusOr<std::string> TextOf(const KeyringContents& contents) {
  std::string text;
  KeyringSource::Format(contents, &text);
  return text;
}

}  // namespace

std::string RealmText(const Realm& realm) {
  std::string text;
  AppendHex(realm.data(), realm.size(), &text);
  return text;
}

absl::StatusOr<std::string> Keyring::Generate() {
  return CatchOutOfMemory([]() -> absl::StatusOr<std::string> {
    KeyringContents contents;
    if (!crypto::RandomBytes(contents.realm.data(), contents.realm.size())) return RandomFailed();
    for (const KeyKind kind : {KeyKind::kSelector, KeyKind::kSeal}) {
      if (absl::Status s = KeyringSource::AddKey(kind, &contents); !s.ok()) return s;
    }
    return TextOf(contents);
  });
}

absl::StatusOr<std::string> Keyring::AddKey(std::string_view text, KeyKind kind) {
  return CatchOutOfMemory([&]() -> absl::StatusOr<std::string> {
    absl::StatusOr<KeyringContents> contents = KeyringSource::Parse(text);
    if (!contents.ok()) return contents.status();
    if (absl::Status s = KeyringSource::AddKey(kind, &*contents); !s.ok()) return s;
    return TextOf(*contents);
  });
}

absl::StatusOr<std::string> Keyring::RemoveKey(std::string_view text, KeyKind kind,
                                               std::uint16_t number) {
  return CatchOutOfMemory([&]() -> absl::StatusOr<std::string> {
    absl::StatusOr<KeyringContents> contents = KeyringSource::Parse(text);
    if (!contents.ok()) return contents.status();
    std::vector<MasterSecret>& keys = contents->keys(kind);
    const auto key = std::find_if(keys.begin(), keys.end(), [number](const MasterSecret& master) {
      return master.number == number;
    });
    if (key == keys.end()) return absl::NotFoundError("the keyring has no such key");
    if (key == keys.begin()) {
      return absl::FailedPreconditionError("the newest key of its kind is the one in use");
    }
    std::move(key + 1, keys.end(), key);
    DropOldest(&keys);
    return TextOf(*contents);
  });
}

absl::Status KeyringSource::AddKey(KeyKind kind, KeyringContents* contents) {
  std::vector<MasterSecret>& keys = contents->keys(kind);
  if (keys.size() >= kMaxKeys ||
      (!keys.empty() && keys.front().number - keys.back().number >= kMaxLiveKeys - 1)) {
    return absl::FailedPreconditionError("a keyring holds 8 keys of a kind at most: retire one");
  }
  if (!keys.empty() && keys.front().number == kLastNumber) {
    return absl::FailedPreconditionError("the numbers of keys are used up");
  }
  keys.reserve(kMaxKeys);  // growing would leave copies behind
  MasterSecret master;
  if (!crypto::RandomBytes(master.secret.data(), master.secret.size())) return RandomFailed();
  master.number = static_cast<std::uint16_t>(keys.empty() ? 1 : keys.front().number + 1);
  keys.insert(keys.begin(), master);
  crypto::Wipe(master.secret.data(), master.secret.size());
  return absl::OkStatus();
}

bool KeyringSource::DropBelow(std::uint16_t selector, std::uint16_t seal,
                              KeyringContents* contents) {
  bool dropped = false;
  for (const auto& [keys, lowest] :
       {std::pair(&contents->selectors, selector), std::pair(&contents->seals, seal)}) {
    for (; keys->size() > 1 && keys->back().number < lowest; dropped = true) DropOldest(keys);
  }
  return dropped;
}

void KeyringSource::Format(const KeyringContents& contents, std::string* text) {
  text->clear();
  text->reserve(kMostKeyringBytes);  // no copies left behind by growing
  *text += kFirstLine;
  *text += "\nrealm ";
  AppendHex(contents.realm.data(), contents.realm.size(), text);
  *text += '\n';
  for (const auto& [kind, keys] :
       {std::pair("selector ", &contents.selectors), std::pair("seal ", &contents.seals)}) {
    for (auto key = keys->rbegin(); key != keys->rend(); ++key) {
      *text += kind;
      *text += std::to_string(key->number);
      *text += ' ';
      AppendHex(key->secret.data(), key->secret.size(), text);
      *text += '\n';
    }
  }
}

absl::StatusOr<KeyringContents> KeyringSource::Parse(std::string_view text) {
  const auto bad = [](std::size_t line) {
    return absl::FailedPreconditionError("not a keyring of this version: line " +
                                         std::to_string(line));
  };
  if (text.size() > kMostKeyringBytes) {
    return absl::FailedPreconditionError("not a keyring: too long");
  }
  KeyringContents contents;
  contents.selectors.reserve(kMostKeyringBytes / 64);  // growing would leave copies behind
  contents.seals.reserve(kMostKeyringBytes / 64);
  bool realm = false;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return bad(line);
    const std::string_view row = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line == 1) {
      if (row != kFirstLine) return bad(line);
    } else if (row.substr(0, 6) == "realm ") {
      if (realm || !ParseHex(row.substr(6), contents.realm.data(), contents.realm.size())) {
        return bad(line);
      }
      realm = true;
    } else {
      const std::size_t space = row.find(' ');
      const std::string_view kind = row.substr(0, space);
      MasterSecret master;
      if ((kind != "selector" && kind != "seal") || !ParseMaster(row.substr(space + 1), &master)) {
        return bad(line);
      }
      (kind == "seal" ? contents.seals : contents.selectors).push_back(master);
      crypto::Wipe(master.secret.data(), master.secret.size());
    }
  }
  if (!realm || !Order(&contents.selectors) || !Order(&contents.seals)) {
    return absl::FailedPreconditionError(
        "not a keyring: it needs a realm and 1 to 8 selector and seal keys of nearby numbers");
  }
  return contents;
}

}  // namespace pat
