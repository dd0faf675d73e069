// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// What `patctl doctor` looks at within a store. All of it runs in a child process.
#include "examine.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/time/clock.h"
#include "commands.h"
#include "pat/authority.h"
#include "pat/lmdb_store.h"
#include "text.h"

namespace patctl {
namespace {

constexpr std::size_t kTokensAtOnce = 1000;
constexpr std::size_t kMostFindings = 1000;
constexpr rlim_t kMostSeconds = 3600;

std::string Number(std::uint64_t number) { return std::to_string(number); }

// What is known of an account after a look at all tokens.
struct Tally {
  std::uint64_t active = 0;
  std::uint64_t inactive = 0;
};

class Examination {
 public:
  explicit Examination(const Location& location) : location_(location) {}

  Findings Run() {
    if (Open()) {
      LookAtTokens();
      LookAtAccounts();
      LookAtStore();
    }
    return std::move(findings_);
  }

 private:
  bool Open() {
    pat::LmdbOptions lmdb;
    lmdb.flush_interval = absl::ZeroDuration();
    absl::StatusOr<std::unique_ptr<pat::Store>> store = pat::OpenLmdbStore(location_.store, lmdb);
    if (!store.ok()) return Refused("structure", store.status());
    absl::StatusOr<std::unique_ptr<pat::Store>> rows = pat::OpenLmdbStore(location_.store, lmdb);
    if (!rows.ok()) return Refused("structure", rows.status());
    rows_ = *std::move(rows);
    pat::AuthorityOptions options;
    options.scopes = pat::ScopeSet();
    auto authority =
        pat::Authority::Open(*std::move(store), pat::Keyring::File(location_.keyring), options);
    if (!authority.ok()) return Refused("keyring", authority.status());
    authority_ = *std::move(authority);
    return true;
  }

  bool Refused(const char* check, const absl::Status& status) {
    findings_.Problem(check, std::string(status.message()));
    return false;
  }

  void LookAtTokens() {
    std::uint64_t last = 0;
    for (;;) {
      const auto page = rows_->Scan(last + 1, kTokensAtOnce);
      if (!page.ok()) {
        Refused("structure", page.status());
        return;
      }
      for (const pat::TokenRow& row : *page) LookAtToken(row.id);
      if (page->size() < kTokensAtOnce) break;
      last = page->back().id;
    }
    const auto stats = rows_->Stats();
    if (!stats.ok()) {
      Refused("structure", stats.status());
    } else if (last_ >= stats->next_token_id) {
      findings_.Problem("numbers",
                        Cat({"token ", Number(last_), " has a number not given out yet: ",
                             Number(stats->next_token_id), " is next"}));
    }
  }

  void LookAtToken(std::uint64_t id) {
    last_ = std::max(last_, id);
    ++findings_.tokens;
    const auto token = authority_->Get(id);
    if (!token.ok()) {
      Refused("structure",
              absl::Status(token.status().code(), Cat({"token ", Number(id), ": ",
                                                       std::string(token.status().message())})));
    } else if (token->damaged) {
      findings_.Problem("seals", Cat({"token ", Number(id),
                                      " does not fit its seal, or other rows of it are damaged or "
                                      "lost: it is refused; delete it"}));
    } else {
      Tally& tally = tallies_[token->account];
      tally.active += token->state == pat::State::kActive ? 1 : 0;
      tally.inactive += token->state == pat::State::kInactive ? 1 : 0;
    }
  }

  void LookAtAccounts() {
    findings_.accounts = tallies_.size();
    for (const auto& [account, tally] : tallies_) {
      const std::string name = Cat({"account ", Escaped(account)});
      const auto counts = authority_->Count(account);
      if (!counts.ok()) {
        Refused("accounts",
                absl::Status(counts.status().code(),
                             Cat({name, ": ", std::string(counts.status().message())})));
        continue;
      }
      if (counts->active != tally.active || counts->inactive != tally.inactive) {
        findings_.Problem("counts", Cat({name, " counts ", Number(counts->active), " active and ",
                                         Number(counts->inactive), " inactive tokens, but has ",
                                         Number(tally.active), " and ", Number(tally.inactive)}));
      }
      LookAtList(account, name, tally);
    }
  }

  // Tokens that are there must be listed too.
  void LookAtList(const std::string& account, const std::string& name, const Tally& tally) {
    pat::ListOptions options;
    options.limit = 1000;
    Tally listed;
    do {
      const auto page = authority_->List(account, options);
      if (!page.ok()) {
        Refused("accounts", page.status());
        return;
      }
      for (const pat::Token& token : page->tokens) {
        listed.active += !token.damaged && token.state == pat::State::kActive ? 1 : 0;
        listed.inactive += !token.damaged && token.state == pat::State::kInactive ? 1 : 0;
      }
      options.after = page->next;
    } while (!options.after.empty());
    if (listed.active != tally.active || listed.inactive != tally.inactive) {
      findings_.Problem("lists", Cat({name, " has tokens that its list does not show"}));
    }
  }

  void LookAtStore() {
    if (const absl::Status status = authority_->Health(); !status.ok()) Refused("health", status);
    const auto stats = rows_->Stats();
    if (!stats.ok()) return;
    if (stats->most_readers > 0 && stats->readers * 10 > stats->most_readers * 9) {
      findings_.Warning("readers", Cat({Number(stats->readers), " of ", Number(stats->most_readers),
                                        " reader slots were taken at once"}));
    }
  }

  const Location& location_;
  Findings findings_;
  std::unique_ptr<pat::Store> rows_;  // the rows as they are; the same store as the authority's
  std::unique_ptr<pat::Authority> authority_;
  std::map<std::string, Tally> tallies_;
  std::uint64_t last_ = 0;
};

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string ReadAll(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

// One finding a line, its texts free of control characters; "end" last.
std::string Report(const Findings& findings) {
  std::string text =
      Cat({"counts\t", Number(findings.tokens), "\t", Number(findings.accounts), "\n"});
  for (std::size_t i = 0; i < std::min(findings.all.size(), kMostFindings); ++i) {
    const Finding& finding = findings.all[i];
    text += Cat({finding.problem ? "problem\t" : "warning\t", finding.check, "\t",
                 Escaped(finding.what), "\n"});
  }
  if (findings.all.size() > kMostFindings) {
    text += Cat({"problem\tmore\t", Number(findings.all.size() - kMostFindings), " more\n"});
  }
  return text + "end\n";
}

bool Adopt(std::string_view report, Findings* findings) {
  while (!report.empty()) {
    const std::string_view line = report.substr(0, report.find('\n'));
    if (line.size() == report.size()) return false;
    report.remove_prefix(line.size() + 1);
    if (line == "end") return report.empty();
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    if (second == std::string_view::npos) return false;
    const std::string_view kind = line.substr(0, first);
    const std::string check(line.substr(first + 1, second - first - 1));
    const std::string what(line.substr(second + 1));
    if (kind == "counts") {
      findings->tokens = ParseNumber(check).value_or(0);
      findings->accounts = ParseNumber(what).value_or(0);
    } else {
      findings->all.push_back({kind == "problem", check, what});
    }
  }
  return false;
}

[[noreturn]] void BeTheChild(const Location& location, int out) {
  const rlimit no_core{0, 0};  // a core would hold keys
  const rlimit time{kMostSeconds, kMostSeconds};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0 || ::setrlimit(RLIMIT_CPU, &time) != 0) ::_exit(3);
  WriteAll(out, Report(Examination(location).Run()));
  ::_exit(0);
}

}  // namespace

std::size_t Findings::problems() const {
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [](const Finding& f) { return f.problem; }));
}

absl::Status ExamineStore(const Location& location, Findings* findings) {
  int ends[2];
  if (::pipe(ends) != 0) return absl::UnavailableError("cannot make a pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    BeTheChild(location, ends[1]);
  }
  ::close(ends[1]);
  const std::string report = child < 0 ? std::string() : ReadAll(ends[0]);
  ::close(ends[0]);
  if (child < 0) return absl::UnavailableError("cannot start a child process");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    findings->Problem(
        "structure",
        Cat({"reading the store ended the process that did it (", ::strsignal(WTERMSIG(status)),
             "): data.mdb is damaged or made to do harm; restore a backup"}));
  } else if (!Adopt(report, findings)) {
    return absl::UnavailableError("the child process that reads the store failed");
  }
  return absl::OkStatus();
}

}  // namespace patctl
