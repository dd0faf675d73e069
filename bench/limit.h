// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_LIMIT_H_
#define PAT_BENCH_LIMIT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/mapped_file.h"
#include "lib/crypto.h"
#include "lib/key_set.h"
#include "pat/base62.h"

namespace pat::bench {

/// What a decision tells: who, and with what rights. An id of 0: refused.
struct Answer {
  std::uint64_t id = 0;
  std::uint64_t permissions = 0;
  std::string_view account;
};

/// The limit that libpat is measured against: the same token text, selector, seal and 48-byte
/// records, but in one flat array mapped from a file, without tree, transaction, checksum, claim,
/// rotation of keys or last use. Built of the same primitives; the order hides what it can in the
/// shadow of the record's cache miss.
class Limit {
 public:
  static constexpr std::size_t kRecordBytes = 48;

  /// `keys` must outlive it; their newest ones count.
  Limit(const std::string& records_file, const KeySet& keys);

  Answer Verify(std::string_view text) const;

  // Its parts, each of which is measured alone.
  static bool Decode(std::string_view text, Selector* selector);
  std::uint64_t IdOf(const Selector& selector) const;
  const unsigned char* Record(std::uint64_t id) const { return records() + id * kRecordBytes; }
  static crypto::Block Digest(std::string_view text);
  crypto::Block Seal(std::uint64_t id, const crypto::Block& digest,
                     const unsigned char* record) const;
  static bool SealFits(const unsigned char* record, const crypto::Block& seal);

  std::uint64_t count() const { return file_.size() / kRecordBytes; }

 private:
  const unsigned char* records() const {
    return reinterpret_cast<const unsigned char*>(file_.data());
  }

  MappedFile file_;
  const crypto::AesKey& selector_;
  const crypto::CmacKey& seal_;
  std::uint16_t seal_number_;
};

}  // namespace pat::bench

#endif  // PAT_BENCH_LIMIT_H_
