// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "bench/population.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sstream>
#include <utility>

#include "lib/keyring_source.h"
#include "lib/seal.h"

namespace pat::bench {
namespace {

namespace fs = std::filesystem;

constexpr char kLayout[] = "libpat bench population 1\n";
constexpr std::size_t kBatch = 10'000;
constexpr std::int64_t kMostOfAKind = 5'000;  // inactive ones cost a commit each
constexpr std::int64_t kNoteEveryS = 45;      // below the minute for which a noted use counts

enum class Kind { kAccepted, kInactive, kExpired };

Kind KindOf(std::int64_t i, std::int64_t tokens) {
  const std::int64_t stride = std::max<std::int64_t>(200, tokens / kMostOfAKind);
  if (i % stride == 7) return Kind::kExpired;
  return i % stride == 11 ? Kind::kInactive : Kind::kAccepted;
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out << bytes;
  if (!out.flush()) Fail("cannot write " + path);
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Texts of one kind, in the order issued; out in random order.
class TextList {
 public:
  void Add(std::string_view text) {
    if (text.size() != Texts::kBytes) Fail("a token's text is not 64 characters");
    bytes_ += text;
  }
  std::string Shuffled() const {
    std::vector<std::uint32_t> order(bytes_.size() / Texts::kBytes);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
    std::mt19937_64 random(1);
    std::shuffle(order.begin(), order.end(), random);
    std::string out;
    out.reserve(bytes_.size());
    for (std::uint32_t i : order) out.append(bytes_, i * Texts::kBytes, Texts::kBytes);
    return out;
  }

 private:
  std::string bytes_;
};

}  // namespace

void Fail(std::string_view what) {
  std::fprintf(stderr, "bench: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

void Require(const absl::Status& status) {
  if (!status.ok()) Fail(std::string_view(status.message().data(), status.message().size()));
}

std::string BenchDirectory() {
  const char* named = std::getenv("PAT_BENCH_DIR");
  const fs::path path =
      named != nullptr ? fs::path(named) : fs::temp_directory_path() / "libpat-bench";
  fs::create_directories(path);
  fs::permissions(path, fs::perms::owner_all);
  return fs::canonical(path).string();
}

std::vector<std::int64_t> BenchSizes() {
  const char* named = std::getenv("PAT_BENCH_SIZES");
  std::istringstream words(named != nullptr ? named : "10000,1000000");
  std::vector<std::int64_t> sizes;
  for (std::string word; std::getline(words, word, ',');) sizes.push_back(std::stoll(word));
  if (sizes.empty()) Fail("PAT_BENCH_SIZES names no size");
  return sizes;
}

Population::Population(std::string directory, std::int64_t tokens)
    : directory_(std::move(directory)), tokens_(tokens) {}

Population::~Population() {
  authority_.reset();
  if (scratch_) fs::remove_all(directory_);
}

Population& Population::Of(std::int64_t tokens) {
  static auto* const all = new std::map<std::int64_t, std::unique_ptr<Population>>;
  std::unique_ptr<Population>& one = (*all)[tokens];
  if (one != nullptr) return *one;
  one.reset(new Population(BenchDirectory() + "/tokens-" + std::to_string(tokens), tokens));
  if (!one->Usable()) one->Make();
  return *one;
}

std::unique_ptr<Population> Population::Scratch(std::int64_t tokens) {
  const Population& kept = Of(tokens);
  std::unique_ptr<Population> copy(new Population(kept.directory_ + ".scratch", tokens));
  fs::remove_all(copy->directory_);
  fs::copy(kept.directory_, copy->directory_, fs::copy_options::recursive);
  copy->scratch_ = true;
  if (!copy->Usable()) Fail("a copied store cannot be used");
  return copy;
}

std::unique_ptr<Population> Population::At(const std::string& directory) {
  std::unique_ptr<Population> there(new Population(directory, 0));
  if (!there->Usable()) Fail("no store there");
  return there;
}

absl::Status Population::Open(bool create, const AuthorityOptions& options) {
  LmdbOptions lmdb;
  lmdb.create_if_missing = create;
  lmdb.flush_interval = absl::ZeroDuration();  // nothing behind our back
  lmdb.write_deadline = absl::Minutes(10);     // 64 callers on a slow disk are to be measured too
  auto store = OpenLmdbStore(store_directory(), lmdb);
  if (!store.ok()) return store.status();
  auto authority =
      Authority::Open(*std::move(store), Keyring::File(directory_ + "/keyring"), options);
  if (authority.ok()) authority_ = *std::move(authority);
  return authority.status();
}

// Opens what is there, if it is whole and of the formats of today.
bool Population::Usable() {
  if (ReadFile(directory_ + "/whole") != kLayout) return false;
  if (!Open(false, {}).ok()) return false;
  const auto keyring = KeyringSource::Parse(ReadFile(directory_ + "/keyring"));
  Require(keyring.status());
  auto keys = KeySet::Derive(*keyring);
  Require(keys.status());
  keys_ = std::make_unique<KeySet>(*std::move(keys));
  accepted_ = std::make_unique<MappedFile>(directory_ + "/accepted");
  inactive_ = std::make_unique<MappedFile>(directory_ + "/inactive");
  expired_ = std::make_unique<MappedFile>(directory_ + "/expired");
  if (authority_->Verify(accepted()[0]).principal() != nullptr) return true;
  authority_.reset();
  return false;
}

void Population::Make() {
  std::fprintf(stderr, "bench: making a store of %lld tokens\n", static_cast<long long>(tokens_));
  fs::remove_all(directory_);
  fs::create_directories(directory_);
  AuthorityOptions options;
  options.create_if_missing = true;
  options.prefixes = {"dckr_pat_"};
  // Issued two days ago, so that those meant to be expired are.
  const absl::Time then = absl::Now() - absl::Hours(48);
  options.clock = [then] { return then; };
  Require(Open(true, options));
  std::map<Kind, TextList> texts;
  for (std::int64_t done = 0; done < tokens_; done += kBatch) {
    std::vector<IssueRequest> requests(
        std::min<std::size_t>(kBatch, static_cast<std::size_t>(tokens_ - done)));
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto n = done + static_cast<std::int64_t>(i);
      requests[i].account = "user-" + std::to_string(n / kTokensPerAccount);
      requests[i].description = "twenty characters ok";
      requests[i].scopes = {"repo:write"};
      if (KindOf(n, tokens_) == Kind::kExpired) requests[i].expires_at = then + absl::Hours(1);
    }
    auto issued = authority_->IssueMany(requests);
    Require(issued.status());
    for (std::size_t i = 0; i < issued->size(); ++i) {
      const Kind kind = KindOf(done + static_cast<std::int64_t>(i), tokens_);
      texts[kind].Add((*issued)[i].text.Reveal());
      if (kind == Kind::kInactive) Require(authority_->Deactivate((*issued)[i].token.id));
    }
  }
  WriteFile(directory_ + "/accepted", texts[Kind::kAccepted].Shuffled());
  WriteFile(directory_ + "/inactive", texts[Kind::kInactive].Shuffled());
  WriteFile(directory_ + "/expired", texts[Kind::kExpired].Shuffled());
  authority_.reset();
  WriteFile(directory_ + "/whole", kLayout);
  if (!Usable()) Fail("a store just made cannot be used");
}

std::uint64_t Population::IdOf(std::string_view text) const {
  ParsedToken parsed;
  if (ParseTokenText(text, authority_->prefixes(), &parsed) != ParseResult::kOk) Fail("no token");
  return IdOfSelector(*keys_, parsed.selector);
}

std::vector<std::uint64_t> Population::IdsOf(Texts texts, std::size_t most) const {
  std::vector<std::uint64_t> ids(std::min(most, texts.size()));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = IdOf(texts[i]);
  return ids;
}

std::string Population::RecordsFile() {
  const std::string path = directory_ + "/records";
  if (!fs::exists(path)) WriteRecords(path);
  return path;
}

void Population::WriteRecords(const std::string& path) {
  auto store = OpenLmdbStore(store_directory());  // beside the authority's: one environment
  Require(store.status());
  std::string bytes;
  for (std::uint64_t first = 1;;) {
    auto rows = (*store)->Scan(first, kBatch);
    Require(rows.status());
    if (rows->empty()) break;
    for (const TokenRow& row : *rows) {
      bytes.resize((row.id + 1) * sizeof row.record);
      std::copy(row.record.bytes.begin(), row.record.bytes.end(), bytes.end() - sizeof row.record);
    }
    first = rows->back().id + 1;
  }
  WriteFile(path, bytes);
}

void Population::NoteUses() {
  const std::int64_t now = std::time(nullptr);
  if (now - noted_at_s_ < kNoteEveryS) return;
  const Texts texts = accepted();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (authority_->Verify(texts[i]).principal() == nullptr) Fail("a good token is refused");
  }
  noted_at_s_ = now;
}

bool Population::Settle(Pages pages) {
  const std::string records = RecordsFile();
  const bool settled = UsePages(data_file(), pages) && UsePages(records, pages);
  const bool locked = LockInMemory(data_file()) && LockInMemory(records) &&
                      LockInMemory(store_directory() + "/lastuse.map");
  return settled && locked;
}

}  // namespace pat::bench
