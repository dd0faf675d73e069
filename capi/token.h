// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef CAPI_TOKEN_H_
#define CAPI_TOKEN_H_

#include <cstddef>
#include <cstdint>
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

/// The ids that went to make room for a new auto token.
using Evicted = std::vector<std::uint64_t>;

/// A token with everything it points to is one block of this many bytes.
std::size_t TokenBytes(const Token& token, const Evicted& evicted = {});
/// The most that TokenBytes can be.
std::size_t MostTokenBytes();

/// Writes the token to `at`, which has TokenBytes.
pat_token* PlaceToken(const Token& token, void* at, const Evicted& evicted = {});

/// Likewise a page; `evicted`: of each token, or empty.
std::size_t PageBytes(const std::vector<Token>& tokens, const std::string& next,
                      const std::vector<Evicted>& evicted = {});
pat_page* PlacePage(const std::vector<Token>& tokens, const std::string& next, void* at,
                    const std::vector<Evicted>& evicted = {});

}  // namespace pat::capi

#endif  // CAPI_TOKEN_H_
