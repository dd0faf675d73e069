// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Memory that runs out at every allocation of every call of an authority: OK or ResourceExhausted,
// nothing lost, nothing changed, nobody locked out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pat/pat.h"
#include "tests/forwarding_store.h"
#include "tests/issued_secrets.h"
#include "tests/memory/exhaust.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;

class AuthorityMemoryTest : public testing::TestWithParam<bool> {
 protected:
  static bool Lmdb() { return GetParam(); }

  void SetUp() override {
    if (Lmdb()) other_ = std::make_unique<OtherProcess>(dir_ / "store");
    store_ = NewStore("store");
    authority_ = Open(store_, "keyring");
    IssueRequest request = Request();
    request.attributes = {{"creator", "an address that is long enough to be on the heap"}};
    mine_ = Issue(request);
    request.origin = Origin::kAuto;
    for (int i = 0; i < 5; ++i) Issue(request);  // the next evicts
  }

  std::shared_ptr<Store> NewStore(const std::string& name) {
    if (!Lmdb()) return NewMemoryStore();
    LmdbOptions options;
    options.create_if_missing = true;
    options.map_bytes = std::size_t{64} << 20;
    options.flush_interval = absl::ZeroDuration();
    options.write_deadline = absl::Milliseconds(200);
    options.concurrent_reads = 1;  // a slot that is lost stops the next read
    options.reserve_bytes = 0;
    auto store = OpenLmdbStore(dir_ / name, options);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  std::unique_ptr<Authority> Open(const std::shared_ptr<Store>& store, const std::string& keyring) {
    AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {"acme_pat_"};
    options.clock = [] { return absl::FromUnixSeconds(kNow); };
    auto opened = Authority::Open(std::make_unique<ForwardingStore>(store),
                                  Keyring::File(dir_ / keyring), options);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }

  IssueRequest Request() const {
    IssueRequest request;
    request.account = account_;
    request.description = "a description that is long enough to be on the heap";
    request.scopes = {"repo:write", "repo:public_read"};
    return request;
  }
  std::uint64_t Issue(const IssueRequest& request) {
    absl::StatusOr<Issued> issued = authority_->Issue(request);
    EXPECT_TRUE(issued.ok()) << issued.status();
    if (!issued.ok()) return 0;
    Note(issued->text.Reveal());
    return issued->token.id;
  }
  void Note(std::string_view text) {
    RecordIssuedSecret(text);
    texts_.emplace_back(text);
  }

  /// All rows of a store, as they lie there.
  static std::string Rows(Store* store) {
    std::string rows;
    const auto add = [&rows](std::string_view bytes) {
      rows += std::to_string(bytes.size()) + ":";
      rows += bytes;
    };
    for (const char* name : {"header", "scopes"}) add(store->ReadMeta(name).value_or("none"));
    for (std::uint32_t number = 1;; ++number) {
      const absl::StatusOr<AccountRow> account = store->NextAccount(number);
      if (!account.ok()) break;
      number = account->number;
      add(std::to_string(number));
      add(account->view());
      const auto page = store->Page(number, 0, 10000);
      for (const TokenRow& row : *page) {
        add(std::to_string(row.id));
        add(row.metadata);
      }
    }
    const auto all = store->Scan(1, 10000);
    for (const TokenRow& row : *all) {
      add(std::to_string(row.id));
      add({reinterpret_cast<const char*>(row.record.bytes.data()), row.record.bytes.size()});
      const absl::StatusOr<LastUse> use = store->ReadUse(row.id);
      add(std::to_string(use->unix_s) + use->ip + use->user_agent);
    }
    return rows;
  }

  /// The rows, and what people are told.
  std::string Everything() {
    std::string state;
    for (const std::string& text : texts_) {  // first: it may note a use
      const Decision decision = authority_->Verify(text);
      state += decision.refusal() == nullptr ? "accepted" : ToString(decision.refusal()->reason());
    }
    for (const std::string& account : {account_, std::string("fresh")}) {
      const absl::StatusOr<Counts> counts = authority_->Count(account);
      state += std::to_string(counts->active) + "," + std::to_string(counts->inactive) + ";";
      for (const bool deleted : {false, true}) {
        ListOptions options;
        if (deleted) options.state = State::kDeleted;
        options.limit = 1000;
        const absl::StatusOr<TokenPage> page = authority_->List(account, options);
        for (const Token& token : page->tokens) {
          state += std::to_string(token.id) + token.description + (token.damaged ? "!" : "") +
                   std::to_string(static_cast<int>(token.state));
          for (const std::string& scope : token.scopes) state += scope;
        }
      }
    }
    return state + Rows(store_.get());
  }
  std::string Others() {
    if (absl::Status s = authority_->Health(); !s.ok()) return s.ToString();
    if (absl::Status s = store_->Apply(Batch()); !s.ok()) return s.ToString();
    return other_ == nullptr || other_->Writes() ? "" : "another process cannot write";
  }

  /// Empty, or the first complaint.
  std::string Check(
      const std::function<absl::Status()>& call, const std::function<void()>& prepare = [] {}) {
    Exhaust exhaust;
    exhaust.call = call;
    exhaust.prepare = prepare;
    exhaust.state = [this] { return Everything(); };
    return Run(&exhaust);
  }

  /// The same for calls of several changes, of which those that were made stand, with the memory
  /// that they keep.
  std::string CheckSteps(
      const std::function<absl::Status()>& call, const std::function<void()>& prepare = [] {}) {
    Exhaust exhaust;
    exhaust.call = call;
    exhaust.prepare = prepare;
    exhaust.keeps = true;
    return Run(&exhaust);
  }

  std::string Run(Exhaust* exhaust) {
    exhaust->after = [this] { return Others(); };
    const std::string wrong = exhaust->Run();
    points_ += exhaust->points;
    RecordProperty("allocations", static_cast<int>(points_));
    return wrong;
  }

  // What purging leaves would be more each time.
  void PurgeAll() {
    const auto purged = authority_->Purge(absl::FromUnixSeconds(kNow + 1));
    EXPECT_TRUE(purged.ok()) << purged.status();
  }
  void MakeDoomed() {
    if (doomed_ != 0) {  // it may have survived
      const absl::Status gone = authority_->Delete(doomed_);
      EXPECT_TRUE(gone.ok() || absl::IsNotFound(gone)) << gone;
      texts_.pop_back();
    }
    PurgeAll();
    doomed_ = Issue(Request());
  }

  const TempDir dir_ = TempDir::InMemory();
  std::unique_ptr<OtherProcess> other_;
  std::shared_ptr<Store> store_;
  std::unique_ptr<Authority> authority_;
  std::vector<std::string> texts_;
  std::uint64_t mine_ = 0;
  std::uint64_t doomed_ = 0;
  long points_ = 0;
  const std::string account_ = "an account of more than 16 bytes";
};

TEST_P(AuthorityMemoryTest, Looking) {
  EXPECT_EQ(Check([&] { return authority_->Get(mine_, account_).status(); }), "");
  ListOptions options;
  options.limit = 2;
  options.text = "DESCRIPTION";
  EXPECT_EQ(Check([&] { return authority_->List(account_, options).status(); }), "");
  EXPECT_EQ(Check([&] { return authority_->Count(account_).status(); }), "");
  const std::string public_id = *authority_->PublicIdOf(mine_);
  EXPECT_EQ(Check([&] { return authority_->IdOf(public_id).status(); }), "");
  EXPECT_EQ(Check([&] { return authority_->PublicIdOf(mine_).status(); }), "");
  EXPECT_EQ(Check([&] { return authority_->Keys().status(); }), "");
  EXPECT_EQ(Check([&] { return authority_->Health(); }), "");
  EXPECT_EQ(Check([&] { return authority_->Stats().status(); }), "");
}

TEST_P(AuthorityMemoryTest, Issuing) {
  IssueRequest request = Request();
  EXPECT_EQ(Check(
                [&] {
                  absl::StatusOr<Issued> issued = authority_->Issue(request);
                  if (issued.ok()) RecordIssuedSecret(issued->text.Reveal());
                  return issued.status();
                },
                [&] { PurgeAll(); }),
            "");
  request.account = "fresh";
  request.origin = Origin::kAuto;
  const std::vector<IssueRequest> requests(3, request);
  EXPECT_EQ(Check(
                [&] {
                  auto issued = authority_->IssueMany(requests);
                  if (!issued.ok()) return issued.status();
                  for (const Issued& one : *issued) RecordIssuedSecret(one.text.Reveal());
                  return absl::OkStatus();
                },
                [&] { PurgeAll(); }),
            "");
}

TEST_P(AuthorityMemoryTest, Changing) {
  int turn = 0;
  TokenUpdate update;
  update.scopes = {"repo:read"};
  EXPECT_EQ(Check(
                [&] {
                  absl::StatusOr<Token> token = authority_->Update(mine_, update, account_);
                  turn += token.ok() ? 1 : 0;  // else the same change again
                  return token.status();
                },
                [&] { update.description = "another description, " + std::to_string(turn); }),
            "")
      << "update";
  EXPECT_EQ(Check([&] {
              absl::Status status = turn % 2 == 0 ? authority_->Deactivate(mine_, account_)
                                                  : authority_->Activate(mine_, account_);
              turn += status.ok() ? 1 : 0;
              return status;
            }),
            "")
      << "deactivate, activate";
  EXPECT_EQ(Check([&] { return authority_->Delete(doomed_, account_); }, [&] { MakeDoomed(); }), "")
      << "delete";
  EXPECT_EQ(CheckSteps([&] { return authority_->Purge(absl::FromUnixSeconds(kNow + 1)).status(); },
                       [&] {
                         MakeDoomed();
                         EXPECT_TRUE(authority_->Delete(doomed_, account_).ok());
                       }),
            "")
      << "purge";
}

// A damaged token is deleted by Deactivate, and DataLoss says so: never without it being done.
TEST_P(AuthorityMemoryTest, DeactivatingWhatIsDamaged) {
  EXPECT_EQ(Check(
                [&] {
                  absl::Status status = authority_->Deactivate(doomed_, account_);
                  return absl::IsDataLoss(status) ? absl::OkStatus() : status;
                },
                [&] {
                  MakeDoomed();
                  Batch batch;
                  TokenRecord record;
                  EXPECT_EQ(store_->Find(doomed_, &record), Store::Lookup::kFound);
                  record.bytes[0] = static_cast<unsigned char>(record.bytes[0] ^ 1U);
                  batch.tokens.push_back({doomed_, record});
                  EXPECT_TRUE(store_->Apply(batch).ok());
                }),
            "");
}

TEST_P(AuthorityMemoryTest, KeepingUses) {
  Presented from;
  from.ip = "192.0.2.1";
  from.user_agent = "a browser";
  EXPECT_EQ(Check([&] { return authority_->Flush(); },
                  [&] {
                    MakeDoomed();
                    EXPECT_EQ(authority_->Verify(texts_.back(), from).refusal(), nullptr);
                  }),
            "");
}

// Deciding takes no memory, but where the store's header was changed: then to decide may be
// impossible, but never wrong.
TEST_P(AuthorityMemoryTest, Deciding) {
  const std::string good = texts_.front();
  Presented presented;
  presented.claim = Claim::Account(account_);
  const std::vector<std::string_view> texts = {good, "hello"};
  int accepted = 0;
  const auto unneeded = [&](const std::function<void()>& decide) {
    const long before = memory_allocations();
    decide();
    return memory_allocations() == before;
  };
  EXPECT_TRUE(unneeded([&] { accepted += authority_->Verify(good).refusal() == nullptr ? 1 : 0; }));
  const auto take = [&](std::size_t, const Decision& d) { accepted += d.refusal() == nullptr; };
  EXPECT_TRUE(unneeded([&] { authority_->VerifyMany(texts, presented, take); }));
  for (const Presented& how : {Presented(), presented}) {
    for (const std::string_view secret : texts) {
      EXPECT_TRUE(unneeded([&] {
        const auto decision =
            authority_->Authenticate(secret, how, false, [](std::string_view) { return true; });
        accepted += decision.refusal() == nullptr ? 1 : 0;
      })) << "by password, and with nobody claimed";
    }
  }
  EXPECT_EQ(accepted, 5);
  int meta = 0;
  EXPECT_EQ(CheckSteps(
                [&] {
                  const Decision decision = authority_->Verify(good);
                  if (decision.refusal() == nullptr) return absl::OkStatus();
                  return decision.refusal()->reason() == RefusalReason::kUnavailable
                             ? absl::Status(absl::StatusCode::kResourceExhausted, "")
                             : absl::UnknownError("refused");
                },
                [&] {
                  Batch batch;  // of another meta row: all have to look
                  batch.meta.push_back({"other", std::to_string(++meta)});
                  EXPECT_TRUE(store_->Apply(batch).ok());
                }),
            "");
}

TEST_P(AuthorityMemoryTest, Copying) {
  std::shared_ptr<Store> target;
  std::unique_ptr<Authority> copy;
  int number = 0;
  EXPECT_EQ(CheckSteps([&] { return authority_->CopyTo(copy.get()).status(); },
                       [&] {
                         copy.reset();
                         target.reset();
                         std::error_code ignored;
                         std::filesystem::remove_all(dir_ / ("target" + std::to_string(number)),
                                                     ignored);
                         const std::string name = std::to_string(++number);
                         target = NewStore("target" + name);
                         copy = Open(target, "keyring of target" + name);
                       }),
            "");
}

// Rotate, reseal, retire, so that there is always something to do. The keyring's file may hold a
// key that is not in use yet; the next call uses it.
TEST_P(AuthorityMemoryTest, Keys) {
  const auto lowest = [&](KeyKind kind) {
    std::uint16_t number = UINT16_MAX;
    const auto infos = authority_->Keys();
    for (const KeyInfo& info : *infos) {
      if (info.kind == kind) number = std::min(number, info.number);
    }
    return number;
  };
  for (const KeyKind kind : {KeyKind::kSeal, KeyKind::kSelector}) {
    const auto retire_all_but_newest = [&] {
      const auto infos = authority_->Keys();
      for (const KeyInfo& info : *infos) {
        if (info.kind == kind && !info.newest) {
          EXPECT_TRUE(authority_->Reseal().ok());
          EXPECT_TRUE(authority_->RetireKey(kind, info.number, /*force=*/true).ok());
        }
      }
      if (kind == KeyKind::kSelector) {  // all tokens went with their key
        texts_.clear();
        mine_ = Issue(Request());
      }
    };
    EXPECT_EQ(Check([&] { return authority_->RotateKey(kind).status(); }, retire_all_but_newest),
              "")
        << "rotate";
    EXPECT_EQ(CheckSteps([&] { return authority_->Reseal().status(); },
                         [&] {
                           retire_all_but_newest();
                           EXPECT_TRUE(authority_->RotateKey(kind).ok());
                         }),
              "")
        << "reseal";
    // Ended, it may still stand in the file: then the call is to be made again.
    std::uint16_t oldest = 0;
    EXPECT_EQ(CheckSteps([&] { return authority_->RetireKey(kind, oldest, /*force=*/true); },
                         [&] {
                           retire_all_but_newest();
                           EXPECT_TRUE(authority_->RotateKey(kind).ok());
                           EXPECT_TRUE(authority_->Reseal().ok());
                           oldest = lowest(kind);
                         }),
              "")
        << "retire";
  }
  Issue(Request());
  EXPECT_EQ(authority_->Verify(texts_.back()).refusal(), nullptr);
}

// What these tests must notice.
TEST_P(AuthorityMemoryTest, TheCheckNotices) {
  const IssueRequest request = Request();
  const absl::Status exhausted(absl::StatusCode::kResourceExhausted, "");
  std::vector<void*> lost;
  lost.reserve(8);
  int file = -1;
  EXPECT_THAT(Check([&] {
                const absl::Status status = authority_->Count(account_).status();
                if (!status.ok()) lost.push_back(std::malloc(1));
                return status;
              }),
              testing::HasSubstr("blocks are lost"));
  for (void* block : lost) std::free(block);
  EXPECT_THAT(Check([&] {
                absl::Status status = authority_->Issue(request).status();
                if (status.ok()) status = authority_->Issue(request).status();
                return status;  // two changes: the first stays
              }),
              testing::HasSubstr("something has changed"));
  EXPECT_THAT(Check([&] {
                const absl::Status status = authority_->Count(account_).status();
                if (!status.ok()) file = open("/dev/null", O_RDONLY | O_CLOEXEC);
                return status;
              }),
              testing::HasSubstr("a file is left open"));
  close(file);
  EXPECT_THAT(Check([&] {
                const absl::Status status = authority_->Count(account_).status();
                return status.ok() ? status : absl::InternalError("");
              }),
              testing::HasSubstr("it says INTERNAL"));
  EXPECT_THAT(Check([&] { return std::string(100, 'x').empty() ? exhausted : absl::OkStatus(); }),
              testing::HasSubstr("an exception got out"));
  EXPECT_EXIT(
      {
        Check([&] {
          static_cast<volatile char*>(std::malloc(1))[0] = 'x';  // not looked at
          return absl::OkStatus();
        });
        std::_Exit(0);
      },
      [](int status) { return !WIFEXITED(status) || WEXITSTATUS(status) != 0; }, "");
  if (!Lmdb()) return;
  ASSERT_TRUE(other_->HoldWriters());
  EXPECT_THAT(Others(), testing::HasSubstr("UNAVAILABLE"));
  ASSERT_TRUE(other_->Release());
  EXPECT_EQ(Others(), "");
}

INSTANTIATE_TEST_SUITE_P(Stores, AuthorityMemoryTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Lmdb" : "Memory"; });

}  // namespace
}  // namespace pat
