// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Whatever an Authority is fed, NULs, nothing, the longest, invalid UTF-8, the largest numbers: a
// clear error that repeats no secret and no description, and nothing is changed.
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/authority_fixture.h"

namespace pat {
namespace {

// Stands for what must not be repeated: a description or a secret.
constexpr std::string_view kPrivate = "Pr1vateW0rds";

/// Everything that can be seen of an authority.
std::string Snapshot(Authority* authority) {
  std::string all;
  for (const char* account : {"alice", "bob", "mallory"}) {
    for (const std::optional<State> state :
         {std::optional<State>(), std::optional(State::kDeleted)}) {
      ListOptions options;
      options.limit = 1000;
      options.state = state;
      const absl::StatusOr<TokenPage> page = authority->List(account, options);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return "?";
      for (const Token& token : page->tokens) {
        all += std::to_string(token.id) + token.public_id + token.account + token.description;
        for (const std::string& scope : token.scopes) all += scope;
        for (const auto& [name, value] : token.attributes) all += name + value;
        all += std::to_string(token.permissions.bits()) + std::string(ToString(token.state)) +
               std::string(ToString(token.origin)) + (token.damaged ? "damaged" : "");
        for (const auto& time : {token.expires_at, token.last_used_at, token.deleted_at}) {
          all += ' ' + (time.has_value() ? std::to_string(absl::ToUnixSeconds(*time)) : "never");
        }
        all += token.last_used_ip + token.last_used_user_agent + '\n';
      }
    }
    const absl::StatusOr<Counts> counts = authority->Count(account);
    EXPECT_TRUE(counts.ok()) << counts.status();
    all += std::to_string(counts->active) + ' ' + std::to_string(counts->inactive) + '\n';
  }
  const absl::StatusOr<StoreStats> stats = authority->Stats();
  EXPECT_TRUE(stats.ok()) << stats.status();
  all += std::to_string(stats->accounts) + ' ' + std::to_string(stats->next_token_id);
  return all;
}

class InputTest : public AuthorityTest {
 protected:
  void SetUp() override {
    AuthorityTest::SetUp();
    kept_ = Issue(Request("alice"));
    Issue(Request("bob"));
    const Issued gone = Issue(Request("alice"));
    ASSERT_TRUE(authority_->Delete(gone.token.id).ok());
    gone_ = gone.token.id;
    before_ = Snapshot(authority_.get());
  }

  void ExpectRefused(const absl::Status& status, absl::StatusCode code) {
    EXPECT_EQ(status.code(), code) << status;
    const std::string message(status.message());
    EXPECT_GE(message.size(), 8U);
    EXPECT_LE(message.size(), 300U);
    for (const std::string_view never :
         {kPrivate, std::string_view("\0", 1), std::string_view("\xFF")}) {
      EXPECT_EQ(message.find(never), std::string::npos);
    }
    EXPECT_EQ(Snapshot(authority_.get()), before_);
  }
  void ExpectInvalid(const absl::Status& status) {
    ExpectRefused(status, absl::StatusCode::kInvalidArgument);
  }
  void ExpectNotFound(const absl::Status& status) {
    ExpectRefused(status, absl::StatusCode::kNotFound);
  }

  Issued kept_;
  std::uint64_t gone_ = 0;
  std::string before_;
};

INSTANTIATE_TEST_SUITE_P(Stores, InputTest, testing::Values(StoreKind::kMemory, StoreKind::kLmdb),
                         NameOf);

const std::string kNul("\0", 1);
const std::string kBadAccounts[] = {"", std::string(129, 'a'), std::string(1 << 20, 'a')};

std::vector<std::string> BadDescriptions() {
  const std::string words(kPrivate);
  return {"",
          kNul,
          words + kNul,
          words + "\xFF",
          words + "\xC3",
          words + "\xC0\x80",
          words + "\xED\xA0\x80",
          words + "\xF4\x90\x80\x80",
          words + std::string(100, 'x'),
          words + std::string(401, 'x'),
          words + std::string(1 << 20, 'x')};
}

std::vector<std::vector<std::string>> BadScopes() {
  return {{},
          {""},
          {"repo:none"},
          {"REPO:READ"},
          {"repo:read "},
          {"repo:read" + kNul},
          {"repo:read", "repo:read"},
          {"repo:read", ""},
          {"account"},
          {"account:password"},
          {"\xFF"},
          {std::string(1 << 20, 'x')},
          {kNul}};
}

// ---- Issue

TEST_P(InputTest, BadIssueRequestsChangeNothing) {
  std::vector<std::pair<std::string, std::function<void(IssueRequest&)>>> spoils;
  for (const std::string& account : kBadAccounts) {
    spoils.emplace_back("account", [=](IssueRequest& r) { r.account = account; });
  }
  for (const std::string& text : BadDescriptions()) {
    spoils.emplace_back("description", [=](IssueRequest& r) { r.description = text; });
  }
  for (const std::vector<std::string>& scopes : BadScopes()) {
    spoils.emplace_back("scopes", [=](IssueRequest& r) { r.scopes = scopes; });
  }
  for (const absl::Time time :
       {absl::InfinitePast(), absl::InfiniteFuture(), absl::UnixEpoch(),
        absl::FromUnixSeconds(kStart), absl::FromUnixSeconds(kStart) + absl::Milliseconds(999),
        absl::FromUnixSeconds(-1), absl::FromUnixSeconds(0xFFFFFFFF),
        absl::FromUnixSeconds(std::numeric_limits<std::int64_t>::max()),
        absl::FromUnixSeconds(std::numeric_limits<std::int64_t>::min())}) {
    spoils.emplace_back("expiry", [=](IssueRequest& r) { r.expires_at = time; });
  }
  const std::string words(kPrivate);
  for (const Attributes& attributes :
       {Attributes{{"", words}}, Attributes{{words, kNul}}, Attributes{{kNul, words}},
        Attributes{{words, "\xFF"}}, Attributes{{"\xFF", words}},
        Attributes{{words, std::string(1025, 'x')}}, Attributes{{std::string(1025, 'x'), ""}},
        Attributes{{words, std::string(1 << 20, 'x')}}}) {
    spoils.emplace_back("attributes", [=](IssueRequest& r) { r.attributes = attributes; });
  }
  Attributes many;
  for (int i = 0; i < 1000; ++i) many[std::to_string(i)] = "x";
  spoils.emplace_back("attributes", [=](IssueRequest& r) { r.attributes = many; });

  for (std::size_t i = 0; i < spoils.size(); ++i) {
    SCOPED_TRACE(spoils[i].first + ", " + std::to_string(i));
    IssueRequest request = Request("mallory");
    spoils[i].second(request);
    ExpectInvalid(authority_->Issue(request).status());
    // Among good ones: none of them.
    const std::vector<IssueRequest> requests = {Request("mallory"), Request("alice"), request};
    ExpectInvalid(authority_->IssueMany(requests).status());
  }
}

TEST_P(InputTest, TooManyAtOnceChangeNothing) {
  ExpectInvalid(
      authority_->IssueMany(std::vector<IssueRequest>(10001, Request("mallory"))).status());
  std::vector<IssueRequest> autos(6, AutoRequest("mallory"));
  ExpectInvalid(authority_->IssueMany(autos).status());
  EXPECT_EQ(authority_->IssueMany({})->size(), 0U);
  EXPECT_EQ(Snapshot(authority_.get()), before_);
}

TEST_P(InputTest, TheLargestThatIsAllowedComesBack) {
  IssueRequest request = Request(std::string(128, '\0'));
  request.description.clear();
  for (int i = 0; i < 100; ++i) request.description += "\xF4\x8F\xBF\xBF";
  request.scopes = {"repo:public_read", "repo:read", "repo:write", "repo:admin"};
  request.attributes = {{"a", std::string(1023, 'x')}};
  request.expires_at = absl::FromUnixSeconds(0xFFFFFFFE);
  const Issued issued = Issue(request);
  const absl::StatusOr<Token> token = authority_->Get(issued.token.id, request.account);
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->account, request.account);
  EXPECT_EQ(token->description, request.description);
  EXPECT_EQ(token->scopes, request.scopes);
  EXPECT_EQ(token->attributes, request.attributes);
  EXPECT_EQ(token->expires_at, request.expires_at);
  Presented presented;
  presented.claim = Claim::Account(request.account);
  EXPECT_EQ(Reason(issued, presented), "");
}

// ---- Looking

TEST_P(InputTest, BadIdsAreNotFound) {
  TokenUpdate rename;
  rename.description = "renamed";
  for (const std::uint64_t id :
       {std::uint64_t{0}, std::uint64_t{1000000}, std::uint64_t{1} << 47, (std::uint64_t{1} << 48),
        (std::uint64_t{1} << 48) + kept_.token.id, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    SCOPED_TRACE(id);
    for (const std::string_view owner : {std::string_view(), std::string_view("alice")}) {
      ExpectNotFound(authority_->Get(id, owner).status());
      ExpectNotFound(authority_->Update(id, rename, owner).status());
      ExpectNotFound(authority_->Activate(id, owner));
      ExpectNotFound(authority_->Deactivate(id, owner));
      ExpectNotFound(authority_->Delete(id, owner));
    }
  }
  ExpectNotFound(authority_->Update(gone_, rename).status());
  ExpectNotFound(authority_->Activate(gone_));
  ExpectNotFound(authority_->Deactivate(gone_));
}

TEST_P(InputTest, BadOwnersOwnNothing) {
  TokenUpdate rename;
  rename.description = "renamed";
  for (const std::string& owner :
       {std::string("bob"), std::string("mallory"), "alice" + kNul, std::string("alic"), kNul,
        std::string("\xFF"), std::string(16, '\0'), std::string(128, 'a'), std::string(129, 'a'),
        std::string(1 << 20, 'a')}) {
    SCOPED_TRACE(owner.size());
    const std::uint64_t id = kept_.token.id;
    ExpectNotFound(authority_->Get(id, owner).status());
    ExpectNotFound(authority_->Update(id, rename, owner).status());
    ExpectNotFound(authority_->Activate(id, owner));
    ExpectNotFound(authority_->Deactivate(id, owner));
    ExpectNotFound(authority_->Delete(id, owner));
    ExpectNotFound(authority_->Delete(gone_, owner));
  }
}

TEST_P(InputTest, BadListsAndCountsAreRefused) {
  for (const std::string& account : kBadAccounts) {
    ExpectInvalid(authority_->List(account).status());
    ExpectInvalid(authority_->Count(account).status());
  }
  for (const std::size_t limit :
       {std::size_t{0}, std::size_t{1001}, std::numeric_limits<std::size_t>::max()}) {
    ListOptions options;
    options.limit = limit;
    ExpectInvalid(authority_->List("alice", options).status());
  }
  for (const std::string& cursor :
       {std::string("x"), std::string("1"), kNul, std::string(36, '0'), std::string(36, '\0'),
        std::string("00000000-0000-0000-0000-000000000000"), std::string(1 << 20, '0'),
        kept_.token.public_id + kNul, std::string("\xFF")}) {
    ListOptions options;
    options.after = cursor;
    ExpectInvalid(authority_->List("alice", options).status());
    ExpectInvalid(authority_->List("mallory", options).status());
    ExpectInvalid(authority_->IdOf(cursor).status());
  }
  ExpectInvalid(authority_->IdOf("").status());
  // Any text can be looked for.
  for (const std::string& text : {kNul, std::string("\xFF"), std::string(1 << 20, 'x')}) {
    ListOptions options;
    options.text = text;
    const absl::StatusOr<TokenPage> page = authority_->List("alice", options);
    ASSERT_TRUE(page.ok());
    EXPECT_TRUE(page->tokens.empty());
  }
  EXPECT_TRUE(authority_->List(kNul)->tokens.empty());
  EXPECT_EQ(authority_->Count("\xFF")->active, 0U);
}

TEST_P(InputTest, NumbersThatAreNoStateAndNoOriginSelectNothing) {
  ListOptions options;
  options.state = static_cast<State>(99);
  absl::StatusOr<TokenPage> page = authority_->List("alice", options);
  EXPECT_TRUE(!page.ok() || page->tokens.empty());
  options.state.reset();
  options.origin = static_cast<Origin>(99);
  page = authority_->List("alice", options);
  EXPECT_TRUE(!page.ok() || page->tokens.empty());
}

TEST_P(InputTest, NumbersThatAreNoOriginOrReasonAreRefused) {
  for (const int number : {-1, 2, 99, std::numeric_limits<int>::max()}) {
    IssueRequest request = Request("mallory");
    request.origin = static_cast<Origin>(number);
    ExpectInvalid(authority_->Issue(request).status());
  }
  for (const int number : {-1, 6, 99, std::numeric_limits<int>::max()}) {
    ExpectInvalid(authority_->Delete(kept_.token.id, {}, static_cast<DeleteReason>(number)));
  }
}

// ---- Changing

TEST_P(InputTest, BadUpdatesChangeNothing) {
  for (const std::string& text : BadDescriptions()) {
    TokenUpdate update;
    update.description = text;
    ExpectInvalid(authority_->Update(kept_.token.id, update).status());
    update.active = false;  // none of it
    update.scopes = {{"repo:admin"}};
    ExpectInvalid(authority_->Update(kept_.token.id, update, "alice").status());
  }
  for (const std::vector<std::string>& scopes : BadScopes()) {
    TokenUpdate update;
    update.scopes = scopes;
    ExpectInvalid(authority_->Update(kept_.token.id, update).status());
    update.active = false;
    update.description = kPrivate;
    ExpectInvalid(authority_->Update(kept_.token.id, update, "alice").status());
  }
  EXPECT_TRUE(authority_->Update(kept_.token.id, {}).ok());
  EXPECT_EQ(Snapshot(authority_.get()), before_);
}

TEST_P(InputTest, PurgeTakesAnyTimeAndLimit) {
  for (const absl::Time time : {absl::InfinitePast(), absl::FromUnixSeconds(-1), absl::UnixEpoch(),
                                absl::FromUnixSeconds(kStart)}) {
    EXPECT_EQ(*authority_->Purge(time), 0U);
    EXPECT_EQ(*authority_->Purge(time, std::numeric_limits<std::size_t>::max()), 0U);
  }
  EXPECT_EQ(*authority_->Purge(absl::InfiniteFuture(), 0), 0U);
  EXPECT_EQ(Snapshot(authority_.get()), before_);
  EXPECT_EQ(*authority_->Purge(absl::InfiniteFuture(), std::numeric_limits<std::size_t>::max()),
            1U);
  EXPECT_FALSE(authority_->Get(gone_).ok());
  EXPECT_TRUE(authority_->Get(kept_.token.id).ok());
}

// ---- Deciding

TEST_P(InputTest, TextsThatAreNoTokensAreRefusedAndNoted) {
  const std::string good(kept_.text.Reveal());
  std::vector<std::string> texts = {"",
                                    kNul,
                                    std::string(64, '\0'),
                                    std::string(64, '\xFF'),
                                    "acme_pat_",
                                    "acme_pat_" + std::string(55, '\0'),
                                    good + kNul,
                                    kNul + good,
                                    good + "\n",
                                    " " + good,
                                    good + good,
                                    good.substr(0, good.size() - 1),
                                    std::string(1 << 24, 'x')};
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char c : {'\0', '\xFF', ' ', '_', 'z'}) {
      std::string edited = good;
      if (edited[i] == c) continue;
      edited[i] = c;
      texts.push_back(edited);
    }
  }
  for (const std::string& text : texts) {
    EXPECT_NE(Reason(text), "");
    bool asked = false;
    const Decision decision = authority_->Authenticate(text, {}, true, [&](std::string_view) {
      asked = true;
      return true;
    });
    EXPECT_NE(decision.refusal(), nullptr);
    EXPECT_EQ(asked, !LooksLikeToken(text, authority_->prefixes()));
  }
  EXPECT_EQ(Snapshot(authority_.get()), before_);
}

TEST_P(InputTest, BadClaimsAreNobodys) {
  for (const std::string& account :
       {std::string(), kNul, "alice" + kNul, std::string("ALICE"), std::string("\xFF"),
        std::string(129, 'a'), std::string(1 << 20, 'a')}) {
    Presented presented;
    presented.claim = Claim::Account(account);
    EXPECT_EQ(Reason(kept_, presented), "wrong_account");
    if (ValidateAccount(account).ok()) continue;
    const Decision decision =
        authority_->Authenticate("password", presented, false, [](auto) { return true; });
    ASSERT_NE(decision.refusal(), nullptr);
    EXPECT_EQ(decision.refusal()->reason(), RefusalReason::kWrongPassword);
  }
  EXPECT_EQ(Snapshot(authority_.get()), before_);
}

TEST_P(InputTest, AnyPlaceOfUseIsTakenAndCut) {
  const std::string places[] = {"", kNul, "\xFF\xFE", std::string(46, '1'),
                                std::string(1 << 20, 'x')};
  for (const std::string& ip : places) {
    for (const std::string& agent : places) {
      now_ += 61;
      Presented presented;
      presented.ip = ip;
      presented.user_agent = agent;
      EXPECT_EQ(Reason(kept_, presented), "");
      const absl::StatusOr<Token> token = authority_->Get(kept_.token.id);
      ASSERT_TRUE(token.ok()) << token.status();
      EXPECT_LE(token->last_used_ip.size(), 45U);
      EXPECT_LE(token->last_used_user_agent.size(), 128U);
    }
  }
  EXPECT_TRUE(authority_->Flush().ok());
  EXPECT_TRUE(authority_->Get(kept_.token.id).ok());
}

TEST_P(InputTest, AClockFarOffDoesNoHarm) {
  for (const std::int64_t now :
       {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
        std::numeric_limits<std::int64_t>::max()}) {
    now_ = now;
    EXPECT_EQ(Reason(kept_), "");  // it never expires
    EXPECT_TRUE(authority_->Get(kept_.token.id).ok());
    EXPECT_TRUE(authority_->Count("alice").ok());
  }
}

// ---- Opening

TEST_P(InputTest, BadOptionsAreRefused) {
  authority_.reset();
  const auto open = [&](const std::function<void(AuthorityOptions&)>& spoil) {
    AuthorityOptions options = Options();
    spoil(options);
    return Authority::Open(MakeStore(), Keyring::File(folder_.path() + "/keyring2"), options)
        .status();
  };
  std::vector<std::vector<std::string>> prefixes = {{""},
                                                    {"_"},
                                                    {"a"},
                                                    {"pat"},
                                                    {"pät_"},
                                                    {"p-t_"},
                                                    {"p t_"},
                                                    {"p" + kNul + "_"},
                                                    {std::string(20, 'a') + "_"},
                                                    {std::string(1 << 20, 'a') + "_"},
                                                    {"ok_", ""}};
  prefixes.emplace_back(9, "a_");
  for (const auto& list : prefixes) {
    EXPECT_TRUE(absl::IsInvalidArgument(open([&](AuthorityOptions& o) { o.prefixes = list; })));
  }
  for (const int most :
       {0, -1, 65, std::numeric_limits<int>::max(), std::numeric_limits<int>::min()}) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        open([&](AuthorityOptions& o) { o.auto_tokens.max_per_account = most; })));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(
      Authority::Open(nullptr, Keyring::File(folder_.path() + "/keyring2"), Options()).status()));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/keyring2"));
}

TEST_P(InputTest, PolicyScopesThatAreNotDeclaredAreRefused) {
  authority_.reset();
  for (const std::vector<std::string>& scopes : BadScopes()) {
    AuthorityOptions options = Options();
    options.auto_tokens.scopes = scopes;
    const absl::Status status =
        Authority::Open(MakeStore(), Keyring::File(folder_.path() + "/keyring"), options).status();
    EXPECT_FALSE(status.ok());
    EXPECT_FALSE(status.message().empty());
  }
}

TEST_P(InputTest, BadStorePathsAreRefused) {
  for (const std::string& path :
       {std::string(), kNul, folder_.path() + "/x" + kNul + "y", std::string(1 << 16, 'a'),
        folder_.path() + "/no/such/folder", std::string("/dev/null")}) {
    LmdbOptions options;
    options.create_if_missing = true;
    const absl::Status status = OpenLmdbStore(path, options).status();
    EXPECT_FALSE(status.ok());
    EXPECT_FALSE(status.message().empty());
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/x"));
}

}  // namespace
}  // namespace pat
