// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// A child of fork() is told so, whatever it calls or destroys, and harms nothing of its parent's.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "tests/authority_fixture.h"

// There if coverage is counted.
extern "C" int __llvm_profile_write_file() __attribute__((weak));

namespace pat {
namespace {

class ForkTest : public AuthorityTest {
 protected:
  // What `child` returns, as the child's exit status. It leaves by _exit: for LeakSanitizer what it
  // has of its parent's would be lost. So what it ran has to be written down here.
  static int InChild(absl::FunctionRef<int()> child) {
    const pid_t pid = fork();
    if (pid == 0) {
      const int code = child();
      if (__llvm_profile_write_file != nullptr) __llvm_profile_write_file();
      _exit(code);
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  void ExpectParentWorks(const Issued& before) {
    EXPECT_EQ(Reason(before), "");
    EXPECT_TRUE(authority_->Health().ok()) << authority_->Health();
    EXPECT_EQ(Reason(Issue()), "");
    EXPECT_TRUE(authority_->Deactivate(before.token.id).ok());
    EXPECT_EQ(Reason(before), "inactive");
    EXPECT_TRUE(authority_->Flush().ok());
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, ForkTest, testing::Values(StoreKind::kLmdb), NameOf);

TEST_P(ForkTest, EveryCallInTheChildIsRefused) {
  const Issued issued = Issue();
  EXPECT_EQ(InChild([&] {
              const auto forked = [](const absl::Status& s) {
                return s.code() == absl::StatusCode::kFailedPrecondition;
              };
              if (Reason(issued) != "unavailable") return 1;
              if (!forked(authority_->Issue(Request()).status())) return 2;
              if (!forked(authority_->Get(issued.token.id).status())) return 3;
              if (!forked(authority_->List("alice").status())) return 4;
              if (!forked(authority_->Count("alice").status())) return 5;
              if (!forked(authority_->Delete(issued.token.id))) return 6;
              if (!forked(authority_->Deactivate(issued.token.id))) return 7;
              if (!forked(authority_->Purge(absl::Now()).status())) return 8;
              if (!forked(authority_->Flush())) return 9;
              if (!forked(authority_->Health())) return 10;
              if (!forked(authority_->Stats().status())) return 11;
              return 0;
            }),
            0);
  ExpectParentWorks(issued);
}

TEST_P(ForkTest, TheChildMayDestroyWhatItInherited) {
  const Issued issued = Issue();
  EXPECT_EQ(InChild([&] {
              authority_.reset();
              return 0;
            }),
            0);
  ExpectParentWorks(issued);
}

TEST_P(ForkTest, TheStoreItselfRefusesInTheChild) {
  const std::unique_ptr<Store> store = MakeStore();
  const Issued issued = Issue();
  EXPECT_EQ(
      InChild([&] {
        TokenRecord record;
        if (store->Find(issued.token.id, &record) != Store::Lookup::kUnavailable) return 1;
        store->RecordUse(issued.token.id, 1'800'000'000, "192.0.2.1", "x");
        if (store->ReserveTokenIds(1).status().code() != absl::StatusCode::kFailedPrecondition) {
          return 2;
        }
        if (store->Page(1, 0, 1).status().code() != absl::StatusCode::kFailedPrecondition) {
          return 3;
        }
        return store->Close().ok() ? 0 : 4;
      }),
      0);
  EXPECT_EQ(authority_->Get(issued.token.id)->last_used_at, std::nullopt);
  ExpectParentWorks(issued);
}

TEST_P(ForkTest, TheChildMayOpenTheStoreAnew) {
  const Issued issued = Issue();
  EXPECT_EQ(InChild([&] {
              authority_ = Open(Options());
              if (authority_ == nullptr || !Reason(issued).empty()) return 1;
              if (!authority_->Issue(Request()).ok()) return 2;
              if (!authority_->Deactivate(issued.token.id).ok()) return 3;
              authority_.reset();
              return 0;
            }),
            0);
  EXPECT_EQ(Reason(issued), "inactive");
  EXPECT_TRUE(authority_->Activate(issued.token.id).ok());
  ExpectParentWorks(issued);
}

}  // namespace
}  // namespace pat
