// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// What operators' programs ask: /healthz and /metrics.
#include <memory>
#include <mutex>
#include <string>

#include "address.h"
#include "context.h"
#include "json.h"
#include "refusals.h"
#include "text.h"

namespace hub {
namespace {

Response Health(pat::Authority& authority) {
  const bool good = authority.Health().ok();
  return JsonResponse(good ? 200 : 503, {{"status", good ? "ok" : "unavailable"}});
}

/// The numbers of tokens, from the accounts' own counts. With very many accounts that takes a
/// while, so then it is done now and then only: a hundredth of a processor at most.
class TokenCounts {
 public:
  explicit TokenCounts(const Context& context) : context_(context) {}

  void AddTo(Metrics::Gauges* gauges) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const absl::Time begun = absl::Now();
    if (begun >= good_until_) {
      Count();
      const absl::Duration took = absl::Now() - begun;
      good_until_ = took < kShort ? begun : begun + 100 * took;
    }
    gauges->active = counts_.active;
    gauges->inactive = counts_.inactive;
  }

 private:
  static constexpr absl::Duration kShort = absl::Milliseconds(20);

  void Count() {
    const auto accounts = context_.accounts.All();
    if (!accounts.ok()) return;
    counts_ = {};
    for (const std::string& account : *accounts) {
      const absl::StatusOr<pat::Counts> counts = context_.authority.Count(account);
      if (!counts.ok()) continue;  // damaged: /healthz and the log tell
      counts_.active += counts->active;
      counts_.inactive += counts->inactive;
    }
  }

  const Context context_;
  std::mutex mutex_;
  absl::Time good_until_ = absl::InfinitePast();
  pat::Counts counts_;
};

/// Whether the request comes from this machine itself, or from where the operator said: others need
/// not know how many tokens there are. What a proxy passed on does not.
bool MayRead(const Request& request, const Settings& settings) {
  for (const std::string& ip : settings.metrics_from) {
    if (request.ip == ip) return true;
  }
  const bool passed_on =
      request.CountHeader("X-Forwarded-For") + request.CountHeader("Forwarded") != 0;
  return !passed_on && IsLoopback(request.ip);
}

Response MetricsPage(const Request& request, const Context& context, TokenCounts& counts) {
  if (!MayRead(request, context.settings)) return Mistake(404, "not found");
  Metrics::Gauges gauges;
  counts.AddTo(&gauges);
  gauges.healthy = context.authority.Health().ok();
  if (const absl::StatusOr<pat::StoreStats> stats = context.authority.Stats(); stats.ok()) {
    gauges.store_bytes = stats->bytes;
    gauges.uses_dropped = stats->uses_dropped;
  }
  Response response;
  response.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"},
                      {"Cache-Control", "no-store"}};
  response.body = context.metrics.Text(gauges);
  return response;
}

}  // namespace

void RegisterOperations(Router& router, const Context& context) {
  pat::Authority& authority = context.authority;
  router.Add({"/healthz", false, [&authority](const Request&) { return Health(authority); }, {}});
  const auto counts = std::make_shared<TokenCounts>(context);
  router.Add(
      {"/metrics", false,
       [context, counts](const Request& request) { return MetricsPage(request, context, *counts); },
       [](const Request&) { return true; }});
}

}  // namespace hub
