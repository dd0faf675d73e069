// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_CALLER_H_
#define HUB_CALLER_H_

#include <variant>

#include "context.h"
#include "request.h"
#include "users.h"

namespace hub {

/// Who calls the API to administer their account, or the answer that refuses them: 401 without a
/// good bearer, 403 for whatever came in by token (a token itself, or a bearer made from one).
/// The Authorization header alone counts: nothing is taken from the query.
std::variant<User, Response> AdminOf(const Request& request, const Context& context);

}  // namespace hub

#endif  // HUB_CALLER_H_
