// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TOKEN_H_
#define PAT_TOKEN_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "pat/lifecycle.h"
#include "pat/permission.h"

namespace pat {

/// The host's own strings kept with a token, by name (creator's IP, client id, ...). Never read by
/// verify.
using Attributes = std::map<std::string, std::string>;

inline constexpr std::size_t kMaxDescriptionCharacters = 100;
inline constexpr std::size_t kMaxAttributeBytes = 1024;  ///< Names and values together.
inline constexpr std::size_t kMaxAccountBytes = 128;

/// All that is known of a token, but the secret, which nobody can get back: views show "***".
/// A plain copy: it does not follow later changes.
struct Token {
  std::uint64_t id = 0;     ///< Never reused. For URLs use public_id, which tells no volumes.
  std::string public_id;    ///< UUID form, 36 lower-case characters; the same token for ever.
  std::string account;      ///< The host's own account id: 1..128 opaque bytes.
  std::string description;  ///< 1..100 characters of UTF-8; user text: escape it for display.
  std::vector<std::string> scopes;  ///< Names, in the order given.
  PermissionSet permissions;        ///< What the scopes granted when they were set.
  State state = State::kActive;     ///< At the time of the read.
  Origin origin = Origin::kManual;
  absl::Time created_at;                   ///< This and all times: whole seconds.
  std::optional<absl::Time> expires_at;    ///< None: never.
  std::optional<absl::Time> last_used_at;  ///< None: never used. Exact to a minute.
  std::string last_used_ip;                ///< Empty if unknown. As the host passed it.
  std::string last_used_user_agent;        ///< Likewise; at most 128 bytes.
  std::optional<absl::Time> deleted_at;
  std::optional<DeleteReason> delete_reason;
  Attributes attributes;

  /// True if the store's rows for this token do not fit their seals: somebody edited them, or the
  /// disk lost them. What is shown then is what is there, unproved. Delete it.
  bool damaged = false;
};

/// Number of characters (code points) of `text`, or none if it is not valid UTF-8 (RFC 3629).
inline std::optional<std::size_t> CountUtf8(std::string_view text) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++characters) {
    const auto lead = static_cast<unsigned char>(text[i]);
    std::size_t more = 0;
    std::uint32_t point = lead;
    std::uint32_t smallest = 0;
    if (lead >= 0xF0 && lead <= 0xF4) {
      more = 3, point = lead & 0x07U, smallest = 0x10000;
    } else if (lead >= 0xE0 && lead < 0xF0) {
      more = 2, point = lead & 0x0FU, smallest = 0x800;
    } else if (lead >= 0xC2 && lead < 0xE0) {
      more = 1, point = lead & 0x1FU, smallest = 0x80;
    } else if (lead >= 0x80) {
      return std::nullopt;
    }
    if (more >= text.size() - i) return std::nullopt;
    for (std::size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0U) != 0x80) return std::nullopt;
      point = (point << 6) | (next & 0x3FU);
    }
    if (point < smallest || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
      return std::nullopt;
    }
    i += more + 1;
  }
  return characters;
}

/// OK if `text` can describe a token: 1..100 characters of UTF-8 without NUL. Line breaks and
/// other control characters are allowed: whoever displays it must escape them.
inline absl::Status ValidateDescription(std::string_view text) {
  const std::optional<std::size_t> characters =
      text.size() > 4 * kMaxDescriptionCharacters ? text.size() : CountUtf8(text);
  if (!characters.has_value()) return absl::InvalidArgumentError("a description is UTF-8 text");
  if (*characters < 1 || *characters > kMaxDescriptionCharacters) {
    return absl::InvalidArgumentError("a description has 1 to 100 characters");
  }
  if (text.find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError("a description contains no NUL");
  }
  return absl::OkStatus();
}

/// Whether `account` can be an account id: 1..128 bytes, any bytes.
inline bool IsAccount(std::string_view account) {
  return !account.empty() && account.size() <= kMaxAccountBytes;
}

/// The same, with an error that says so.
inline absl::Status ValidateAccount(std::string_view account) {
  if (IsAccount(account)) return absl::OkStatus();
  return absl::InvalidArgumentError("an account id has 1 to 128 bytes");
}

/// OK if names (not empty) and values are UTF-8 without NUL, 1,024 bytes in all.
inline absl::Status ValidateAttributes(const Attributes& attributes) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : attributes) {
    bytes += name.size() + value.size();
    if (bytes > kMaxAttributeBytes) {
      return absl::InvalidArgumentError("attributes have at most 1024 bytes in all");
    }
    if (name.empty()) return absl::InvalidArgumentError("an attribute's name is not empty");
    for (std::string_view text : {std::string_view(name), std::string_view(value)}) {
      if (!CountUtf8(text).has_value() || text.find('\0') != std::string_view::npos) {
        return absl::InvalidArgumentError("attributes are UTF-8 text without NUL");
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace pat

#endif  // PAT_TOKEN_H_
