// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// What operators' programs ask: /healthz.
#include "context.h"
#include "json.h"

namespace hub {
namespace {

Response Health(pat::Authority& authority) {
  const bool good = authority.Health().ok();
  return JsonResponse(good ? 200 : 503, {{"status", good ? "ok" : "unavailable"}});
}

}  // namespace

void RegisterOperations(Router& router, const Context& context) {
  pat::Authority& authority = context.authority;
  router.Add({"/healthz", false, [&authority](const Request&) { return Health(authority); }, {}});
}

}  // namespace hub
