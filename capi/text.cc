// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Token text without a store: for scanners, and for bindings' tests.
#include <cstring>
#include <string>
#include <vector>

#include "capi/call.h"
#include "pat/token_text.h"

namespace {

using pat::capi::TakeText;
using pat::capi::TakeTexts;

int32_t ToC(pat::ParseResult result) {
  switch (result) {
    case pat::ParseResult::kOk: return PAT_TEXT_OK;
    case pat::ParseResult::kNotToken: return PAT_TEXT_NOT_TOKEN;
    case pat::ParseResult::kBadSelector: return PAT_TEXT_BAD_SELECTOR;
    case pat::ParseResult::kBadChecksum: return PAT_TEXT_BAD_CHECKSUM;
  }
  return -1;
}

}  // namespace

int32_t pat_check_text(const char* text, size_t text_len, const char* const* prefixes,
                       size_t prefix_count, unsigned char* selector) {
  try {
    std::string_view checked;
    std::vector<std::string> accepted;
    if (!TakeText(text, text_len, &checked).ok()) return -1;
    if (!TakeTexts(prefixes, prefix_count, &accepted).ok()) return -1;
    for (const std::string& prefix : accepted) {
      if (!pat::ValidatePrefix(prefix).ok()) return -1;
    }
    pat::ParsedToken parsed;
    const pat::ParseResult result = pat::ParseTokenText(checked, accepted, &parsed);
    if (result == pat::ParseResult::kOk && selector != nullptr) {
      std::memcpy(selector, parsed.selector.data(), parsed.selector.size());
    }
    return ToC(result);
  } catch (...) {
    return -1;
  }
}

void pat_wipe(void* secret, size_t len) {
  volatile char* const bytes = static_cast<char*>(secret);
  for (std::size_t i = 0; bytes != nullptr && i < len; ++i) bytes[i] = 0;
}
