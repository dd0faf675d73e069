// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "bench/limit_parts.h"

#include <benchmark/benchmark.h>

#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#include "absl/numeric/int128.h"
#include "bench/measure.h"

namespace pat::bench {
namespace {

std::uint64_t FirstEight(const unsigned char* bytes) {
  std::uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// A record's number that depends on `value` in all its bits.
std::uint64_t Scatter(std::uint64_t value, std::uint64_t count) {
  return absl::Uint128High64(absl::uint128(value * 0x9E3779B97F4A7C15U) * count);
}

void Physical(benchmark::State& state, const Limit& limit) {
  unsigned char input[49] = {};
  std::uint64_t chain = 1;
  Measure(state, limit.count(), [&](std::size_t) {
    std::memcpy(input, &chain, sizeof chain);
    const crypto::Block digest =
        crypto::Sha256Half({reinterpret_cast<const char*>(input), sizeof input});
    const std::uint64_t at = Scatter(FirstEight(digest.data()), limit.count());
    chain = FirstEight(limit.Record(at)) ^ FirstEight(digest.data());
    chain += static_cast<std::uint64_t>(std::time(nullptr));
    return chain | 1U;
  });
}

// A record at random, both of its lines if it straddles two; each waits for the one before.
void Miss(benchmark::State& state, const Limit& limit) {
  std::uint64_t chain = 1;
  std::uint64_t step = 0;
  Measure(state, limit.count(), [&](std::size_t) {
    const unsigned char* record = limit.Record(Scatter(chain + ++step, limit.count()));
    chain = FirstEight(record) ^ FirstEight(record + Limit::kRecordBytes - 8);
    return chain | 1U;
  });
}

void Decode(benchmark::State& state, Texts texts) {
  Measure(state, texts.size(), [&](std::size_t i) -> std::uint64_t {
    Selector selector;
    return Limit::Decode(texts[i], &selector) ? FirstEight(selector.data()) | 1U : 0;
  });
}

// The block ciphers and the hash wait each for the one before, as they do in a verify.
void Cipher(benchmark::State& state, const Limit& limit) {
  Selector selector{};
  Measure(state, limit.count(), [&](std::size_t i) {
    selector[0] = static_cast<unsigned char>(limit.IdOf(selector) + i);
    return std::uint64_t{1};
  });
}

void Digest(benchmark::State& state) {
  char text[Texts::kBytes] = {};
  Measure(state, 1000, [&](std::size_t) {
    const crypto::Block digest = Limit::Digest({text, sizeof text});
    std::memcpy(text + 9, digest.data(), digest.size());
    return FirstEight(digest.data()) | 1U;
  });
}

void Seal(benchmark::State& state, const Limit& limit) {
  crypto::Block seal{};
  const unsigned char record[Limit::kRecordBytes] = {};
  Measure(state, 1000, [&](std::size_t i) {
    seal = limit.Seal(i, seal, record);
    return FirstEight(seal.data()) | 1U;
  });
}

void Compare(benchmark::State& state) {
  crypto::Block seal{};
  unsigned char record[Limit::kRecordBytes] = {};
  Measure(state, 1000, [&](std::size_t) {
    record[0] = seal[0] = static_cast<unsigned char>(seal[0] + Limit::SealFits(record, seal));
    return std::uint64_t{1};
  });
}

void Clock(benchmark::State& state) {
  Measure(state, 1000, [](std::size_t) { return static_cast<std::uint64_t>(std::time(nullptr)); });
}

}  // namespace

void RegisterPhysical(const Limit& limit, std::int64_t tokens) {
  benchmark::RegisterBenchmark(NameOf("physical", tokens).c_str(), [&limit](auto& state) {
    Physical(state, limit);
  })->UseRealTime();
}

void RegisterLimitParts(const Limit& limit, Texts texts) {
  const auto add = [](const char* name, auto function) {
    benchmark::RegisterBenchmark((std::string("part/") + name).c_str(), function)->UseRealTime();
  };
  add("decode", [texts](auto& state) { Decode(state, texts); });
  add("selector_aes", [&limit](auto& state) { Cipher(state, limit); });
  add("miss", [&limit](auto& state) { Miss(state, limit); });
  add("sha256", [](auto& state) { Digest(state); });
  add("cmac", [&limit](auto& state) { Seal(state, limit); });
  add("compare", [](auto& state) { Compare(state); });
  add("clock", [](auto& state) { Clock(state); });
}

}  // namespace pat::bench
