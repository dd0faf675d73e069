// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Verify over the LMDB store: tokens in random order over the whole store, so that each verify
// meets cold memory as in real life. The number is the tokens in the store; see docs/design.md for
// what to make of it. Every benchmark of an accepted token reads account, id and permissions.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pat/pat.h"

namespace {

constexpr std::int64_t kDefaultTokens = 1'000'000;
constexpr std::size_t kBatch = 10'000;
constexpr std::int64_t kTokensPerAccount = 10;

// A store with that many tokens and their texts in random order, made once a process and size.
class Population {
 public:
  static Population& Of(std::int64_t tokens) {
    static auto* const all = new std::map<std::int64_t, std::unique_ptr<Population>>;
    std::unique_ptr<Population>& one = (*all)[tokens];
    if (one == nullptr) one.reset(new Population(tokens));
    return *one;
  }
  static void RemoveAll() { std::filesystem::remove_all(Root()); }

  pat::Authority& authority() { return *authority_; }

  std::string_view Next() {
    next_ = next_ + 1 < count_ ? next_ + 1 : 0;
    return {texts_.data() + next_ * text_size_, text_size_};
  }
  // The next text with another secret and a checksum that fits.
  std::string NextWithWrongSecret() {
    pat::ParsedToken parsed;
    (void)pat::ParseTokenText(Next(), authority_->prefixes(), &parsed);
    return std::string(pat::ComposeTokenText(authority_->prefixes().front(), parsed.selector,
                                             "000000000000000000000000000")
                           .Reveal());
  }

 private:
  static std::string Root() {
    return (std::filesystem::temp_directory_path() / ("pat-bench-" + std::to_string(getpid())))
        .string();
  }

  explicit Population(std::int64_t tokens) : count_(static_cast<std::size_t>(tokens)) {
    const std::string root = Root() + "/" + std::to_string(tokens);
    std::filesystem::create_directories(root);
    pat::LmdbOptions lmdb;
    lmdb.create_if_missing = true;
    pat::AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {"dckr_pat_"};
    auto store = pat::OpenLmdbStore(root + "/store", lmdb);
    if (!store.ok()) Fail(store.status());
    auto authority =
        pat::Authority::Open(*std::move(store), pat::Keyring::File(root + "/keyring"), options);
    if (!authority.ok()) Fail(authority.status());
    authority_ = *std::move(authority);
    Fill();
  }

  void Fill() {
    std::vector<std::uint32_t> order(count_);
    for (std::size_t i = 0; i < count_; ++i) order[i] = static_cast<std::uint32_t>(i);
    std::mt19937_64 random(1);
    std::shuffle(order.begin(), order.end(), random);
    for (std::size_t done = 0; done < count_; done += kBatch) {
      std::vector<pat::IssueRequest> requests(std::min(kBatch, count_ - done));
      for (std::size_t i = 0; i < requests.size(); ++i) {
        requests[i].account = "user-" + std::to_string((done + i) / kTokensPerAccount);
        requests[i].description = "twenty characters ok";
        requests[i].scopes = {"repo:write"};
      }
      auto issued = authority_->IssueMany(requests);
      if (!issued.ok()) Fail(issued.status());
      text_size_ = issued->front().text.Reveal().size();
      texts_.resize(count_ * text_size_);
      for (std::size_t i = 0; i < issued->size(); ++i) {
        const std::string_view text = (*issued)[i].text.Reveal();
        std::copy(text.begin(), text.end(),
                  texts_.begin() + static_cast<std::ptrdiff_t>(order[done + i] * text_size_));
      }
    }
  }

  [[noreturn]] static void Fail(const absl::Status& status) {
    std::fprintf(stderr, "verify_bench: %s\n", std::string(status.message()).c_str());
    RemoveAll();
    std::exit(1);
  }

  std::size_t count_;
  std::size_t text_size_ = 0;
  std::size_t next_ = 0;
  std::string texts_;
  std::unique_ptr<pat::Authority> authority_;
};

void Accepted(benchmark::State& state) {
  Population& population = Population::Of(state.range(0));
  std::uint64_t sum = 0;
  for (auto _ : state) {
    const pat::Decision decision = population.authority().Verify(population.Next());
    const pat::Principal* who = decision.principal();
    if (who == nullptr) {
      state.SkipWithError("refused");
      break;
    }
    sum += who->token_id() + who->permissions().bits() +
           static_cast<unsigned char>(who->account().back());
  }
  benchmark::DoNotOptimize(sum);
}

void Refused(benchmark::State& state, const std::vector<std::string>& texts,
             pat::RefusalReason reason) {
  Population& population = Population::Of(state.range(0));
  std::size_t i = 0;
  for (auto _ : state) {
    const pat::Decision decision = population.authority().Verify(texts[i]);
    if (decision.refusal() == nullptr || decision.refusal()->reason() != reason) {
      state.SkipWithError("not refused as it should be");
      break;
    }
    i = i + 1 < texts.size() ? i + 1 : 0;
  }
}

void WrongSecret(benchmark::State& state) {
  Population& population = Population::Of(state.range(0));
  std::vector<std::string> texts(std::min<std::size_t>(200'000, state.range(0)));
  for (std::string& text : texts) text = population.NextWithWrongSecret();
  Refused(state, texts, pat::RefusalReason::kWrongSecret);
}

void ForgedSelector(benchmark::State& state) {
  Population& population = Population::Of(state.range(0));
  std::mt19937_64 random(2);
  std::vector<std::string> texts(1000);
  for (std::string& text : texts) {
    pat::Selector selector;
    for (unsigned char& byte : selector) byte = static_cast<unsigned char>(random());
    text = std::string(pat::ComposeTokenText(population.authority().prefixes().front(), selector,
                                             "abcdefghijklmnopqrstuvwxyz0")
                           .Reveal());
  }
  Refused(state, texts, pat::RefusalReason::kForged);
}

BENCHMARK(Accepted)->Arg(10'000)->Arg(kDefaultTokens);
BENCHMARK(WrongSecret)->Arg(kDefaultTokens);
BENCHMARK(ForgedSelector)->Arg(10'000);

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  Population::RemoveAll();
  return 0;
}
