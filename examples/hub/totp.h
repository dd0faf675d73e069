// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_TOTP_H_
#define HUB_TOTP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

// Time-based one-time passwords (RFC 6238) as authenticator apps make them: HMAC-SHA-1, steps of
// 30 seconds, 6 digits.

namespace hub {

/// A new key: 20 random bytes; none if the random number generator fails.
std::optional<std::string> NewTotpKey();

/// The code of a step; step = Unix time / 30.
std::string TotpCode(std::string_view key, std::int64_t step);

/// The step whose code `code` is, if it is that of `now`, the one before or the one after and later
/// than `last_used_step`; else none. Keep the step: a code is good once.
std::optional<std::int64_t> MatchTotp(std::string_view key, std::string_view code, absl::Time now,
                                      std::int64_t last_used_step = 0);

/// What an authenticator app reads, as a QR code mostly: otpauth://totp/...
std::string TotpUri(std::string_view key, std::string_view user, std::string_view issuer);

}  // namespace hub

#endif  // HUB_TOTP_H_
