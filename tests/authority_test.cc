// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The semantics of Authority, over the memory and the LMDB store alike.
#include "pat/authority.h"

#include <gmock/gmock.h>

#include <random>
#include <set>

#include "tests/authority_fixture.h"

namespace pat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

INSTANTIATE_TEST_SUITE_P(Stores, AuthorityTest,
                         testing::Values(StoreKind::kMemory, StoreKind::kLmdb), NameOf);

// ---- Issue and verify

TEST_P(AuthorityTest, IssuedTokenIsAcceptedWithWhatItWasGiven) {
  const Issued issued = Issue();
  EXPECT_EQ(issued.text.Reveal().substr(0, 9), "acme_pat_");
  EXPECT_EQ(issued.text.Reveal().size(), 9 + 55U);
  const Decision decision = authority_->Verify(issued.text.Reveal());
  ASSERT_NE(decision.principal(), nullptr);
  EXPECT_EQ(decision.principal()->account(), "alice");
  EXPECT_EQ(decision.principal()->token_id(), issued.token.id);
  EXPECT_EQ(decision.principal()->method(), Principal::Method::kToken);
  EXPECT_EQ(decision.principal()->permissions(),
            (PermissionSet{kRepoPublicRead, kRepoRead, kRepoWrite}));
  EXPECT_TRUE(decision.principal()->Require(kRepoWrite).allowed());
  EXPECT_FALSE(decision.principal()->Require(kRepoDelete).allowed());
  EXPECT_FALSE(decision.principal()->RequireAccountAdmin().allowed());
}

TEST_P(AuthorityTest, AccountIdsOfEveryLengthAndAnyBytesComeBackFromVerify) {
  for (std::size_t size = 1; size <= kMaxAccountBytes; ++size) {
    std::string account(size, '\0');
    for (std::size_t i = 0; i < size; ++i) account[i] = static_cast<char>(i * 37 + size);
    const Issued issued = Issue(Request(account));
    const Decision decision = authority_->Verify(issued.text.Reveal());
    ASSERT_NE(decision.principal(), nullptr) << size;
    EXPECT_EQ(decision.principal()->account(), account);
    EXPECT_EQ(authority_->Get(issued.token.id)->account, account);
    EXPECT_THAT(ListIds(account), ElementsAre(issued.token.id));
  }
}

TEST_P(AuthorityTest, ViewsShowEverythingButTheSecret) {
  IssueRequest request = Request();
  request.description = "l\xC3\xA4ptop\n\x01";
  request.scopes = {"repo:write", "repo:read"};
  request.expires_at = absl::FromUnixSeconds(kStart + 3600) + absl::Milliseconds(700);
  request.attributes = {{"creator_ip", "192.0.2.1"}, {"client_id", "42"}};
  const Issued issued = Issue(request);
  for (const Token& token :
       {issued.token, *authority_->Get(issued.token.id), ListAll("alice")[0]}) {
    EXPECT_EQ(token.id, issued.token.id);
    EXPECT_EQ(token.public_id.size(), 36U);
    EXPECT_EQ(*authority_->IdOf(token.public_id), token.id);
    EXPECT_EQ(*authority_->PublicIdOf(token.id), token.public_id);
    EXPECT_EQ(token.account, "alice");
    EXPECT_EQ(token.description, request.description);
    EXPECT_THAT(token.scopes, ElementsAre("repo:write", "repo:read"));
    EXPECT_EQ(token.state, State::kActive);
    EXPECT_EQ(token.origin, Origin::kManual);
    EXPECT_EQ(token.created_at, absl::FromUnixSeconds(kStart));
    EXPECT_EQ(token.expires_at, absl::FromUnixSeconds(kStart + 3600));
    EXPECT_EQ(token.last_used_at, std::nullopt);
    EXPECT_EQ(token.attributes, request.attributes);
    EXPECT_EQ(token.deleted_at, std::nullopt);
    EXPECT_FALSE(token.damaged);
  }
}

TEST_P(AuthorityTest, EveryTextIsAnotherAndIdsGoUp) {
  std::set<std::string> secrets;
  std::uint64_t last = 0;
  for (int i = 0; i < 200; ++i) {
    const Issued issued = Issue();
    EXPECT_GT(issued.token.id, last);
    last = issued.token.id;
    secrets.insert(std::string(issued.text.Reveal().substr(9 + kSelectorLength, kSecretLength)));
  }
  EXPECT_EQ(secrets.size(), 200U);
  EXPECT_EQ(last, 200U) << "ids are dense";
}

TEST_P(AuthorityTest, ForgedWrongAndForeignTextsAreRefused) {
  const Issued issued = Issue();
  const std::string text(issued.text.Reveal());
  EXPECT_EQ(Reason(""), "not_token");
  EXPECT_EQ(Reason(text + "\n"), "not_token");
  EXPECT_EQ(Reason(" " + text.substr(1)), "not_token");
  std::string typo = text;
  typo[30] = typo[30] == 'a' ? 'b' : 'a';
  EXPECT_EQ(Reason(typo), "bad_checksum");
  Selector random;
  random.fill(7);
  const TokenText forged = ComposeTokenText("acme_pat_", random, std::string(27, 'a'));
  EXPECT_EQ(Reason(forged.Reveal()), "forged");
  ParsedToken parsed;
  ASSERT_EQ(ParseTokenText(text, authority_->prefixes(), &parsed), ParseResult::kOk);
  const TokenText guess = ComposeTokenText("acme_pat_", parsed.selector, std::string(27, 'a'));
  EXPECT_EQ(Reason(guess.Reveal()), "wrong_secret");
  const TokenText foreign = ComposeTokenText("other_", parsed.selector, std::string(27, 'a'));
  EXPECT_EQ(Reason(foreign.Reveal()), "not_token");
}

TEST_P(AuthorityTest, VerifyManyDecidesAsVerifyDoes) {
  std::vector<std::string> texts;
  for (int i = 0; i < 30; ++i) {
    const Issued issued = Issue();
    std::string text(issued.text.Reveal());
    texts.push_back(text);
    if (i % 3 == 0) {
      ASSERT_TRUE(authority_->Deactivate(issued.token.id, "").ok());
    }
    text[i] = text[i] == 'a' ? 'b' : 'a';
    texts.push_back(text);
    texts.emplace_back(static_cast<std::size_t>(i), 'x');
  }
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{8}, texts.size()}) {
    const std::vector<std::string_view> some(texts.begin(),
                                             texts.begin() + static_cast<std::ptrdiff_t>(n));
    std::size_t next = 0;
    authority_->VerifyMany(some, {}, [&](std::size_t i, const Decision& decision) {
      ASSERT_EQ(i, next++);
      const Decision alone = authority_->Verify(some[i]);
      ASSERT_EQ(decision.principal() == nullptr, alone.principal() == nullptr) << i;
      if (alone.principal() != nullptr) {
        EXPECT_EQ(decision.principal()->token_id(), alone.principal()->token_id());
        EXPECT_EQ(decision.principal()->account(), alone.principal()->account());
      } else {
        EXPECT_EQ(decision.refusal()->reason(), alone.refusal()->reason()) << i;
      }
    });
    EXPECT_EQ(next, n);
  }
}

TEST_P(AuthorityTest, IssueManyIsAllOrNothing) {
  std::vector<IssueRequest> requests(300, Request());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].account = "user" + std::to_string(i % 7);
  }
  absl::StatusOr<std::vector<Issued>> issued = authority_->IssueMany(requests);
  ASSERT_TRUE(issued.ok()) << issued.status();
  ASSERT_EQ(issued->size(), 300U);
  for (std::size_t i = 0; i < issued->size(); ++i) {
    RecordIssuedSecret((*issued)[i].text.Reveal());
    EXPECT_EQ((*issued)[i].token.account, requests[i].account);
    EXPECT_EQ(Reason((*issued)[i]), "");
  }
  EXPECT_THAT(Count("user0"), Pair(43, 0));
  requests[299].description.clear();
  EXPECT_EQ(authority_->IssueMany(requests).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Count("user0"), Pair(43, 0));
  EXPECT_EQ(authority_->IssueMany({})->size(), 0U);
  EXPECT_EQ(authority_->IssueMany(std::vector<IssueRequest>(10001, Request())).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// ---- States

TEST_P(AuthorityTest, DeactivateAndActivateHoldAtOnceAndAreIdempotent) {
  const Issued issued = Issue();
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(authority_->Deactivate(issued.token.id).ok());
    EXPECT_EQ(Reason(issued), "inactive");
    EXPECT_THAT(Count("alice"), Pair(0, 1));
    EXPECT_TRUE(authority_->Deactivate(issued.token.id).ok());
    EXPECT_TRUE(authority_->Activate(issued.token.id).ok());
    EXPECT_EQ(Reason(issued), "");
    EXPECT_THAT(Count("alice"), Pair(1, 0));
    EXPECT_TRUE(authority_->Activate(issued.token.id).ok());
  }
}

TEST_P(AuthorityTest, DeletedIsFinalAndKeepsItsReason) {
  const Issued issued = Issue();
  const std::uint64_t id = issued.token.id;
  now_ += 10;
  EXPECT_TRUE(authority_->Delete(id, "alice", DeleteReason::kLeaked).ok());
  EXPECT_EQ(Reason(issued), "deleted");
  EXPECT_THAT(Count("alice"), Pair(0, 0));
  EXPECT_TRUE(authority_->Delete(id).ok()) << "deleting again is fine";
  EXPECT_TRUE(absl::IsNotFound(authority_->Activate(id)));
  EXPECT_TRUE(absl::IsNotFound(authority_->Deactivate(id)));
  TokenUpdate update;
  update.description = "new";
  EXPECT_TRUE(absl::IsNotFound(authority_->Update(id, update).status()));
  EXPECT_THAT(ListIds("alice"), IsEmpty());
  ListOptions deleted;
  deleted.state = State::kDeleted;
  ASSERT_THAT(ListIds("alice", deleted), ElementsAre(id));
  const Token token = ListAll("alice", deleted)[0];
  EXPECT_EQ(token.delete_reason, DeleteReason::kLeaked);
  EXPECT_EQ(token.deleted_at, absl::FromUnixSeconds(kStart + 10));
  EXPECT_EQ(token.description, "laptop");
  EXPECT_EQ(Reason(issued), "deleted");
}

TEST_P(AuthorityTest, ExpiryIsComputedFromTheClockAndComesBeforeInactive) {
  IssueRequest request = Request();
  request.expires_at = absl::FromUnixSeconds(kStart + 100);
  const Issued issued = Issue(request);
  now_ = kStart + 99;
  EXPECT_EQ(Reason(issued), "");
  now_ = kStart + 100;
  EXPECT_EQ(Reason(issued), "expired");
  EXPECT_EQ(authority_->Get(issued.token.id)->state, State::kExpired);
  EXPECT_TRUE(authority_->Deactivate(issued.token.id).ok());
  EXPECT_EQ(Reason(issued), "expired");
  EXPECT_TRUE(authority_->Activate(issued.token.id).ok()) << "which does not revive it";
  EXPECT_EQ(Reason(issued), "expired");
  EXPECT_TRUE(authority_->Deactivate(issued.token.id).ok());
  now_ = kStart + 50;
  EXPECT_EQ(Reason(issued), "inactive") << "the switch is kept under the expiry";
  now_ = kStart + 100;
  EXPECT_TRUE(authority_->Delete(issued.token.id).ok());
  EXPECT_EQ(Reason(issued), "deleted");
}

TEST_P(AuthorityTest, CountsLeaveOutExpiredTokensWhateverTheClockDoes) {
  for (int i = 1; i <= 5; ++i) {
    IssueRequest request = Request();
    request.expires_at = absl::FromUnixSeconds(kStart + 100 * i);
    const Issued issued = Issue(request);
    if (i % 2 == 0) {
      EXPECT_TRUE(authority_->Deactivate(issued.token.id).ok());
    }
  }
  Issue();
  EXPECT_THAT(Count("alice"), Pair(4, 2));
  now_ = kStart + 100;
  EXPECT_THAT(Count("alice"), Pair(3, 2));
  now_ = kStart + 350;
  EXPECT_THAT(Count("alice"), Pair(2, 1));
  Issue();
  EXPECT_THAT(Count("alice"), Pair(3, 1));
  now_ = kStart + 150;
  EXPECT_THAT(Count("alice"), Pair(4, 2)) << "after the clock was set back";
  now_ = kStart + 1000;
  EXPECT_THAT(Count("alice"), Pair(2, 0));
  EXPECT_THAT(Count("alice"), Pair(2, 0));
}

// ---- Who

TEST_P(AuthorityTest, ClaimsAreHeld) {
  const Issued issued = Issue();
  const auto claim = [](Claim c) {
    Presented presented;
    presented.claim = c;
    return presented;
  };
  EXPECT_EQ(Reason(issued, claim(Claim::Account("alice"))), "");
  EXPECT_EQ(Reason(issued, claim(Claim::Account("bob"))), "wrong_account");
  EXPECT_EQ(Reason(issued, claim(Claim::Account(""))), "wrong_account");
  EXPECT_EQ(Reason(issued, claim(Claim::Unknown())), "unknown_account");
}

TEST_P(AuthorityTest, NeededPermissionsAreRequiredAndTellInsufficientScope) {
  const Issued issued = Issue();
  Presented presented;
  presented.need = {kRepoWrite};
  EXPECT_EQ(Reason(issued, presented), "");
  presented.need = {kRepoWrite, kRepoDelete};
  const Decision decision = authority_->Verify(issued.text.Reveal(), presented);
  ASSERT_NE(decision.refusal(), nullptr);
  EXPECT_EQ(decision.refusal()->http_status(), 403);
  EXPECT_EQ(decision.refusal()->oauth_error(), "insufficient_scope");
  EXPECT_TRUE(authority_->Deactivate(issued.token.id).ok());
  const Decision inactive = authority_->Verify(issued.text.Reveal(), presented);
  EXPECT_EQ(inactive.refusal()->http_status(), 401) << "not 403: the token is no good";
}

TEST_P(AuthorityTest, OwnersCannotTouchTokensOfOthers) {
  const Issued issued = Issue();
  const std::uint64_t id = issued.token.id;
  EXPECT_TRUE(absl::IsNotFound(authority_->Get(id, "bob").status()));
  EXPECT_TRUE(absl::IsNotFound(authority_->Deactivate(id, "bob")));
  EXPECT_TRUE(absl::IsNotFound(authority_->Delete(id, "bob")));
  TokenUpdate update;
  update.scopes = {{"repo:admin"}};
  EXPECT_TRUE(absl::IsNotFound(authority_->Update(id, update, "bob").status()));
  EXPECT_EQ(Reason(issued), "");
  EXPECT_TRUE(authority_->Get(id, "alice").ok());
}

TEST_P(AuthorityTest, PasswordsAreCheckedOnlyForTextThatIsNoToken) {
  const Issued issued = Issue();
  int checks = 0;
  bool good = true;
  const auto check = [&](std::string_view password) {
    ++checks;
    EXPECT_EQ(password, "hunter2");
    return good;
  };
  Presented presented;
  presented.claim = Claim::Account("alice");
  const auto reason = [](const Decision& decision) {
    return decision.refusal() == nullptr ? "" : std::string(ToString(decision.refusal()->reason()));
  };
  const Decision in = authority_->Authenticate("hunter2", presented, false, check);
  ASSERT_NE(in.principal(), nullptr);
  EXPECT_EQ(in.principal()->method(), Principal::Method::kPassword);
  EXPECT_TRUE(in.principal()->RequireAccountAdmin().allowed());
  EXPECT_TRUE(in.principal()->Require(kRepoDelete).allowed());
  EXPECT_EQ(checks, 1);
  EXPECT_EQ(reason(authority_->Authenticate("hunter2", presented, true, check)),
            "password_refused");
  EXPECT_EQ(checks, 2) << "the check runs under two-factor authentication too";
  good = false;
  EXPECT_EQ(reason(authority_->Authenticate("hunter2", presented, false, check)), "wrong_password");
  EXPECT_EQ(reason(authority_->Authenticate("hunter2", presented, true, check)), "wrong_password");
  presented.claim = Claim::Unknown();
  EXPECT_EQ(reason(authority_->Authenticate("hunter2", presented, false, check)),
            "unknown_account");
  EXPECT_EQ(checks, 5) << "and for unknown accounts";
  good = true;
  presented.claim = Claim::None();
  EXPECT_EQ(reason(authority_->Authenticate("hunter2", presented, false, check)), "wrong_password");
  checks = 0;
  presented.claim = Claim::Account("alice");
  const Decision token = authority_->Authenticate(issued.text.Reveal(), presented, true, check);
  EXPECT_NE(token.principal(), nullptr);
  std::string typo(issued.text.Reveal());
  typo.back() = typo.back() == 'a' ? 'b' : 'a';
  EXPECT_EQ(reason(authority_->Authenticate(typo, presented, true, check)), "bad_checksum");
  EXPECT_EQ(checks, 0) << "what looks like a token never reaches the password check";
}

// ---- Last used

TEST_P(AuthorityTest, UseIsNotedToAMinuteAndRefusedTokensAreNot) {
  const Issued issued = Issue();
  Presented presented;
  presented.ip = "192.0.2.7";
  presented.user_agent = "docker/24";
  EXPECT_TRUE(authority_->Deactivate(issued.token.id).ok());
  now_ = kStart + 5;
  EXPECT_EQ(Reason(issued, presented), "inactive");
  EXPECT_EQ(authority_->Get(issued.token.id)->last_used_at, std::nullopt);
  EXPECT_TRUE(authority_->Activate(issued.token.id).ok());
  EXPECT_EQ(Reason(issued, presented), "");
  EXPECT_EQ(authority_->Get(issued.token.id)->last_used_at, absl::FromUnixSeconds(kStart + 5));
  EXPECT_EQ(authority_->Get(issued.token.id)->last_used_ip, "192.0.2.7");
  EXPECT_EQ(authority_->Get(issued.token.id)->last_used_user_agent, "docker/24");
  presented.claim = Claim::Account("bob");
  now_ = kStart + 500;
  EXPECT_EQ(Reason(issued, presented), "wrong_account");
  EXPECT_EQ(authority_->Get(issued.token.id)->last_used_at, absl::FromUnixSeconds(kStart + 5));
  presented.claim = Claim::None();
  presented.need = {kRepoDelete};
  EXPECT_EQ(Reason(issued, presented), "missing_permission");
  EXPECT_EQ(authority_->Get(issued.token.id)->last_used_at, absl::FromUnixSeconds(kStart + 500));
  now_ = kStart + 100;
  EXPECT_EQ(authority_->Get(issued.token.id)->last_used_at, absl::FromUnixSeconds(kStart + 100))
      << "never later than now";
}

// ---- Update

TEST_P(AuthorityTest, UpdatesChangeWhatIsSetAndNothingElse) {
  const Issued issued = Issue();
  const std::uint64_t id = issued.token.id;
  TokenUpdate update;
  update.description = "desk";
  EXPECT_EQ(authority_->Update(id, update)->description, "desk");
  EXPECT_EQ(authority_->Get(id)->description, "desk");
  EXPECT_THAT(authority_->Get(id)->scopes, ElementsAre("repo:write"));
  update = {};
  update.scopes = {{"repo:admin"}};
  update.active = false;
  const absl::StatusOr<Token> token = authority_->Update(id, update, "alice");
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->state, State::kInactive);
  EXPECT_THAT(Count("alice"), Pair(0, 1));
  EXPECT_TRUE(authority_->Activate(id).ok());
  Presented presented;
  presented.need = {kRepoDelete};
  EXPECT_EQ(Reason(issued, presented), "");
  update = {};
  update.scopes = {{"repo:public_read"}};
  EXPECT_TRUE(authority_->Update(id, update).ok());
  EXPECT_EQ(Reason(issued, presented), "missing_permission");
  EXPECT_EQ(authority_->Get(id)->description, "desk");
}

TEST_P(AuthorityTest, AnUpdateWithOneBadMemberChangesNothing) {
  const Issued issued = Issue();
  const std::uint64_t id = issued.token.id;
  TokenUpdate update;
  update.description = "desk";
  update.active = false;
  update.scopes = {{"repo:nonsense"}};
  EXPECT_TRUE(absl::IsInvalidArgument(authority_->Update(id, update).status()));
  update.scopes = {{"repo:read"}};
  update.description = std::string(101, 'x');
  EXPECT_TRUE(absl::IsInvalidArgument(authority_->Update(id, update).status()));
  const absl::StatusOr<Token> token = authority_->Get(id);
  EXPECT_EQ(token->description, "laptop");
  EXPECT_EQ(token->state, State::kActive);
  EXPECT_THAT(token->scopes, ElementsAre("repo:write"));
}

// ---- List

TEST_P(AuthorityTest, PagesAreNewestFirstAndStableUnderChanges) {
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 30; ++i) ids.push_back(Issue().token.id);
  ListOptions options;
  options.limit = 7;
  std::vector<std::uint64_t> seen;
  for (int pages = 0;; ++pages) {
    const absl::StatusOr<TokenPage> page = authority_->List("alice", options);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const Token& token : page->tokens) seen.push_back(token.id);
    if (page->next.empty()) break;
    Issue();  // a newer one must not disturb the older pages
    ASSERT_TRUE(authority_->Delete(page->tokens.back().id).ok());
    options.after = page->next;
    ASSERT_LT(pages, 10);
  }
  std::reverse(ids.begin(), ids.end());
  EXPECT_EQ(seen, ids);
}

TEST_P(AuthorityTest, APageThatEndsTheListHasNoNext) {
  for (int i = 0; i < 4; ++i) Issue();
  ListOptions options;
  options.limit = 4;
  EXPECT_EQ(authority_->List("alice", options)->next, "");
  options.limit = 3;
  EXPECT_NE(authority_->List("alice", options)->next, "");
  EXPECT_TRUE(authority_->List("nobody", options)->tokens.empty());
  options.after = "nonsense";
  EXPECT_TRUE(absl::IsInvalidArgument(authority_->List("alice", options).status()));
}

TEST_P(AuthorityTest, FiltersSelectByStateOriginAndText) {
  IssueRequest request = Request();
  request.description = "Build Server";
  const std::uint64_t manual = Issue(request).token.id;
  const std::uint64_t automatic = Issue(AutoRequest()).token.id;
  const std::uint64_t inactive = Issue().token.id;
  ASSERT_TRUE(authority_->Deactivate(inactive).ok());
  request.expires_at = absl::FromUnixSeconds(kStart + 1);
  const std::uint64_t expired = Issue(request).token.id;
  now_ = kStart + 1;
  ListOptions options;
  options.state = State::kActive;
  EXPECT_THAT(ListIds("alice", options), ElementsAre(automatic, manual));
  options.origin = Origin::kAuto;
  EXPECT_THAT(ListIds("alice", options), ElementsAre(automatic));
  options = {};
  options.state = State::kInactive;
  EXPECT_THAT(ListIds("alice", options), ElementsAre(inactive));
  options.state = State::kExpired;
  EXPECT_THAT(ListIds("alice", options), ElementsAre(expired));
  options = {};
  options.text = "SERVER";
  EXPECT_THAT(ListIds("alice", options), ElementsAre(expired, manual));
  options.limit = 1;
  EXPECT_EQ(authority_->List("alice", options)->tokens[0].id, expired);
  EXPECT_NE(authority_->List("alice", options)->next, "");
}

TEST_P(AuthorityTest, AccountsDoNotSeeEachOther) {
  const std::uint64_t alice = Issue(Request("alice")).token.id;
  const std::uint64_t prefix = Issue(Request("alic")).token.id;
  EXPECT_THAT(ListIds("alice"), ElementsAre(alice));
  EXPECT_THAT(ListIds("alic"), ElementsAre(prefix));
}

// ---- Auto tokens

TEST_P(AuthorityTest, TheSixthAutoTokenPushesOutTheLeastRecentlyUsed) {
  std::vector<Issued> autos;
  for (int i = 0; i < 5; ++i, now_ += 100) autos.push_back(Issue(AutoRequest()));
  const Issued manual = Issue();
  EXPECT_EQ(Reason(autos[0]), "");  // used: now the second is the oldest
  now_ += 100;
  const Issued sixth = Issue(AutoRequest());
  EXPECT_EQ(Reason(autos[0]), "");
  EXPECT_EQ(Reason(autos[1]), "deleted");
  EXPECT_EQ(authority_->Get(autos[1].token.id)->delete_reason, DeleteReason::kEvicted);
  EXPECT_THAT(sixth.evicted, ElementsAre(autos[1].token.id));
  EXPECT_THAT(autos[4].evicted, ElementsAre());
  EXPECT_EQ(Reason(manual), "");
  EXPECT_EQ(Reason(sixth), "") << "a login not used yet is not the first to go";
  EXPECT_THAT(Count("alice"), Pair(6, 0));
  EXPECT_THAT(sixth.token.scopes, ElementsAre("repo:admin"));
  ListOptions options;
  options.origin = Origin::kAuto;
  EXPECT_EQ(ListIds("alice", options).size(), 5U);
}

TEST_P(AuthorityTest, ExpiredAutoTokensGoFirstAndInactiveOnesCount) {
  std::vector<Issued> autos;
  for (int i = 0; i < 5; ++i, now_ += 100) {
    IssueRequest request = AutoRequest();
    if (i == 3) request.expires_at = absl::FromUnixSeconds(now_ + 150);
    autos.push_back(Issue(request));
  }
  ASSERT_TRUE(authority_->Deactivate(autos[1].token.id).ok());
  now_ += 200;
  Issue(AutoRequest());
  EXPECT_EQ(Reason(autos[3]), "deleted");
  Issue(AutoRequest());
  EXPECT_EQ(Reason(autos[0]), "deleted");
  Issue(AutoRequest());
  EXPECT_EQ(Reason(autos[1]), "deleted");
  EXPECT_EQ(Reason(autos[2]), "");
}

TEST_P(AuthorityTest, DeletingAnAutoTokenMakesRoom) {
  std::vector<Issued> autos;
  for (int i = 0; i < 5; ++i, ++now_) autos.push_back(Issue(AutoRequest()));
  ASSERT_TRUE(authority_->Delete(autos[4].token.id).ok());
  Issue(AutoRequest());
  EXPECT_EQ(Reason(autos[0]), "");
  EXPECT_EQ(authority_->IssueMany(std::vector<IssueRequest>(6, AutoRequest())).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(AuthorityTest, ManyAutoTokensAtOnceTellWhatMadeRoomForThem) {
  std::vector<Issued> autos;
  for (int i = 0; i < 5; ++i, ++now_) autos.push_back(Issue(AutoRequest()));
  const absl::StatusOr<std::vector<Issued>> more =
      authority_->IssueMany({Request(), AutoRequest(), AutoRequest()});
  ASSERT_TRUE(more.ok());
  for (const Issued& issued : *more) RecordIssuedSecret(issued.text.Reveal());
  EXPECT_THAT((*more)[0].evicted, IsEmpty());
  EXPECT_THAT((*more)[1].evicted, ElementsAre(autos[0].token.id, autos[1].token.id));
  EXPECT_THAT((*more)[2].evicted, IsEmpty());
}

// ---- Purge

TEST_P(AuthorityTest, PurgeForgetsOnlyWhatWasDeletedBefore) {
  const Issued kept = Issue();
  const Issued early = Issue();
  const Issued late = Issue();
  ASSERT_TRUE(authority_->Delete(early.token.id).ok());
  now_ += 100;
  ASSERT_TRUE(authority_->Delete(late.token.id).ok());
  EXPECT_EQ(*authority_->Purge(absl::FromUnixSeconds(kStart)), 0U);
  EXPECT_EQ(*authority_->Purge(absl::FromUnixSeconds(kStart + 100)), 1U);
  EXPECT_EQ(Reason(early), "unknown_token");
  EXPECT_TRUE(absl::IsNotFound(authority_->Get(early.token.id).status()));
  EXPECT_EQ(Reason(late), "deleted");
  EXPECT_EQ(Reason(kept), "");
  EXPECT_EQ(*authority_->Purge(absl::InfiniteFuture()), 1U);
  ListOptions deleted;
  deleted.state = State::kDeleted;
  EXPECT_THAT(ListIds("alice", deleted), IsEmpty());
  EXPECT_THAT(ListIds("alice"), ElementsAre(kept.token.id));
  EXPECT_GT(Issue().token.id, late.token.id) << "ids are never used again";
}

TEST_P(AuthorityTest, PurgeOfManyWorksInBatchesUpToItsLimit) {
  absl::StatusOr<std::vector<Issued>> issued =
      authority_->IssueMany(std::vector<IssueRequest>(2500, Request()));
  ASSERT_TRUE(issued.ok());
  for (std::size_t i = 0; i < issued->size(); ++i) {
    RecordIssuedSecret((*issued)[i].text.Reveal());
    if (i % 2 == 0) {
      ASSERT_TRUE(authority_->Delete((*issued)[i].token.id).ok());
    }
  }
  EXPECT_EQ(*authority_->Purge(absl::InfiniteFuture(), 1100), 1100U);
  EXPECT_EQ(*authority_->Purge(absl::InfiniteFuture(), 1100), 150U);
  EXPECT_EQ(*authority_->Purge(absl::InfiniteFuture(), 1100), 0U);
  EXPECT_THAT(Count("alice"), Pair(1250, 0));
}

TEST_P(AuthorityTest, PurgeTellsHowFarItIsAndStopsWhenTold) {
  absl::StatusOr<std::vector<Issued>> issued =
      authority_->IssueMany(std::vector<IssueRequest>(2500, Request()));
  ASSERT_TRUE(issued.ok());
  for (std::size_t i = 0; i < issued->size(); ++i) {
    RecordIssuedSecret((*issued)[i].text.Reveal());
    if (i % 5 == 0) {
      ASSERT_TRUE(authority_->Delete((*issued)[i].token.id).ok());
    }
  }
  std::vector<PassProgress> steps;
  const auto stop = [&](const PassProgress& progress) {
    steps.push_back(progress);
    return progress.tokens < 2000;
  };
  EXPECT_TRUE(absl::IsCancelled(authority_->Purge(absl::InfiniteFuture(), 1000, stop).status()));
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].tokens, 1000U);
  EXPECT_EQ(steps[1].tokens, 2000U);
  EXPECT_EQ(steps[0].written, 200U);
  EXPECT_EQ(steps[1].written, 400U) << "the step it was stopped after is done";
  EXPECT_GT(steps[1].next_token_id, issued->back().token.id);
  EXPECT_EQ(Reason((*issued)[0]), "unknown_token");
  EXPECT_EQ(Reason((*issued)[2495]), "deleted");
  EXPECT_EQ(*authority_->Purge(absl::InfiniteFuture(), 1000), 100U);
}

// ---- Opening

TEST_P(AuthorityTest, RefusesBadOptions) {
  AuthorityOptions options = Options();
  const auto open = [&] {
    return Authority::Open(NewMemoryStore(), Keyring::Bytes(*Keyring::Generate()), options)
        .status()
        .code();
  };
  options.prefixes = {"noUnderscore"};
  EXPECT_EQ(open(), absl::StatusCode::kInvalidArgument);
  options.prefixes = {};
  EXPECT_EQ(open(), absl::StatusCode::kInvalidArgument);
  options = Options();
  options.auto_tokens.max_per_account = 0;
  EXPECT_EQ(open(), absl::StatusCode::kInvalidArgument);
  options = Options();
  options.create_if_missing = false;
  EXPECT_EQ(open(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Authority::Open(nullptr, Keyring::Bytes("")).status().code(),
            absl::StatusCode::kInvalidArgument);
}

class LmdbAuthorityTest : public AuthorityTest {};
INSTANTIATE_TEST_SUITE_P(Stores, LmdbAuthorityTest, testing::Values(StoreKind::kLmdb), NameOf);

TEST_P(LmdbAuthorityTest, EverythingIsThereAfterReopening) {
  const Issued active = Issue();
  const Issued inactive = Issue();
  const Issued deleted = Issue();
  Presented presented;
  presented.ip = "192.0.2.7";
  EXPECT_EQ(Reason(active, presented), "");
  ASSERT_TRUE(authority_->Deactivate(inactive.token.id).ok());
  ASSERT_TRUE(authority_->Delete(deleted.token.id).ok());
  authority_.reset();
  AuthorityOptions options = Options();
  options.create_if_missing = false;
  options.prefixes = {};
  options.scopes = {};
  authority_ = Open(options);
  ASSERT_NE(authority_, nullptr);
  EXPECT_THAT(authority_->prefixes(), ElementsAre("acme_pat_"));
  EXPECT_EQ(authority_->scopes().scopes().size(), 4U);
  EXPECT_EQ(Reason(active), "");
  EXPECT_EQ(Reason(inactive), "inactive");
  EXPECT_EQ(Reason(deleted), "deleted");
  EXPECT_EQ(authority_->Get(active.token.id)->last_used_ip, "192.0.2.7");
  EXPECT_EQ(authority_->Get(active.token.id)->last_used_at, absl::FromUnixSeconds(kStart));
  EXPECT_THAT(Count("alice"), Pair(1, 1));
}

TEST_P(LmdbAuthorityTest, PrefixesAddUpAndOldTokensStayAccepted) {
  const Issued old = Issue();
  authority_.reset();
  AuthorityOptions options = Options();
  options.prefixes = {"new_pat_"};
  authority_ = Open(options);
  const Issued fresh = Issue();
  EXPECT_EQ(fresh.text.Reveal().substr(0, 8), "new_pat_");
  EXPECT_EQ(Reason(old), "");
  authority_.reset();
  options.prefixes = {};
  authority_ = Open(options);
  EXPECT_THAT(authority_->prefixes(), ElementsAre("new_pat_", "acme_pat_"));
  EXPECT_EQ(Reason(fresh), "");
}

TEST_P(LmdbAuthorityTest, ScopesMayBeExtendedButNeverRedefined) {
  const Issued issued = Issue();
  authority_.reset();
  const Permission wiki{"wiki:edit", 9};
  AuthorityOptions options = Options();
  options.scopes = *ScopeSet::Create({wiki}, {{"wiki", {wiki}}});
  authority_ = Open(options);
  ASSERT_NE(authority_, nullptr);
  IssueRequest request = Request();
  request.scopes = {"wiki", "repo:read"};
  EXPECT_EQ(authority_->Verify(Issue(request).text.Reveal()).principal()->permissions(),
            (PermissionSet{wiki, kRepoPublicRead, kRepoRead}));
  EXPECT_EQ(Reason(issued), "");
  authority_.reset();
  for (const Permission& wrong : {Permission{"wiki:edit", 10}, Permission{"other", 9}}) {
    options.scopes = *ScopeSet::Create({wrong}, {});
    EXPECT_EQ(Authority::Open(MakeStore(), Keyring::File(folder_.path() + "/keyring"), options)
                  .status()
                  .code(),
              absl::StatusCode::kFailedPrecondition);
  }
  options.scopes = *ScopeSet::Create({wiki, {"x", 11}}, {{"wiki", {wiki, {"x", 11}}}});
  EXPECT_EQ(Authority::Open(MakeStore(), Keyring::File(folder_.path() + "/keyring"), options)
                .status()
                .code(),
            absl::StatusCode::kFailedPrecondition);
}

// ---- A model to compare with

// A million steps would be a soak; here the seeds are few and the model is simple on purpose.
TEST_P(AuthorityTest, RandomOperationsAgreeWithASimpleModel) {
  struct Model {
    bool active = true;
    bool deleted = false;
    std::int64_t expires = 0;
    std::string account;
    Origin origin = Origin::kManual;
  };
  std::mt19937 random(20261125);
  const auto dice = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const std::vector<std::string> accounts = {"a", std::string(40, 'b'), "c"};
  std::map<std::uint64_t, Model> model;
  std::map<std::uint64_t, Issued> texts;
  for (int step = 0; step < 1500; ++step) {
    now_ += dice(40);
    const int what = dice(10);
    if (what < 3 || model.empty()) {
      IssueRequest request = Request(accounts[static_cast<std::size_t>(dice(3))]);
      if (dice(3) == 0) request.expires_at = absl::FromUnixSeconds(now_ + 1 + dice(600));
      Issued issued = Issue(request);
      Model& token = model[issued.token.id];
      token.account = request.account;
      if (request.expires_at) token.expires = absl::ToUnixSeconds(*request.expires_at);
      texts.emplace(issued.token.id, std::move(issued));
    } else {
      auto it = std::next(model.begin(), dice(static_cast<int>(model.size())));
      Model& token = it->second;
      absl::Status status;
      if (what < 5) {
        status = authority_->Deactivate(it->first);
        if (!token.deleted) token.active = false;
      } else if (what < 8) {
        status = authority_->Activate(it->first);
        if (!token.deleted) token.active = true;
      } else if (what < 9) {
        status = authority_->Delete(it->first);
        EXPECT_TRUE(status.ok()) << status;
        token.deleted = true;
      }
      EXPECT_EQ(status.ok(), !token.deleted || what >= 8) << status;
    }
    const auto it = std::next(model.begin(), dice(static_cast<int>(model.size())));
    const Model& token = it->second;
    const bool expired = token.expires != 0 && now_ >= token.expires;
    EXPECT_EQ(Reason(texts.at(it->first)), token.deleted   ? "deleted"
                                           : expired       ? "expired"
                                           : !token.active ? "inactive"
                                                           : "");
    if (step % 50 != 0) continue;
    for (const std::string& account : accounts) {
      std::uint64_t active = 0;
      std::uint64_t inactive = 0;
      std::vector<std::uint64_t> ids;
      for (const auto& [id, t] : model) {
        if (t.account != account || t.deleted) continue;
        ids.insert(ids.begin(), id);
        if (t.expires != 0 && now_ >= t.expires) continue;
        ++(t.active ? active : inactive);
      }
      EXPECT_THAT(Count(account), Pair(active, inactive));
      EXPECT_EQ(ListIds(account), ids);
    }
  }
}

}  // namespace
}  // namespace pat
