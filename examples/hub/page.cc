// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "context.h"

namespace hub {

void RegisterPage(Router& /*router*/, const Context& /*context*/) {}

}  // namespace hub
