// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Keys are rotated, rows resealed, keys retired, while other authorities are on the same store.
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <thread>
#include <utility>

#include "lib/seal.h"
#include "tests/key_life_fixture.h"

namespace pat {
namespace {

constexpr KeyKind kSelector = KeyKind::kSelector;
constexpr KeyKind kSeal = KeyKind::kSeal;

INSTANTIATE_TEST_SUITE_P(Stores, KeyLifeTest, testing::Values(StoreKind::kMemory, StoreKind::kLmdb),
                         NameOf);

TEST_P(KeyLifeTest, ANewStoreHasOneKeyOfEachKind) {
  const auto infos = a_->Keys();
  ASSERT_TRUE(infos.ok()) << infos.status();
  ASSERT_EQ(infos->size(), 2U);
  for (const KeyInfo& info : *infos) {
    EXPECT_EQ(info.number, 1);
    EXPECT_TRUE(info.newest);
    EXPECT_EQ(info.dependents, 0U);
    EXPECT_EQ(info.created_at, absl::FromUnixSeconds(kStart));
  }
}

TEST_P(KeyLifeTest, ATokenUnderANewKeyIsGoodEverywhereAtTheFirstVerify) {
  for (const KeyKind kind : {kSelector, kSeal}) {
    const auto idle = Open();  // never verified anything
    const auto used = Open();
    const Issued old = Issue(*a_);
    ASSERT_EQ(Reason(*used, old), "");
    now_ += 100;
    const absl::StatusOr<KeyInfo> info = a_->RotateKey(kind);
    ASSERT_TRUE(info.ok()) << info.status();
    EXPECT_EQ(info->number, 2);
    EXPECT_EQ(info->created_at, absl::FromUnixSeconds(now_));
    RecordKeys(KeyringText());
    const Issued fresh = Issue(*a_);
    for (Authority* authority : {idle.get(), used.get(), a_.get()}) {
      EXPECT_EQ(Reason(*authority, fresh), "");
      EXPECT_EQ(Reason(*authority, old), "");
    }
    EXPECT_EQ(Reason(*Open(), fresh), "");
  }
}

TEST_P(KeyLifeTest, OneThatDoesNotReloadRefuses) {  // the control of the test above
  const auto frozen = Open(Keyring::File(KeyringPath()), true);
  Rotate(*a_, kSelector);
  EXPECT_EQ(Reason(*frozen, Issue(*a_)), "forged");
  const auto frozen_again = Open(Keyring::File(KeyringPath()), true);
  Rotate(*a_, kSeal);
  EXPECT_EQ(Reason(*frozen_again, Issue(*a_)), "wrong_secret");
}

TEST_P(KeyLifeTest, ManagementCallsKeepUpToo) {
  const auto other = Open();
  Issue(*a_, kLongName);
  Rotate(*a_, kSeal);
  const Issued fresh = Issue(*a_, kLongName);
  const auto got = other->Get(fresh.token.id, kLongName);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_FALSE(got->damaged);
  EXPECT_EQ(other->Count(kLongName)->active, 2U);
  EXPECT_TRUE(other->Deactivate(fresh.token.id, kLongName).ok());
  EXPECT_EQ(Reason(*a_, fresh), "inactive");
  EXPECT_TRUE(other->Activate(fresh.token.id, kLongName).ok());
  EXPECT_EQ(Reason(*a_, fresh), "");
  const Issued by_other = Issue(*other, kLongName);
  EXPECT_EQ(Reason(*a_, by_other), "");
}

// Calls `before` right before the next batch is applied: the worst moment.
class InterruptedStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status Apply(const Batch& batch) override {
    if (before != nullptr) std::exchange(before, nullptr)();
    return ForwardingStore::Apply(batch);
  }
  std::function<void()> before;
};

TEST_P(KeyLifeTest, NothingIsSealedByAKeyThatIsNotTheNewestAnyMore) {
  AuthorityOptions options;
  options.clock = [this] { return absl::FromUnixSeconds(now_.load()); };
  auto owned = std::make_unique<InterruptedStore>(store_);
  InterruptedStore* const store = owned.get();
  const auto opened = Authority::Open(std::move(owned), Keyring::File(KeyringPath()), options);
  ASSERT_TRUE(opened.ok()) << opened.status();
  Authority& interrupted = **opened;
  for (const KeyKind kind : {kSeal, kSelector}) {
    store->before = [&] { Rotate(*a_, kind); };
    const Issued issued = Issue(interrupted);
    EXPECT_EQ(Reason(*a_, issued), "");
    store->before = [&] { Rotate(*a_, kind); };
    ASSERT_TRUE(interrupted.Deactivate(issued.token.id).ok());
    store->before = [&] { Rotate(*a_, kind); };
    ASSERT_TRUE(interrupted.Activate(issued.token.id).ok());
    EXPECT_EQ(Reason(*a_, issued), "");
  }
  // All were rewritten under the newest of the moment: none under what was the newest before.
  EXPECT_EQ(Keys(*a_, kSeal), (NumbersAndDependents{{1, 0}, {2, 0}, {3, 0}, {4, 3}}));
  EXPECT_EQ(Keys(*a_, kSelector), (NumbersAndDependents{{1, 1}, {2, 1}, {3, 0}, {4, 0}}));
}

TEST_P(KeyLifeTest, ResealBringsEveryRowUnderTheNewest) {
  std::vector<Issued> issued;
  for (const std::string& account : {std::string("alice"), kLongName, std::string("bob")}) {
    for (int i = 0; i < 3; ++i) issued.push_back(Issue(*a_, account));
  }
  ASSERT_TRUE(a_->Deactivate(issued[1].token.id).ok());
  ASSERT_TRUE(a_->Delete(issued[2].token.id).ok());
  const auto other = Open();
  EXPECT_EQ(Rotate(*a_, kSeal), 2);
  EXPECT_EQ(Keys(*a_, kSeal), (NumbersAndDependents{{1, 12}, {2, 0}}));
  EXPECT_EQ(a_->RetireKey(kSeal, 1).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(a_->RetireKey(kSeal, 1).message().find("12 "), std::string::npos);
  int reports = 0;
  const auto done = other->Reseal([&](const PassProgress&) { return ++reports > 0; });
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_GE(reports, 2);
  EXPECT_EQ(done->tokens, 9U);
  EXPECT_EQ(done->accounts, 3U);
  EXPECT_EQ(done->written, 12U);
  EXPECT_EQ(done->left, 0U);
  EXPECT_EQ(Keys(*a_, kSeal), (NumbersAndDependents{{1, 0}, {2, 12}}));
  EXPECT_EQ(a_->Reseal()->written, 0U);
  ASSERT_TRUE(a_->RetireKey(kSeal, 1).ok());
  EXPECT_TRUE(a_->RetireKey(kSeal, 1).ok());  // it is
  EXPECT_EQ(KeyringText().find("seal 1 "), std::string::npos);
  const auto later = Open();
  for (Authority* authority : {a_.get(), other.get(), later.get()}) {
    for (std::size_t i = 0; i < issued.size(); ++i) {
      EXPECT_EQ(Reason(*authority, issued[i]), i == 1 ? "inactive" : i == 2 ? "deleted" : "") << i;
      const auto token = authority->Get(issued[i].token.id);
      ASSERT_TRUE(token.ok());
      EXPECT_FALSE(token->damaged);
    }
    EXPECT_EQ(authority->Count("alice")->active, 1U);
    EXPECT_EQ(authority->Count("alice")->inactive, 1U);
    EXPECT_EQ(authority->Count(kLongName)->active, 3U);
  }
}

TEST_P(KeyLifeTest, ResealStopsWhenToldAndGoesOn) {
  for (int i = 0; i < 3; ++i) Issue(*a_);
  Rotate(*a_, kSeal);
  EXPECT_TRUE(absl::IsCancelled(a_->Reseal([](const PassProgress&) { return false; }).status()));
  const auto done = a_->Reseal();
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->written, 3U);  // the account was before
}

TEST_P(KeyLifeTest, ABadSealIsNeverResealed) {
  const Issued good = Issue(*a_);
  const Issued spoiled = Issue(*a_);
  const Issued bare = Issue(*a_);
  TokenRecord record;
  ASSERT_EQ(store_->Find(spoiled.token.id, &record), Store::Lookup::kFound);
  record.bytes[16] = static_cast<unsigned char>(record.bytes[16] ^ 2U);  // one more permission
  Batch batch;
  batch.tokens.push_back({spoiled.token.id, record});
  batch.metadata.push_back({store_->ReadAccount("alice")->number, bare.token.id, ""});
  ASSERT_TRUE(store_->Apply(batch).ok());
  Rotate(*a_, kSeal);
  Rotate(*a_, kSelector);
  const auto done = a_->Reseal();
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->written, 2U);  // the good one and the account
  EXPECT_EQ(done->left, 2U);
  TokenRecord after;
  ASSERT_EQ(store_->Find(spoiled.token.id, &after), Store::Lookup::kFound);
  EXPECT_EQ(after, record);
  EXPECT_EQ(Reason(*a_, bare), "");  // still under the older key
  EXPECT_EQ(Keys(*a_, kSeal), (NumbersAndDependents{{1, 2}, {2, 2}}));
  EXPECT_EQ(Keys(*a_, kSelector), (NumbersAndDependents{{1, 3}, {2, 2}}));  // damaged: maybe any's
  EXPECT_FALSE(a_->RetireKey(kSeal, 1).ok());
  ASSERT_TRUE(a_->RetireKey(kSeal, 1, true).ok());
  EXPECT_EQ(Reason(*a_, bare), "wrong_secret");
  EXPECT_EQ(Reason(*a_, good), "");
  EXPECT_TRUE(a_->Delete(bare.token.id).ok());
  EXPECT_TRUE(a_->Delete(spoiled.token.id).ok());
}

TEST_P(KeyLifeTest, ARetiredSelectorKeyIsRefusedByAllAtOnce) {
  const Issued old = Issue(*a_);
  const Issued gone = Issue(*a_);
  const auto other = Open();
  Rotate(*a_, kSelector);
  const Issued fresh = Issue(*a_);
  ASSERT_TRUE(a_->Delete(gone.token.id).ok());
  EXPECT_EQ(Keys(*a_, kSelector), (NumbersAndDependents{{1, 1}, {2, 1}}));
  EXPECT_FALSE(a_->RetireKey(kSelector, 1).ok());
  ASSERT_EQ(Reason(*other, old), "");
  const auto frozen = Open(Keyring::File(KeyringPath()), true);
  ASSERT_TRUE(a_->RetireKey(kSelector, 1, true).ok());
  EXPECT_EQ(Reason(*other, old), "forged");
  EXPECT_EQ(Reason(*other, fresh), "");
  EXPECT_EQ(Reason(*a_, old), "forged");
  EXPECT_EQ(Reason(*frozen, old), "");  // the control: one that does not honour the limit
  EXPECT_EQ(KeyringText().find("selector 1 "), std::string::npos);
}

TEST_P(KeyLifeTest, ExpiredTokensHoldNoKey) {
  IssueRequest request;
  request.account = "alice";
  request.description = "d";
  request.scopes = {"repo:read"};
  request.expires_at = absl::FromUnixSeconds(kStart + 60);
  const auto issued = a_->Issue(request);
  ASSERT_TRUE(issued.ok());
  RecordIssuedSecret(issued->text.Reveal());
  Rotate(*a_, kSelector);
  EXPECT_FALSE(a_->RetireKey(kSelector, 1).ok());
  now_ += 60;
  EXPECT_TRUE(a_->RetireKey(kSelector, 1).ok());
}

TEST_P(KeyLifeTest, RetiringSaysWhatItCannotDo) {
  EXPECT_EQ(a_->RetireKey(kSeal, 1).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(a_->RetireKey(kSeal, 1, true).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(a_->RetireKey(kSeal, 2).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(a_->RetireKey(kSeal, 0).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(a_->RetireKey(static_cast<KeyKind>(7), 1).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(a_->RotateKey(static_cast<KeyKind>(7)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(KeyLifeTest, AtMostEightLiveKeysOfAKind) {
  std::vector<Issued> issued = {};
  const auto other = Open();
  for (const KeyKind kind : {kSelector, kSeal}) {
    for (int i = 2; i <= 8; ++i) {
      issued.push_back(Issue(*a_));
      EXPECT_EQ(Rotate(*a_, kind), i);
    }
    EXPECT_EQ(a_->RotateKey(kind).status().code(), absl::StatusCode::kFailedPrecondition);
  }
  for (const Issued& token : issued) EXPECT_EQ(Reason(*other, token), "");
  ASSERT_TRUE(a_->Reseal().ok());
  ASSERT_TRUE(a_->RetireKey(kSeal, 4).ok());  // and 1 to 3 with it
  EXPECT_EQ(Keys(*a_, kSeal).size(), 4U);
  EXPECT_EQ(Rotate(*a_, kSeal), 9);
  for (const Issued& token : issued) EXPECT_EQ(Reason(*other, token), "");
  EXPECT_EQ(Reason(*Open(), Issue(*other)), "");
}

TEST_P(KeyLifeTest, AKeyringThatWasRewrittenIsPrivateAndWhole) {
  Rotate(*a_, kSeal);
  struct stat info {};
  ASSERT_EQ(stat(KeyringPath().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 1);  // nothing is left of the change
}

// ---- Crashes between the steps: what they leave is made by hand.

TEST_P(KeyLifeTest, AKeyThatWasAddedAndNotYetNamedIsUsedByTheNextRotation) {
  const auto text = Keyring::AddKey(KeyringText(), kSelector);
  ASSERT_TRUE(text.ok());
  RecordKeys(*text);
  std::ofstream(KeyringPath(), std::ios::binary) << *text;
  const auto later = Open();
  EXPECT_EQ(Keys(*later, kSelector), (NumbersAndDependents{{1, 0}}));
  EXPECT_EQ(Rotate(*later, kSelector), 2);
  EXPECT_EQ(KeyringText(), *text);
  EXPECT_EQ(Reason(*a_, Issue(*later)), "");
}

TEST_P(KeyLifeTest, ARetiredKeyStillInTheKeyringIsNotAccepted) {
  const Issued old = Issue(*a_);
  const std::string before = KeyringText();
  Rotate(*a_, kSelector);
  const std::string both = KeyringText();
  ASSERT_TRUE(a_->RetireKey(kSelector, 1, true).ok());
  std::ofstream(KeyringPath(), std::ios::binary) << both;  // as if killed before the file changed
  const auto later = Open();
  EXPECT_EQ(Reason(*later, old), "forged");
  EXPECT_TRUE(later->RetireKey(kSelector, 1).ok());
  EXPECT_EQ(KeyringText().find("selector 1 "), std::string::npos);
  std::ofstream(KeyringPath(), std::ios::binary) << before;
  EXPECT_EQ(TryOpen(Keyring::File(KeyringPath())).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

// ---- A store's editor

TEST_P(KeyLifeTest, AnOlderHeaderBringsNothingBack) {
  const Issued old = Issue(*a_);
  const std::string first = *store_->ReadMeta("header");
  const std::string keyring = KeyringText();
  Rotate(*a_, kSelector);
  const std::string second = *store_->ReadMeta("header");
  ASSERT_TRUE(a_->RetireKey(kSelector, 1, true).ok());
  const Issued fresh = Issue(*a_);
  const std::string third = *store_->ReadMeta("header");
  const auto put = [this](const std::string& row) {
    Batch batch;
    batch.meta.push_back({"header", row});
    ASSERT_TRUE(store_->Apply(batch).ok());
  };
  put(second);
  EXPECT_EQ(Reason(*a_, old), "forged");
  EXPECT_EQ(Reason(*a_, fresh), "");
  put(first);
  EXPECT_EQ(Reason(*a_, old), "unavailable");  // no key of that header is good any more
  EXPECT_EQ(TryOpen(Keyring::File(KeyringPath())).status().code(),
            absl::StatusCode::kFailedPrecondition);
  put("rubbish, but long enough for a row with a seal and something");
  EXPECT_EQ(Reason(*a_, fresh), "unavailable");
  EXPECT_TRUE(a_->Delete(old.token.id).ok());  // nothing stops that
  EXPECT_TRUE(a_->Deactivate(fresh.token.id).ok());
  EXPECT_TRUE(absl::IsUnavailable(a_->Activate(fresh.token.id)));
  put(third);
  EXPECT_EQ(Reason(*a_, fresh), "inactive");
  EXPECT_TRUE(a_->Activate(fresh.token.id).ok());
  EXPECT_EQ(Reason(*a_, fresh), "");
  EXPECT_EQ(Reason(*a_, old), "forged");
}

// ---- Keyrings of the host's

class HostKeyringTest : public KeyLifeTest {};
INSTANTIATE_TEST_SUITE_P(Stores, HostKeyringTest, testing::Values(StoreKind::kMemory), NameOf);

TEST_P(HostKeyringTest, ACallbackIsAskedAgain) {
  std::string text = KeyringText();
  int calls = 0;
  bool down = false;
  const Keyring keyring = Keyring::Callback([&]() -> absl::StatusOr<std::string> {
    ++calls;
    if (down) return absl::UnavailableError("the vault is down");
    return text;
  });
  const auto b = Open(keyring);
  const auto c = Open(keyring);
  calls = 0;
  EXPECT_EQ(b->RotateKey(kSeal).status().code(), absl::StatusCode::kFailedPrecondition);
  text = *Keyring::AddKey(text, kSeal);
  text = *Keyring::AddKey(text, kSelector);
  RecordKeys(text);
  EXPECT_EQ(b->RotateKey(kSeal)->number, 2);
  EXPECT_EQ(b->RotateKey(kSelector)->number, 2);
  const Issued issued = Issue(*b);
  down = true;
  calls = 0;
  EXPECT_EQ(Reason(*c, issued), "unavailable");
  EXPECT_EQ(Reason(*c, issued), "unavailable");
  EXPECT_EQ(calls, 1);  // not for every verify
  now_ += 1;
  down = false;
  EXPECT_EQ(Reason(*c, issued), "");
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(Reason(*c, issued), "");
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(b->Reseal().ok());
  EXPECT_TRUE(b->RetireKey(kSeal, 1).ok());
  text = *Keyring::RemoveKey(text, kSeal, 1);
  EXPECT_EQ(Reason(*Open(keyring), issued), "");
}

TEST_P(HostKeyringTest, BytesHaveToBeGivenBeforeTheKeyIsUsed) {
  const std::string text = KeyringText();
  const std::string next = *Keyring::AddKey(*Keyring::AddKey(text, kSelector), kSeal);
  RecordKeys(next);
  const auto old = Open(Keyring::Bytes(text));
  const auto ready = Open(Keyring::Bytes(next));
  const Issued before = Issue(*ready);
  EXPECT_EQ(old->RotateKey(kSelector).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ready->RotateKey(kSelector)->number, 2);
  EXPECT_EQ(ready->RotateKey(kSeal)->number, 2);
  const Issued after = Issue(*ready);
  EXPECT_EQ(Reason(*ready, after), "");
  EXPECT_EQ(Reason(*old, after), "unavailable");
  EXPECT_EQ(old->Get(after.token.id).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::IsUnavailable(old->Deactivate(after.token.id)));  // it may be a good one
  EXPECT_TRUE(old->Delete(before.token.id, "alice").ok());            // nothing stops that
  EXPECT_NE(Reason(*ready, before), "");
  EXPECT_EQ(Reason(*ready, after), "");
}

TEST_P(HostKeyringTest, AnotherKeyOfTheSameNumberIsNoticed) {
  const std::string text = KeyringText();
  const std::string mine = *Keyring::AddKey(text, kSelector);
  const std::string theirs = *Keyring::AddKey(text, kSelector);
  RecordKeys(mine);
  RecordKeys(theirs);
  const auto b = Open(Keyring::Bytes(mine));
  const auto c = Open(Keyring::Bytes(theirs));
  ASSERT_TRUE(b->RotateKey(kSelector).ok());
  EXPECT_EQ(Reason(*c, Issue(*b)), "unavailable");
  EXPECT_EQ(TryOpen(Keyring::Bytes(theirs)).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_P(HostKeyringTest, TextsAreChangedWithCare) {
  std::string text = KeyringText();
  EXPECT_EQ(Keyring::RemoveKey(text, kSeal, 1).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Keyring::RemoveKey(text, kSeal, 2).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(Keyring::AddKey("no keyring", kSeal).ok());
  EXPECT_FALSE(Keyring::RemoveKey("no keyring", kSeal, 1).ok());
  for (int i = 2; i <= 8; ++i) text = *Keyring::AddKey(text, kSeal);
  RecordKeys(text);
  EXPECT_EQ(Keyring::AddKey(text, kSeal).status().code(), absl::StatusCode::kFailedPrecondition);
  text = *Keyring::RemoveKey(text, kSeal, 1);
  EXPECT_EQ(text.find("seal 1 "), std::string::npos);
  text = *Keyring::AddKey(text, kSeal);
  RecordKeys(text);
  EXPECT_NE(text.find("\nseal 9 "), std::string::npos);
}

// ---- Threads

TEST_P(KeyLifeTest, KeysChangeUnderThreadsThatVerify) {
  const auto other = Open();
  std::vector<Issued> issued;
  for (int i = 0; i < 4; ++i) issued.push_back(Issue(*a_, i % 2 == 0 ? "alice" : kLongName));
  std::atomic<bool> stop{false};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!stop.load()) {
        for (const Issued& token : issued) refused += Reason(*other, token).empty() ? 0 : 1;
      }
    });
  }
  for (int i = 0; i < 12; ++i) {
    const std::uint16_t newest = Rotate(*a_, kSeal);
    ASSERT_TRUE(a_->Reseal().ok());
    ASSERT_TRUE(a_->RetireKey(kSeal, static_cast<std::uint16_t>(newest - 1)).ok());
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused.load(), 0);
}

}  // namespace
}  // namespace pat
