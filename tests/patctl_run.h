// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PATCTL_RUN_H_
#define TESTS_PATCTL_RUN_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/issued_secrets.h"

/// Token texts inside `text`: an underscore and 55 letters or digits, with the word before them.
inline std::vector<std::string> TokensIn(std::string_view text) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  std::vector<std::string> tokens;
  for (std::size_t i = text.find('_'); i != std::string_view::npos; i = text.find('_', i + 1)) {
    std::size_t end = i + 1;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end - i - 1 != 55) continue;
    std::size_t begin = i;
    while (begin > 0 && (is_word(text[begin - 1]) || text[begin - 1] == '_')) --begin;
    tokens.emplace_back(text.substr(begin, end - begin));
  }
  return tokens;
}

/// What a run of a program left. Never print `out` of a run that may have issued a token.
struct Outcome {
  int status = -1;  ///< The exit status; -1 if a signal ended it.
  std::string out;
  std::string err;

  /// The output as exactly one line of JSON, strictly read.
  nlohmann::json json() const {
    EXPECT_EQ(out.find('\n'), out.size() - 1) << "not one line";
    nlohmann::json value = nlohmann::json::parse(out, nullptr, /*allow_exceptions=*/false);
    EXPECT_FALSE(value.is_discarded()) << "not JSON";
    return value.is_discarded() ? nlohmann::json::object() : value;
  }
  std::vector<nlohmann::json> json_lines() const {
    std::vector<nlohmann::json> lines;
    std::istringstream stream(out);
    for (std::string line; std::getline(stream, line);) {
      lines.push_back(nlohmann::json::parse(line, nullptr, false));
      EXPECT_FALSE(lines.back().is_discarded()) << "not JSON";
    }
    return lines;
  }
};

/// A directory of its own for each test, and the real patctl to run in it.
class PatctlTest : public ::testing::Test {
 protected:
  PatctlTest() {
    std::string name = (std::filesystem::temp_directory_path() / "patctl_test_XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    store_ = dir_ + "/store";
    keyring_ = dir_ + "/secret/keyring";
    std::filesystem::create_directory(dir_ + "/secret");
  }
  ~PatctlTest() override { std::filesystem::remove_all(dir_); }

  /// Runs patctl with just these arguments.
  Outcome Bare(const std::vector<std::string>& arguments, std::string_view input = {},
               const std::vector<std::string>& environment = {}) {
    return Execute(PAT_BIN_DIR "/patctl", arguments, input, environment);
  }

  /// Runs patctl on this test's store.
  Outcome Patctl(std::vector<std::string> arguments, std::string_view input = {}) {
    arguments.insert(arguments.begin(), {"--store", store_, "--keyring", keyring_});
    return Bare(arguments, input);
  }

  /// Likewise, with --json, which must succeed with one object.
  nlohmann::json Json(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "--json");
    const Outcome run = Patctl(arguments);
    EXPECT_EQ(run.status, 0) << run.err;
    return run.json();
  }

  void Init() { ASSERT_EQ(Patctl({"init", "--prefix", "acme_pat_"}).status, 0); }

  /// A new token of alice's, as JSON, text included.
  nlohmann::json Issue(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"issue", "--account", "alice",     "--description",
                                          "ci",    "--scope",   "repo:read", "repo:write"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Json(arguments);
  }

  int Verify(const nlohmann::json& token, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"verify"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Patctl(arguments, token["token"].get<std::string>() + "\n").status;
  }

  /// Where standard output goes.
  enum : int { kCapture = -1, kClosed = -2 };  // or a file descriptor

  /// Runs a program to its end; every token it shows is noted for the leak scan, and must not be
  /// in its standard error. Any thread.
  Outcome Execute(const std::string& program, const std::vector<std::string>& arguments,
                  std::string_view input, const std::vector<std::string>& environment,
                  int output = kCapture) {
    const std::string base = dir_ + "/run" + std::to_string(runs_.fetch_add(1));
    std::ofstream(base + ".in", std::ios::binary) << input;
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, (base + ".in").c_str(), O_RDONLY, 0);
    constexpr int kWrite = O_CREAT | O_WRONLY | O_TRUNC;
    ::posix_spawn_file_actions_addopen(&actions, 2, (base + ".err").c_str(), kWrite, 0600);
    if (output == kCapture) {
      ::posix_spawn_file_actions_addopen(&actions, 1, (base + ".out").c_str(), kWrite, 0600);
    } else if (output == kClosed) {
      ::posix_spawn_file_actions_addclose(&actions, 1);
    } else {
      ::posix_spawn_file_actions_adddup2(&actions, output, 1);
    }
    Outcome run;
    run.status = Spawn(program, arguments, environment, &actions);
    ::posix_spawn_file_actions_destroy(&actions);
    run.err = Read(base + ".err");
    EXPECT_TRUE(TokensIn(run.err).empty()) << "a token on standard error";
    run.out = Read(base + ".out");
    for (const std::string& token : TokensIn(run.out)) RecordIssuedSecret(token);
    for (const char* end : {".in", ".out", ".err"}) std::filesystem::remove(base + end);
    return run;
  }

  /// Notes the keys of a keyring, the long hexadecimal words in it.
  static void RecordKeys(const std::string& keyring) {
    std::istringstream words(keyring);
    for (std::string word; words >> word;) {
      if (word.size() >= 64) RecordIssuedSecret(word);
    }
  }

  static std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

  std::string dir_;
  std::string store_;
  std::string keyring_;

 private:
  std::atomic<int> runs_{0};

  static int Spawn(const std::string& program, const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment,
                   const posix_spawn_file_actions_t* actions) {
    std::vector<std::string> words = {program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables = environment;
    for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "PATH"}) {
      if (const char* value = std::getenv(name)) {
        variables.push_back(std::string(name) + "=" + value);
      }
    }
    const auto pointers = [](std::vector<std::string>& strings) {
      std::vector<char*> list;
      for (std::string& string : strings) list.push_back(string.data());
      list.push_back(nullptr);
      return list;
    };
    pid_t child = 0;
    if (::posix_spawn(&child, program.c_str(), actions, nullptr, pointers(words).data(),
                      pointers(variables).data()) != 0) {
      ADD_FAILURE() << "cannot run " << program;
      return -1;
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
};

// ---- Reading what patctl wrote

/// Whether `value` is a time in the form the tool writes.
inline bool IsTime(const nlohmann::json& value) {
  const std::regex form(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)");
  return value.is_string() && std::regex_match(value.get<std::string>(), form);
}

inline std::string Id(const nlohmann::json& token) { return token["id"].get<std::string>(); }

/// `token` without its secret, so that it can be compared and printed.
inline nlohmann::json Public(nlohmann::json token) {
  token.erase("token");
  return token;
}

inline std::set<std::string> Keys(const nlohmann::json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

#endif  // TESTS_PATCTL_RUN_H_
