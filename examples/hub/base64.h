// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_BASE64_H_
#define HUB_BASE64_H_

#include <optional>
#include <string>
#include <string_view>

// RFC 4648: base64 with padding, base64url without, base32 without.

namespace hub {

std::string Base64(std::string_view bytes);
std::string Base64Url(std::string_view bytes);

/// Reads base64, padded or not; none if it is anything else, white space included. Its result may
/// be a secret: wipe it.
std::optional<std::string> FromBase64(std::string_view text);

/// Reads base64url without padding; none if it is anything else.
std::optional<std::string> FromBase64Url(std::string_view text);

std::string Base32(std::string_view bytes);
std::optional<std::string> FromBase32(std::string_view text);

}  // namespace hub

#endif  // HUB_BASE64_H_
