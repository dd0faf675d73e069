// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef CAPI_CALL_H_
#define CAPI_CALL_H_

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "pat/c.h"

namespace pat::capi {

/// More elements than any call can mean: a length that was never set.
inline constexpr std::size_t kMostElements = 1024;

/// Turns a status into a code and, unless `error` is NULL, an object for the caller. Never fails.
int32_t Report(const absl::Status& status, pat_error** error) noexcept;

/// What the exception in flight becomes.
int32_t ReportException(pat_error** error) noexcept;

/// Runs the body of a function of the C interface, `absl::Status body()`: nothing thrown gets out.
template <typename Body>
int32_t Call(pat_error** error, Body body) noexcept {
  try {
    return Report(body(), error);
  } catch (...) {
    return ReportException(error);
  }
}

absl::Status NullArgument();
absl::Status WrongSize();
inline absl::Status Misfit(const char* what) { return absl::InvalidArgumentError(what); }

/// Whether `size` can be the size of a struct that begins with it.
inline bool SizeFits(std::size_t size) {
  return size >= sizeof(std::size_t) && size <= 4096 && size % sizeof(std::size_t) == 0;
}

/// Takes a struct of the caller: of an older libpat's size, and what is missing is zero; of a newer
/// one's, and what this one does not know must be zero. NULL: all zero.
template <typename Struct>
absl::Status Take(const Struct* given, Struct* taken) {
  static_assert(std::is_trivially_copyable_v<Struct>);
  std::memset(taken, 0, sizeof(Struct));
  taken->size = sizeof(Struct);
  if (given == nullptr) return absl::OkStatus();
  const std::size_t size = given->size;
  if (!SizeFits(size)) return WrongSize();
  const char* const bytes = reinterpret_cast<const char*>(given);
  for (std::size_t i = sizeof(Struct); i < size; ++i) {
    if (bytes[i] != 0) {
      return absl::InvalidArgumentError("a field is set that this version of libpat does not have");
    }
  }
  std::memcpy(taken, given, size < sizeof(Struct) ? size : sizeof(Struct));
  taken->size = sizeof(Struct);
  return absl::OkStatus();
}

/// Whether there is a struct of the caller to fill.
template <typename Struct>
absl::Status CheckOut(const Struct* out) {
  if (out == nullptr) return NullArgument();
  return SizeFits(out->size) ? absl::OkStatus() : WrongSize();
}

/// Fills a struct of the caller as far as both know it, and the rest with zeros; `size` stays. The
/// caller has checked that the size fits.
template <typename Struct>
void Give(const Struct& made, Struct* out) {
  static_assert(std::is_trivially_copyable_v<Struct>);
  const std::size_t size = out->size;
  const std::size_t known = size < sizeof(Struct) ? size : sizeof(Struct);
  char* const bytes = reinterpret_cast<char*>(out);
  std::memcpy(bytes + sizeof(size), reinterpret_cast<const char*>(&made) + sizeof(size),
              known - sizeof(size));
  std::memset(bytes + known, 0, size - known);
}

/// Where a pointer is handed out: NULL until there is something.
template <typename T>
void Clear(T** out) {
  if (out != nullptr) *out = nullptr;
}

/// A text with its length; `*out` is set if it can be one.
inline absl::Status TakeText(const char* text, std::size_t size, std::string_view* out) {
  if (text == nullptr && size != 0) return NullArgument();
  *out = text == nullptr ? std::string_view() : std::string_view(text, size);
  return absl::OkStatus();
}

/// A list of texts that end in NUL.
absl::Status TakeTexts(const char* const* texts, std::size_t count, std::vector<std::string>* out);

}  // namespace pat::capi

#endif  // CAPI_CALL_H_
