// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Verify over the LMDB store allocates nothing and makes no system call, whatever it decides.
// Built without sanitizers only: they allocate and call on their own account.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "pat/pat.h"
#include "tests/authority_fixture.h"
#include "tests/issued_secrets.h"

// ---- The C library's allocator, counted

namespace {
std::atomic<std::uint64_t> allocations{0};
}  // namespace

extern "C" {
void* __libc_malloc(std::size_t size);                       // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(std::size_t count, std::size_t size);    // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* old, std::size_t size);           // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(std::size_t align, std::size_t size);  // NOLINT(bugprone-reserved-identifier)
void __libc_free(void* memory);                              // NOLINT(bugprone-reserved-identifier)

void* malloc(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(old, size);
}
void* memalign(std::size_t align, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(align, size);
}
void* aligned_alloc(std::size_t align, std::size_t size) { return memalign(align, size); }
int posix_memalign(void** out, std::size_t align, std::size_t size) {
  *out = memalign(align, size);
  return *out == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  if (memory != nullptr) allocations.fetch_add(1, std::memory_order_relaxed);
  __libc_free(memory);
}
}

namespace pat {
namespace {

constexpr std::string_view kLongAccount = "account-of-more-than-16-bytes";

/// A text, how it is presented, and what must come of it.
struct Case {
  std::string text;
  std::string claim;  ///< Empty: none. "?": unknown.
  PermissionSet need;
  std::string ip;
  std::string user_agent;
  std::string outcome;  ///< Empty: accepted.

  Presented presented() const {
    Presented p;
    if (!claim.empty()) p.claim = claim == "?" ? Claim::Unknown() : Claim::Account(claim);
    p.need = need;
    p.ip = ip;
    p.user_agent = user_agent;
    return p;
  }
};

bool Holds(Authority* authority, const Case& c) {
  const Decision decision = authority->Verify(c.text, c.presented());
  return c.outcome.empty()
             ? decision.principal() != nullptr
             : decision.refusal() != nullptr && ToString(decision.refusal()->reason()) == c.outcome;
}

std::unique_ptr<Authority> Open(const std::string& folder, std::function<absl::Time()> clock = {}) {
  LmdbOptions options;
  options.create_if_missing = true;
  options.map_bytes = std::size_t{1} << 30;
  options.flush_interval = absl::ZeroDuration();
  auto store = OpenLmdbStore(folder + "/store", options);
  if (!store.ok()) return nullptr;
  AuthorityOptions authority_options;
  authority_options.create_if_missing = true;
  authority_options.prefixes = {"acme_pat_", "other_"};
  authority_options.clock = std::move(clock);
  auto authority =
      Authority::Open(*std::move(store), Keyring::File(folder + "/keyring"), authority_options);
  return authority.ok() ? *std::move(authority) : nullptr;
}

std::pair<std::uint64_t, std::string> Issue(Authority* authority, std::string_view account) {
  IssueRequest request;
  request.account = account;
  request.description = "laptop";
  request.scopes = {"repo:read"};
  request.expires_at = absl::Now() + absl::Hours(24);
  absl::StatusOr<Issued> issued = authority->Issue(request);
  EXPECT_TRUE(issued.ok()) << issued.status();
  RecordIssuedSecret(issued->text.Reveal());
  return {issued->token.id, std::string(issued->text.Reveal())};
}

// The same selector with another secret.
std::string WithAnotherSecret(const std::string& text) {
  const std::string prefixes[] = {"acme_pat_"};
  ParsedToken parsed;
  EXPECT_EQ(ParseTokenText(text, prefixes, &parsed), ParseResult::kOk);
  return std::string(ComposeTokenText("acme_pat_", parsed.selector, std::string(27, 'x')).Reveal());
}

// One of each outcome there is; those that need a clock in the future are not among them.
std::vector<Case> MakeCases(Authority* authority) {
  std::vector<Case> cases;
  const std::string agent(200, 'a');  // more than is kept
  for (const std::string_view account : {std::string_view("alice"), kLongAccount}) {
    const auto [id, text] = Issue(authority, account);
    const std::string whose(account);
    cases.push_back({text, "", {}, "", "", ""});
    cases.push_back({text, whose, {kRepoRead}, "2001:db8::1", agent, ""});
    cases.push_back({text, "bob", {}, "192.0.2.1", agent, "wrong_account"});
    cases.push_back({text, "?", {}, "192.0.2.1", agent, "unknown_account"});
    cases.push_back({text, whose, {kRepoDelete}, "192.0.2.1", agent, "missing_permission"});
    cases.push_back({WithAnotherSecret(text), "", {}, "192.0.2.1", "", "wrong_secret"});
    const auto [inactive_id, inactive] = Issue(authority, account);
    EXPECT_TRUE(authority->Deactivate(inactive_id).ok());
    cases.push_back({inactive, "", {}, "192.0.2.1", "", "inactive"});
    const auto [deleted_id, deleted] = Issue(authority, account);
    EXPECT_TRUE(authority->Delete(deleted_id).ok());
    cases.push_back({deleted, "", {}, "192.0.2.1", "", "deleted"});
    const auto [purged_id, purged] = Issue(authority, account);
    EXPECT_TRUE(authority->Delete(purged_id).ok());
    cases.push_back({purged, "", {}, "192.0.2.1", "", "unknown_token"});
  }
  const std::string& good = cases[0].text;
  std::string mistyped = good;
  mistyped.back() = mistyped.back() == '0' ? '1' : '0';
  cases.push_back({mistyped, "", {}, "", "", "bad_checksum"});
  std::string forged(
      ComposeTokenText("acme_pat_", Selector{1, 2, 3}, std::string(27, 'x')).Reveal());
  cases.push_back({forged, "alice", {}, "", "", "forged"});
  for (const std::string& other :
       {std::string(), std::string("password"), good + "\n", good.substr(1), std::string(64, '\0'),
        std::string(64, '\xFF'), std::string(1 << 16, 'x')}) {
    cases.push_back({other, "alice", {}, "192.0.2.1", agent, "not_token"});
  }
  return cases;
}

// Purges what the cases call unknown; the deleted ones were deleted after it.
std::vector<Case> PreparedCases(const std::string& folder) {
  std::int64_t now = absl::ToUnixSeconds(absl::Now());
  const auto authority = Open(folder, [&] { return absl::FromUnixSeconds(now); });
  EXPECT_NE(authority, nullptr);
  std::vector<Case> cases = MakeCases(authority.get());
  // All deletions lie in one second: purge all of them, then delete the "deleted" ones anew.
  now += 10;
  EXPECT_EQ(*authority->Purge(absl::FromUnixSeconds(now)), 4U);
  for (Case& c : cases) {
    if (c.outcome != "deleted") continue;
    const auto [id, text] = Issue(authority.get(), "alice");
    EXPECT_TRUE(authority->Delete(id).ok());
    c.text = text;
  }
  return cases;
}

// ---- Allocations

TEST(VerifyPath, AllocatesNothing) {
  const TemporaryFolder folder;
  const std::vector<Case> cases = PreparedCases(folder.path());
  // Each verify a minute after the one before: every accepted one notes a use.
  std::int64_t now = absl::ToUnixSeconds(absl::Now());
  const auto authority = Open(folder.path(), [&] { return absl::FromUnixSeconds(now); });
  ASSERT_NE(authority, nullptr);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.outcome + " " + c.claim);
    const Presented presented = c.presented();
    for (int i = 0; i < 100; ++i) {
      now += i < 50 ? 1 : 0;
      const std::uint64_t before = allocations.load();
      const Decision decision = authority->Verify(c.text, presented);
      const std::uint64_t after = allocations.load();
      ASSERT_EQ(after, before);
      ASSERT_EQ(decision.principal() != nullptr, c.outcome.empty());
    }
    EXPECT_TRUE(Holds(authority.get(), c));
  }
  now += 2 * 86400;
  for (const Case& c : {cases[0], cases[1]}) {
    const std::uint64_t before = allocations.load();
    const Decision decision = authority->Verify(c.text);
    EXPECT_EQ(allocations.load(), before);
    ASSERT_NE(decision.refusal(), nullptr);
    EXPECT_EQ(decision.refusal()->reason(), RefusalReason::kExpired);
  }
}

TEST(VerifyPath, TheCountingCounts) {
  for (const std::function<void()>& allocate : std::vector<std::function<void()>>{
           [] { delete new volatile int(1); }, [] { std::string(100, 'x'); },
           [] { std::free(std::calloc(3, 5)); },         // NOLINT
           [] { std::free(std::realloc(nullptr, 5)); },  // NOLINT
           [] { absl::InternalError("a status with a message").IgnoreError(); }}) {
    const std::uint64_t before = allocations.load();
    allocate();
    EXPECT_GT(allocations.load(), before);
  }
}

// ---- System calls

enum Exit { kDone = 0, kWrongDecision = 1, kNoAuthority = 2, kNoFilter = 3, kNoTexts = 4 };

// From here on any system call but writing and ending kills the process.
bool ForbidSystemCalls() {
  constexpr auto kNumber = static_cast<unsigned>(offsetof(seccomp_data, nr));
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {static_cast<unsigned short>(std::size(code)), code};
  return prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

bool ReadWhole(int fd, void* out, std::size_t size) {
  for (auto* p = static_cast<char*>(out); size > 0;) {
    const ssize_t got = read(fd, p, size);
    if (got <= 0) return false;
    p += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool ReadText(int fd, std::string* text) {
  std::size_t size = 0;
  if (!ReadWhole(fd, &size, sizeof size)) return false;
  text->resize(size);
  return ReadWhole(fd, text->data(), size);
}

void WriteText(int fd, const std::string& text) {
  const std::size_t size = text.size();
  ASSERT_EQ(write(fd, &size, sizeof size), static_cast<ssize_t>(sizeof size));
  ASSERT_EQ(write(fd, text.data(), size), static_cast<ssize_t>(size));
}

// Runs `work` in a process that was forked before this one opened anything.
class Child {
 public:
  explicit Child(const std::function<int(Child&)>& work) {
    EXPECT_EQ(pipe(to_child_), 0);
    EXPECT_EQ(pipe(to_parent_), 0);
    pid_ = fork();
    if (pid_ == 0) _exit(work(*this));
    close(to_child_[0]);
    close(to_parent_[1]);
  }
  ~Child() {
    close(to_child_[1]);
    close(to_parent_[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int in() const { return to_child_[0]; }  // the child's side
  void Ready() const { (void)!write(to_parent_[1], "r", 1); }

  bool WaitUntilReady() const {
    char c = 0;
    return read(to_parent_[0], &c, 1) == 1;
  }
  void Send(const std::vector<Case>& cases) const {
    for (const Case& c : cases) {
      for (const std::string* text : {&c.text, &c.claim, &c.ip, &c.user_agent, &c.outcome}) {
        WriteText(to_child_[1], *text);
      }
      WriteText(to_child_[1], std::to_string(c.need.bits()));
    }
    WriteText(to_child_[1], "");
    WriteText(to_child_[1], "end");
  }
  int Wait() {
    int status = -1;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    return status;
  }

 private:
  int to_child_[2] = {-1, -1};
  int to_parent_[2] = {-1, -1};
  pid_t pid_ = -1;
};

std::vector<Case> Receive(int fd) {
  std::vector<Case> cases;
  for (;;) {
    Case c;
    std::string need;
    if (!ReadText(fd, &c.text) || !ReadText(fd, &c.claim)) return {};
    if (c.claim == "end") return cases;
    if (!ReadText(fd, &c.ip) || !ReadText(fd, &c.user_agent) || !ReadText(fd, &c.outcome) ||
        !ReadText(fd, &need)) {
      return {};
    }
    c.need = PermissionSet::FromBits(std::stoull(need));
    cases.push_back(c);
  }
}

// Accepted ones and refused ones, 100,000 times each and more, from the very first verify on.
int VerifyUnderFilter(Authority* authority, const std::vector<Case>& cases, bool slip) {
  if (authority == nullptr) return kNoAuthority;
  if (cases.empty()) return kNoTexts;
  std::vector<Presented> presented;
  for (const Case& c : cases) presented.push_back(c.presented());
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  if (!ForbidSystemCalls()) return kNoFilter;
  while (accepted < 100000 || refused < 100000) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const bool long_text = cases[i].text.size() > 1000;
      if (long_text && accepted % 1000 != 0) continue;
      const Decision decision = authority->Verify(cases[i].text, presented[i]);
      if ((decision.principal() != nullptr) != cases[i].outcome.empty()) _exit(kWrongDecision);
      ++(decision.principal() != nullptr ? accepted : refused);
    }
  }
  if (slip) syscall(SYS_getpid);
  _exit(kDone);  // closing makes system calls
}

void ExpectDone(int status) {
  ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), kDone);
}

TEST(VerifyPath, MakesNoSystemCall) {
  const TemporaryFolder folder;
  const std::string path = folder.path();
  Child child([&](Child& self) {
    const std::vector<Case> cases = Receive(self.in());
    return VerifyUnderFilter(Open(path).get(), cases, false);
  });
  child.Send(PreparedCases(path));
  ExpectDone(child.Wait());
}

TEST(VerifyPath, MakesNoSystemCallWhileItNotesEachUse) {
  const TemporaryFolder folder;
  const std::string path = folder.path();
  Child child([&](Child& self) {
    const std::vector<Case> cases = Receive(self.in());
    std::int64_t now = absl::ToUnixSeconds(absl::Now());
    std::int64_t verifies = 0;  // one in a thousand is a minute later
    const auto clock = [&] { return absl::FromUnixSeconds(now + ++verifies / 1000 * 60); };
    return VerifyUnderFilter(Open(path, clock).get(), cases, false);
  });
  child.Send(PreparedCases(path));
  ExpectDone(child.Wait());
}

TEST(VerifyPath, MakesNoSystemCallForTokensIssuedElsewhereMeanwhile) {
  const TemporaryFolder folder;
  const std::string path = folder.path();
  // The child opens the store first; then this process issues; then the child verifies.
  Child child([&](Child& self) {
    const auto authority = Open(path);
    self.Ready();
    return VerifyUnderFilter(authority.get(), Receive(self.in()), false);
  });
  ASSERT_TRUE(child.WaitUntilReady());
  child.Send(PreparedCases(path));
  ExpectDone(child.Wait());
}

TEST(VerifyPath, OneSystemCallKills) {
  const TemporaryFolder folder;
  const std::string path = folder.path();
  Child child([&](Child& self) {
    const std::vector<Case> cases = Receive(self.in());
    return VerifyUnderFilter(Open(path).get(), cases, true);
  });
  child.Send(PreparedCases(path));
  const int status = child.Wait();
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGSYS);
}

}  // namespace
}  // namespace pat
