// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Keyring texts: made and changed.
#include <cstring>
#include <string>

#include "absl/status/statusor.h"
#include "capi/call.h"
#include "capi/names.h"
#include "pat/c_keys.h"
#include "pat/keyring.h"

namespace pat::capi {
namespace {

// Where a keyring text goes.
struct Room {
  char* text;
  std::size_t capacity;
  std::size_t* length;
};

// `make` gives the text; what is left of it here is wiped.
template <typename Make>
int32_t GiveKeyring(const Room& room, pat_error** error, Make make) {
  return Call(error, [&]() -> absl::Status {
    if (room.length != nullptr) *room.length = 0;
    if (room.text == nullptr || room.length == nullptr) return NullArgument();
    if (room.capacity < PAT_KEYRING_CAPACITY) return Misfit("the buffer is too small");
    absl::StatusOr<std::string> made = make();
    if (!made.ok()) return made.status();
    const bool fits = made->size() < PAT_KEYRING_CAPACITY;
    if (fits) {
      std::memcpy(room.text, made->c_str(), made->size() + 1);
      *room.length = made->size();
    }
    pat_wipe(made->data(), made->size());
    return fits ? absl::OkStatus() : absl::InternalError("the keyring is too long");
  });
}

// `change` takes a given text and kind of key.
template <typename Change>
int32_t ChangeKeyring(const char* text, std::size_t text_len, int32_t kind, const Room& room,
                      pat_error** error, Change change) {
  return GiveKeyring(room, error, [&]() -> absl::StatusOr<std::string> {
    std::string_view given;
    auto taken = KeyKind::kSelector;
    if (text == nullptr) return NullArgument();
    if (absl::Status s = TakeText(text, text_len, &given); !s.ok()) return s;
    if (!FromC(kind, KeyKind::kSeal, &taken)) return Misfit("no such kind of key");
    return change(given, taken);
  });
}

}  // namespace
}  // namespace pat::capi

using pat::capi::ChangeKeyring;

int32_t pat_keyring_generate(char* text, size_t capacity, size_t* text_len, pat_error** error) {
  return pat::capi::GiveKeyring({text, capacity, text_len}, error, pat::Keyring::Generate);
}

int32_t pat_keyring_add_key(const char* text, size_t text_len, int32_t kind, char* out,
                            size_t capacity, size_t* out_len, pat_error** error) {
  return ChangeKeyring(text, text_len, kind, {out, capacity, out_len}, error, pat::Keyring::AddKey);
}

int32_t pat_keyring_remove_key(const char* text, size_t text_len, int32_t kind, uint32_t number,
                               char* out, size_t capacity, size_t* out_len, pat_error** error) {
  return ChangeKeyring(
      text, text_len, kind, {out, capacity, out_len}, error,
      [&](std::string_view given, pat::KeyKind taken) -> absl::StatusOr<std::string> {
        if (number == 0 || number > UINT16_MAX) return pat::capi::Misfit("no number of a key");
        return pat::Keyring::RemoveKey(given, taken, static_cast<std::uint16_t>(number));
      });
}
