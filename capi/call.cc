// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "capi/call.h"

#include <cstdlib>
#include <new>

#include "capi/handles.h"

namespace pat::capi {
namespace {

// Errors that need no memory, one a code; pat_error_free leaves them alone.
struct StaticErrors {
  pat_error errors[PAT_UNAUTHENTICATED + 1]{};

  constexpr StaticErrors() {
    for (int32_t code = 0; code <= PAT_UNAUTHENTICATED; ++code) {
      errors[code].code = code;
      errors[code].message = "out of memory, also for saying more";
    }
    errors[PAT_RESOURCE_EXHAUSTED].message = "out of memory";
    errors[PAT_INTERNAL].message = "an exception was thrown";
  }
};
StaticErrors statics;

bool IsStatic(const pat_error* error) {
  for (const pat_error& one : statics.errors) {
    if (error == &one) return true;
  }
  return false;
}

pat_error* MakeError(int32_t code, std::string_view message) noexcept {
  void* const block = std::malloc(sizeof(pat_error) + message.size() + 1);
  if (block == nullptr) return &statics.errors[code];
  char* const text = static_cast<char*>(block) + sizeof(pat_error);
  if (!message.empty()) std::memcpy(text, message.data(), message.size());
  text[message.size()] = '\0';
  return new (block) pat_error{code, text};
}

}  // namespace

int32_t Report(const absl::Status& status, pat_error** error) noexcept {
  const auto raw = static_cast<int32_t>(status.code());
  const int32_t code = raw >= 0 && raw <= PAT_UNAUTHENTICATED ? raw : PAT_UNKNOWN;
  const auto message = status.message();  // maybe absl::string_view, a type of its own
  if (error != nullptr) {
    *error = code == PAT_OK ? nullptr : MakeError(code, {message.data(), message.size()});
  }
  return code;
}

int32_t ReportException(pat_error** error) noexcept {
  int32_t code = PAT_INTERNAL;
  try {
    throw;
  } catch (const std::bad_alloc&) {
    code = PAT_RESOURCE_EXHAUSTED;
  } catch (...) {  // NOLINT(bugprone-empty-catch): whatever a callback threw
  }
  if (error != nullptr) *error = &statics.errors[code];
  return code;
}

absl::Status NullArgument() { return absl::InvalidArgumentError("an argument must not be NULL"); }

absl::Status WrongSize() {
  return absl::InvalidArgumentError("a struct's size is wrong: set it to sizeof the struct");
}

absl::Status TakeTexts(const char* const* texts, std::size_t count, std::vector<std::string>* out) {
  if (count > kMostElements) return absl::InvalidArgumentError("a list has too many elements");
  if (texts == nullptr && count != 0) return NullArgument();
  out->clear();
  out->reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (texts[i] == nullptr) return NullArgument();
    out->emplace_back(texts[i]);
  }
  return absl::OkStatus();
}

}  // namespace pat::capi

int32_t pat_error_code(const pat_error* error) { return error == nullptr ? PAT_OK : error->code; }

const char* pat_error_message(const pat_error* error) {
  return error == nullptr ? "" : error->message;
}

void pat_error_free(pat_error* error) {
  if (error != nullptr && !pat::capi::IsStatic(error)) std::free(error);
}
