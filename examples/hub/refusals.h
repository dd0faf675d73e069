// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_REFUSALS_H_
#define HUB_REFUSALS_H_

#include <string>
#include <string_view>

#include "request.h"
#include "sign_in.h"

// The answers to who may not come in. One sentence for all of them; docker login prints `details`.

namespace hub {

/// 401 with a Basic challenge: nobody was named, or not in a way that can be accepted.
Response Unauthorized(std::string_view realm, std::string_view reason);

/// The answer to a refused sign-in: 429 if it must wait, 503 if the store cannot be read, else 401.
Response Refused(const SignInResult& result, std::string_view realm);

/// A wait in whole seconds, for Retry-After: at least 1.
std::string WholeSeconds(absl::Duration wait);

/// An error of the request itself: 400, 404, 405, 413, ...
Response Mistake(int status, std::string_view details);

}  // namespace hub

#endif  // HUB_REFUSALS_H_
