// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_BATCH_H_
#define PAT_LIB_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "pat/store.h"

namespace pat {

/// Token ids are 1 to this: the selector has 48 bits for them.
inline constexpr std::uint64_t kLastTokenId = (std::uint64_t{1} << 48) - 1;

/// Most bytes of one metadata or meta row. Authority's rows have a few thousand.
inline constexpr std::size_t kMaxRowBytes = std::size_t{1} << 20;

/// Most bytes in the name of a meta row.
inline constexpr std::size_t kMaxMetaNameBytes = 64;

inline bool IsTokenId(std::uint64_t id) { return id >= 1 && id <= kLastTokenId; }

/// False for names a store keeps for itself in the table of meta rows.
bool IsMetaName(std::string_view name);

/// InvalidArgument if a row of the batch could never be right, whatever the store holds: an id out
/// of range, a value too long, an account row without bytes. Every store asks before anything else.
absl::Status ValidateBatch(const Batch& batch);

/// InvalidArgument unless a store can be asked for `n` token ids at once.
absl::Status ValidateReserve(std::uint32_t n);

/// The error of a batch that would give an account a second number, or a number to two accounts.
absl::Status AccountNumberError();

}  // namespace pat

#endif  // PAT_LIB_BATCH_H_
