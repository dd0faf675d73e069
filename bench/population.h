// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_POPULATION_H_
#define PAT_BENCH_POPULATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/mapped_file.h"
#include "lib/key_set.h"
#include "pat/pat.h"

namespace pat::bench {

/// Token texts, each in a cache line of its own.
class Texts {
 public:
  static constexpr std::size_t kBytes = 64;  ///< dckr_pat_ and 55 characters.

  Texts() = default;
  Texts(const char* first, std::size_t size) : first_(first), size_(size) {}
  std::string_view operator[](std::size_t i) const { return {first_ + i * kBytes, kBytes}; }
  std::size_t size() const { return size_; }

 private:
  const char* first_ = nullptr;
  std::size_t size_ = 0;
};

/// A store of that many tokens, 20 an account, all with a 20-character description and repo:write,
/// and their texts in random order. In a directory: store/, keyring, and one file for each kind of
/// texts. Made once and kept below the directory that the environment's PAT_BENCH_DIR names.
class Population {
 public:
  static constexpr std::int64_t kTokensPerAccount = 20;

  /// The kept one of this size, opened; made if need be. Lives as long as the program.
  static Population& Of(std::int64_t tokens);

  /// A copy to write to, opened; removed with the object.
  static std::unique_ptr<Population> Scratch(std::int64_t tokens);

  /// The one in that directory, which another process may have open.
  static std::unique_ptr<Population> At(const std::string& directory);

  ~Population();
  Population(const Population&) = delete;
  Population& operator=(const Population&) = delete;

  Authority& authority() { return *authority_; }
  const KeySet& keys() const { return *keys_; }
  const std::string& directory() const { return directory_; }
  std::string store_directory() const { return directory_ + "/store"; }
  std::string data_file() const { return directory_ + "/store/data.mdb"; }
  std::int64_t tokens() const { return tokens_; }

  Texts accepted() const { return TextsOf(*accepted_); }
  Texts inactive() const { return TextsOf(*inactive_); }  ///< At most 5,000, likewise the expired.
  Texts expired() const { return TextsOf(*expired_); }

  std::uint64_t IdOf(std::string_view text) const;
  std::vector<std::uint64_t> IdsOf(Texts texts, std::size_t most) const;

  /// The file of the flat limit: the records by id, 48 bytes each. Written when first asked for.
  std::string RecordsFile();

  /// Has each accepted token verified, so that its use is noted and not again within the minute:
  /// the state that steady traffic has. Does so only if the last time is too long ago.
  void NoteUses();

  /// Reads the store, and the limit's file if that is mapped, into pages of one kind and locks both
  /// in memory. False if the system does not allow all of it.
  bool Settle(Pages pages = Pages::kHuge);

 private:
  Population(std::string directory, std::int64_t tokens);
  absl::Status Open(bool create, const AuthorityOptions& options);
  void Make();
  void WriteRecords(const std::string& path);
  bool Usable();
  static Texts TextsOf(const MappedFile& file) {
    return {file.data(), file.size() / Texts::kBytes};
  }

  std::string directory_;
  std::int64_t tokens_;
  bool scratch_ = false;
  std::int64_t noted_at_s_ = 0;
  std::unique_ptr<Authority> authority_;
  std::unique_ptr<KeySet> keys_;
  std::unique_ptr<MappedFile> accepted_;
  std::unique_ptr<MappedFile> inactive_;
  std::unique_ptr<MappedFile> expired_;
};

/// Where what is made once is kept: PAT_BENCH_DIR, or else a directory below the system's for
/// temporary files.
std::string BenchDirectory();

/// The sizes of stores to measure: PAT_BENCH_SIZES, or else "10000,1000000".
std::vector<std::int64_t> BenchSizes();

[[noreturn]] void Fail(std::string_view what);
void Require(const absl::Status& status);

}  // namespace pat::bench

#endif  // PAT_BENCH_POPULATION_H_
