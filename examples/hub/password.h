// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_PASSWORD_H_
#define HUB_PASSWORD_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hub {

/// Longest password, in bytes.
inline constexpr std::size_t kMaxPasswordBytes = 1024;

/// What a password hash costs (scrypt, RFC 7914): 128 * 2^log_n * r bytes of memory, p times. The
/// default takes 32 MiB and a fifth of a second or so.
struct PasswordCost {
  unsigned log_n = 15;
  unsigned r = 8;
  unsigned p = 3;
};

/// A hash to store: `$scrypt$ln=15,r=8,p=3$salt$hash`, the last two in base64. InvalidArgument for
/// an empty or overlong password; Internal if OpenSSL fails.
absl::StatusOr<std::string> HashPassword(std::string_view password, const PasswordCost& cost = {});

/// Whether `password` is the one `hash` was made from. False for a hash that cannot be read.
bool PasswordFits(std::string_view password, std::string_view hash);

/// What checking against `hash` costs; the default if it cannot be read.
PasswordCost CostOf(std::string_view hash);

/// Whether `hash` can be read.
bool IsPasswordHash(std::string_view hash);

/// A hash that no password fits and that takes as long to check as `like`, for users who do not
/// exist; like the default if `like` cannot be read.
std::string UnfittingHash(std::string_view like);

}  // namespace hub

#endif  // HUB_PASSWORD_H_
