// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_CODEC_H_
#define PAT_LIB_CODEC_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/key_set.h"
#include "lib/seal.h"
#include "pat/scope.h"
#include "pat/token.h"

// Values of rows to bytes and back. Decoders take any bytes and give none for what is not a value.

namespace pat {

/// The live keys of a kind, by number: 1 to 8, less than 8 apart. The lowest is the limit below
/// which nothing is accepted; the highest is the one in use.
struct HeaderKey {
  crypto::Block check{};  ///< See KeyCheck.
  std::uint32_t created_unix_s = 0;

  friend bool operator==(const HeaderKey& a, const HeaderKey& b) {
    return a.check == b.check && a.created_unix_s == b.created_unix_s;
  }
};
using HeaderKeys = std::map<std::uint16_t, HeaderKey>;

/// The store about itself.
struct Header {
  Realm realm{};
  std::vector<std::string> prefixes;
  std::uint32_t created_unix_s = 0;
  HeaderKeys selector_keys;
  HeaderKeys seal_keys;

  HeaderKeys& keys(KeyKind kind) { return kind == KeyKind::kSelector ? selector_keys : seal_keys; }
  const HeaderKeys& keys(KeyKind kind) const {
    return kind == KeyKind::kSelector ? selector_keys : seal_keys;
  }
};

/// A token's cold part.
struct Metadata {
  std::uint16_t version = 0;
  Digest digest{};
  std::string description;
  std::vector<std::string> scopes;
  std::uint32_t created_unix_s = 0;
  std::uint32_t expires_unix_s = 0;  ///< 0: never.
  Attributes attributes;
  std::uint16_t selector_key = 0;  ///< That made its text. 0: of another realm, good for nothing.
};

/// An account: its counts hold for a moment from `expired_through_unix_s` up to, not including,
/// `earliest_expiry_unix_s`.
struct Account {
  std::string id;
  std::uint64_t version = 0;
  std::uint32_t active = 0;                           ///< Neither deleted nor expired.
  std::uint32_t inactive = 0;                         ///< Likewise.
  std::uint32_t earliest_expiry_unix_s = UINT32_MAX;  ///< Of the tokens counted.
  std::uint32_t expired_through_unix_s = 0;           ///< Latest expiry of those not.
  std::vector<std::uint64_t> auto_tokens;             ///< Ids of those not deleted.
};

std::string EncodeHeader(const Header& header);
std::optional<Header> DecodeHeader(std::string_view bytes);

std::string EncodeScopes(const ScopeSet& scopes);
std::optional<ScopeSet> DecodeScopes(std::string_view bytes);

std::string EncodeMetadata(const Metadata& metadata);
std::optional<Metadata> DecodeMetadata(std::string_view bytes);

/// A fixed layout, so that verify can read an account's id without allocating.
std::string EncodeAccount(const Account& account);
std::optional<Account> DecodeAccount(std::string_view bytes);
std::optional<std::string_view> AccountIdIn(std::string_view bytes);

}  // namespace pat

#endif  // PAT_LIB_CODEC_H_
