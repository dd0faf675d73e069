// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PROCESS_OPERATIONS_H_
#define TESTS_PROCESS_OPERATIONS_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

/// Draws what to tell a clerk (clerk.h) next, from a seed: every operation there is, good ones and
/// ones that must be refused, on few accounts and on tokens that mostly are new. A text stands as
/// "$N" for the text of the N-th known token, "$Nw" for the same with another secret, "$Nc" with
/// another checksum, "$NsM" for the selector of one with the secret of the other.
class Operations {
 public:
  using Fields = std::vector<std::string>;

  explicit Operations(std::uint64_t seed) : random_(seed) {}

  /// Besides a clerk's verbs: "advance SECONDS" (the clock), "reopen a|b|both", "restart" (the
  /// other process).
  Fields Next(std::int64_t now_unix_s);

  /// What became of it.
  void Learn(const Fields& told, const Fields& answer);

  /// Everything that can be looked at: asked of one clerk in this order, it tells the whole state.
  std::vector<Fields> Everything() const;

  /// A number below `below`.
  std::size_t Draw(std::size_t below) { return random_() % below; }

  struct Token {
    std::uint64_t id;
    std::size_t text;  ///< "$N"
  };
  std::size_t texts() const { return texts_; }
  std::size_t tokens() const { return tokens_.size(); }

 private:
  bool OneIn(std::size_t n) { return Draw(n) == 0; }
  std::string Account();
  std::string SomeToken();
  std::string SomeText();
  std::string Owner();
  std::string Scopes();
  std::string Description();
  Fields Request(std::int64_t now_unix_s);
  Fields Look(std::int64_t now_unix_s);
  Fields Present();
  Fields Change(std::int64_t now_unix_s);
  Fields Maintain(std::int64_t now_unix_s);

  std::mt19937_64 random_;
  std::vector<Token> tokens_;  // known and, as far as is known, not purged
  std::size_t texts_ = 0;
  std::size_t newest_key_[2] = {1, 1};  // selector, seal
};

#endif  // TESTS_PROCESS_OPERATIONS_H_
