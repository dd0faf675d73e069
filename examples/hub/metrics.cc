// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "metrics.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "text.h"

namespace hub {
namespace {

/// A histogram's upper bounds, and as Prometheus wants them: in seconds.
struct Bound {
  std::int64_t ns;
  std::string_view seconds;
};
constexpr Bound kBounds[] = {
    {250, "2.5e-07"},    {500, "5e-07"},       {1'000, "1e-06"},     {2'500, "2.5e-06"},
    {5'000, "5e-06"},    {10'000, "1e-05"},    {25'000, "2.5e-05"},  {50'000, "5e-05"},
    {100'000, "0.0001"}, {1'000'000, "0.001"}, {10'000'000, "0.01"}, {100'000'000, "0.1"},
};

constexpr std::string_view kReasonNames[] = {
    "not_token",
    "bad_checksum",
    "forged",
    "unknown_token",
    "wrong_secret",
    "deleted",
    "expired",
    "inactive",
    "wrong_account",
    "unknown_account",
    "missing_permission",
    "wrong_password",
    "password_refused",
    "unavailable",
    "throttled",
    "wrong_code",
    "other",
};

/// A metric's two lines before its values.
std::string Head(std::string_view name, std::string_view type, std::string_view help) {
  return Cat({"# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n"});
}

std::string Value(std::string_view name, std::string_view labels, std::uint64_t value) {
  return Cat({name, labels, " ", std::to_string(value), "\n"});
}

std::string Label(std::string_view name, std::string_view value) {
  return Cat({"{", name, "=\"", value, "\"}"});
}

/// A metric of one value.
std::string Single(std::string_view name, std::string_view type, std::string_view help,
                   std::uint64_t value) {
  return Head(name, type, help) + Value(name, "", value);
}

std::uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void Add(std::atomic<std::uint64_t>& counter, std::uint64_t n = 1) {
  counter.fetch_add(n, std::memory_order_relaxed);
}

}  // namespace

void Metrics::Verified(absl::Duration took) {
  static_assert(std::size(kBounds) == kBuckets);
  const std::int64_t ns = absl::ToInt64Nanoseconds(took);
  std::size_t bucket = 0;
  while (bucket < kBuckets && ns > kBounds[bucket].ns) ++bucket;
  Add(verify_buckets_[bucket]);
  Add(verify_ns_, static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)));
}

void Metrics::Accepted(pat::Principal::Method method) {
  Add(accepted_[method == pat::Principal::Method::kToken ? 0 : 1]);
}

void Metrics::Refused(std::string_view reason) {
  static_assert(std::size(kReasonNames) == kReasons);
  const auto* const found = std::find(std::begin(kReasonNames), std::end(kReasonNames), reason);
  const auto at = static_cast<std::size_t>(found - std::begin(kReasonNames));
  Add(refused_[std::min(at, kReasons - 1)]);
}

void Metrics::Issued(pat::Origin origin, std::size_t evicted) {
  Add(issued_[origin == pat::Origin::kManual ? 0 : 1]);
  Add(evicted_, evicted);
}

void Metrics::Answered(int status) {
  Add(answered_[static_cast<std::size_t>(status / 100) % answered_.size()]);
}

std::string Metrics::Histogram() const {
  constexpr std::string_view kName = "hub_token_verify_duration_seconds";
  std::string text = Head(kName, "histogram", "How long libpat took to judge a token.");
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i <= kBuckets; ++i) {
    sum += verify_buckets_[i];
    const std::string_view bound = i < kBuckets ? kBounds[i].seconds : "+Inf";
    text += Value(Cat({kName, "_bucket"}), Label("le", bound), sum);
  }
  const std::string seconds = std::to_string(static_cast<double>(verify_ns_) / 1e9);
  return text + Cat({kName, "_sum ", seconds, "\n"}) + Value(Cat({kName, "_count"}), "", sum);
}

std::string Metrics::Text(const Gauges& gauges) const {
  std::string text = Histogram();
  text += Head("hub_sign_ins_accepted_total", "counter", "Good credentials, by what they were.");
  text += Value("hub_sign_ins_accepted_total", Label("method", "token"), accepted_[0]);
  text += Value("hub_sign_ins_accepted_total", Label("method", "password"), accepted_[1]);
  text += Head("hub_sign_ins_refused_total", "counter", "Refused credentials, by reason.");
  for (std::size_t i = 0; i < kReasons; ++i) {
    text += Value("hub_sign_ins_refused_total", Label("reason", kReasonNames[i]), refused_[i]);
  }
  text += Head("hub_tokens_issued_total", "counter", "New tokens, by origin.");
  text += Value("hub_tokens_issued_total", Label("origin", "manual"), issued_[0]);
  text += Value("hub_tokens_issued_total", Label("origin", "auto"), issued_[1]);
  text += Single("hub_tokens_evicted_total", "counter",
                 "Auto-generated tokens that made room for newer ones.", evicted_);
  text += Head("hub_tokens", "gauge", "Tokens of the users' accounts now, but for expired ones.");
  text += Value("hub_tokens", Label("state", "active"), gauges.active);
  text += Value("hub_tokens", Label("state", "inactive"), gauges.inactive);
  text += Head("hub_http_responses_total", "counter", "Answers, by the status's first digit.");
  for (std::size_t i = 2; i < answered_.size(); ++i) {
    text +=
        Value("hub_http_responses_total", Label("code", std::to_string(i) + "xx"), answered_[i]);
  }
  text += Single("hub_store_healthy", "gauge", "1 if tokens can be verified now.",
                 gauges.healthy ? 1 : 0);
  text += Single("hub_store_bytes", "gauge", "What the store takes on disk.", gauges.store_bytes);
  text += Single("hub_uses_dropped_total", "counter",
                 "Places of use that could not be kept; their times were.", gauges.uses_dropped);
  text += Single("process_resident_memory_bytes", "gauge", "Resident memory.", ResidentBytes());
  return text;
}

}  // namespace hub
