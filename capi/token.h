// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef CAPI_TOKEN_H_
#define CAPI_TOKEN_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "pat/authority.h"
#include "pat/c.h"

namespace pat::capi {

struct FreeBlock {
  void operator()(void* block) const;
};
using Block = std::unique_ptr<void, FreeBlock>;

/// Memory of its own, taken before a change is made and filled after it: when the change stands,
/// nothing can fail any more. Throws std::bad_alloc.
Block NewBlock(std::size_t bytes);

/// A token with everything it points to is one block of this many bytes.
std::size_t TokenBytes(const Token& token);
/// The most that TokenBytes can be.
std::size_t MostTokenBytes();

/// Writes the token to `at`, which has TokenBytes.
pat_token* PlaceToken(const Token& token, void* at);

/// Likewise a page.
std::size_t PageBytes(const std::vector<Token>& tokens, const std::string& next);
pat_page* PlacePage(const std::vector<Token>& tokens, const std::string& next, void* at);

}  // namespace pat::capi

#endif  // CAPI_TOKEN_H_
