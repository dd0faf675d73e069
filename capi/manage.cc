// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Creating, looking, changing, operating. What a change hands out gets its memory before the
// change is made: see token.h.
#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "capi/call.h"
#include "capi/handles.h"
#include "capi/names.h"
#include "capi/token.h"

namespace pat::capi {
namespace {

constexpr std::size_t kMostIssued = 10000;
constexpr std::size_t kPublicIdLength = 36;

absl::Status TakeRequest(const pat_issue_request* given, IssueRequest* request) {
  if (given == nullptr) return NullArgument();
  pat_issue_request taken;
  std::string_view account;
  if (absl::Status s = Take(given, &taken); !s.ok()) return s;
  if (absl::Status s = TakeText(taken.account, taken.account_len, &account); !s.ok()) return s;
  if (absl::Status s = TakeTexts(taken.scopes, taken.scope_count, &request->scopes); !s.ok()) {
    return s;
  }
  if (taken.reserved != 0) return Misfit("a reserved field is set");
  if (taken.attribute_count > kMostElements) return Misfit("a list has too many elements");
  if (taken.description == nullptr || (taken.attributes == nullptr && taken.attribute_count != 0)) {
    return NullArgument();
  }
  request->account = std::string(account);
  request->description = taken.description;
  if (taken.origin != 0 && !FromC(taken.origin, Origin::kAuto, &request->origin)) {
    return Misfit("no such origin");
  }
  if (taken.expires_unix_s < 0) return Misfit("an expiry lies in the future");
  if (taken.expires_unix_s != 0) request->expires_at = absl::FromUnixSeconds(taken.expires_unix_s);
  for (std::size_t i = 0; i < taken.attribute_count; ++i) {
    const pat_attribute& attribute = taken.attributes[i];
    if (attribute.name == nullptr || attribute.value == nullptr) return NullArgument();
    if (!request->attributes.emplace(attribute.name, attribute.value).second) {
      return Misfit("two attributes have the same name");
    }
  }
  return absl::OkStatus();
}

// A token as large as the one that a request will make.
Token Likeness(const pat_authority& authority, const IssueRequest& request) {
  Token token;
  token.public_id = std::string(kPublicIdLength, '0');
  token.account = request.account;
  token.description = request.description;
  token.scopes = request.scopes;
  if (request.origin == Origin::kAuto && token.scopes.empty()) token.scopes = authority.auto_scopes;
  token.attributes = request.attributes;
  return token;
}

// As many as one request can evict.
Evicted LikelyEvicted(const IssueRequest& request) {
  return Evicted(request.origin == Origin::kAuto ? std::size_t{kMaxAutoTokens} : 0);
}

void WriteSecret(const TokenText& text, char* out) {
  static_assert(kMaxPrefixLength + kTokenBodyLength < PAT_SECRET_CAPACITY);
  const std::string_view revealed = text.Reveal();
  std::memcpy(out, revealed.data(), revealed.size());
  out[revealed.size()] = '\0';
}

absl::Status IssueOne(pat_authority* authority, const pat_issue_request* given, char* secret,
                      std::size_t capacity, pat_token** out) {
  if (secret == nullptr) return NullArgument();
  if (capacity != 0) secret[0] = '\0';
  if (capacity < PAT_SECRET_CAPACITY) return Misfit("the buffer for the secret is too small");
  IssueRequest request;
  if (authority == nullptr) return NullArgument();
  if (absl::Status s = TakeRequest(given, &request); !s.ok()) return s;
  const std::size_t bytes = TokenBytes(Likeness(*authority, request), LikelyEvicted(request));
  Block block = NewBlock(out == nullptr ? 1 : bytes);
  absl::StatusOr<Issued> issued = authority->authority->Issue(request);
  if (!issued.ok()) return issued.status();
  if (out != nullptr) {
    const std::size_t needed = TokenBytes(issued->token, issued->evicted);
    if (needed > bytes) block = NewBlock(needed);
    *out = PlaceToken(issued->token, block.release(), issued->evicted);
  }
  WriteSecret(issued->text, secret);
  return absl::OkStatus();
}

absl::Status IssueAll(pat_authority* authority, const pat_issue_request* const* given,
                      std::size_t n, char* secrets, std::size_t capacity, pat_page** out) {
  if (authority == nullptr || ((given == nullptr || secrets == nullptr) && n != 0)) {
    return NullArgument();
  }
  if (n > kMostIssued) return Misfit("at most 10000 tokens can be issued at once");
  if (capacity < n * PAT_SECRET_CAPACITY) return Misfit("the buffer for the secrets is too small");
  for (std::size_t i = 0; i < n; ++i) secrets[i * PAT_SECRET_CAPACITY] = '\0';
  std::vector<IssueRequest> requests(n);
  std::vector<Token> tokens(n);
  std::vector<Evicted> evicted(n);
  for (std::size_t i = 0; i < n; ++i) {
    if (absl::Status s = TakeRequest(given[i], &requests[i]); !s.ok()) return s;
    tokens[i] = Likeness(*authority, requests[i]);
    evicted[i] = LikelyEvicted(requests[i]);
  }
  const std::size_t bytes = PageBytes(tokens, {}, evicted);
  Block block = NewBlock(out == nullptr ? 1 : bytes);
  absl::StatusOr<std::vector<Issued>> issued = authority->authority->IssueMany(requests);
  if (!issued.ok()) return issued.status();
  for (std::size_t i = 0; i < n; ++i) {
    WriteSecret((*issued)[i].text, secrets + i * PAT_SECRET_CAPACITY);
    tokens[i] = std::move((*issued)[i].token);
    evicted[i] = std::move((*issued)[i].evicted);
  }
  if (out != nullptr) {
    const std::size_t needed = PageBytes(tokens, {}, evicted);
    if (needed > bytes) block = NewBlock(needed);
    *out = PlacePage(tokens, {}, block.release(), evicted);
  }
  return absl::OkStatus();
}

absl::Status TakeUpdate(const pat_token_update* given, TokenUpdate* update) {
  if (given == nullptr) return NullArgument();
  pat_token_update taken;
  if (absl::Status s = Take(given, &taken); !s.ok()) return s;
  if (taken.reserved != 0) return Misfit("a reserved field is set");
  if (taken.description != nullptr) update->description = taken.description;
  if (taken.scopes != nullptr || taken.scope_count != 0) {
    std::vector<std::string>& scopes = update->scopes.emplace();
    if (absl::Status s = TakeTexts(taken.scopes, taken.scope_count, &scopes); !s.ok()) return s;
  }
  switch (taken.state) {
    case 0: return absl::OkStatus();
    case PAT_STATE_ACTIVE: update->active = true; return absl::OkStatus();
    case PAT_STATE_INACTIVE: update->active = false; return absl::OkStatus();
    default: return Misfit("a token's state can be set to active and inactive only");
  }
}

absl::Status UpdateOne(pat_authority* authority, uint64_t id, std::string_view owner,
                       const pat_token_update* given, pat_token** out) {
  TokenUpdate update;
  if (absl::Status s = TakeUpdate(given, &update); !s.ok()) return s;
  Block block = NewBlock(out == nullptr ? 1 : MostTokenBytes());
  const absl::StatusOr<Token> token = authority->authority->Update(id, update, owner);
  if (!token.ok()) return token.status();
  if (out == nullptr) return absl::OkStatus();
  const std::size_t bytes = TokenBytes(*token);
  // A block that fits, if there is memory; else the large one.
  Block fitting(std::malloc(bytes));
  if (fitting == nullptr && bytes > MostTokenBytes()) throw std::bad_alloc();
  *out = PlaceToken(*token, fitting != nullptr ? fitting.release() : block.release());
  return absl::OkStatus();
}

absl::Status ListPage(pat_authority* authority, std::string_view account,
                      const pat_list_options* given, pat_page** out) {
  pat_list_options taken;
  ListOptions options;
  if (absl::Status s = Take(given, &taken); !s.ok()) return s;
  State state = State::kActive;
  Origin origin = Origin::kManual;
  if (taken.state != 0) {
    if (!FromC(taken.state, State::kDeleted, &state)) return Misfit("no such state");
    options.state = state;
  }
  if (taken.origin != 0) {
    if (!FromC(taken.origin, Origin::kAuto, &origin)) return Misfit("no such origin");
    options.origin = origin;
  }
  if (taken.text != nullptr) options.text = taken.text;
  if (taken.after != nullptr) options.after = taken.after;
  if (taken.limit != 0) options.limit = taken.limit;
  const absl::StatusOr<TokenPage> page = authority->authority->List(account, options);
  if (!page.ok()) return page.status();
  *out =
      PlacePage(page->tokens, page->next, NewBlock(PageBytes(page->tokens, page->next)).release());
  return absl::OkStatus();
}

// The common beginning of calls on an account or on a token of one.
template <typename Body>
int32_t OnAccount(pat_authority* authority, const char* account, std::size_t account_len,
                  pat_error** error, Body body) {
  return Call(error, [&]() -> absl::Status {
    std::string_view taken;
    if (authority == nullptr) return NullArgument();
    if (absl::Status s = TakeText(account, account_len, &taken); !s.ok()) return s;
    return body(taken);
  });
}

}  // namespace
}  // namespace pat::capi

using namespace pat::capi;  // NOLINT(google-build-using-namespace): the bodies of the interface

int32_t pat_issue(pat_authority* authority, const pat_issue_request* request, char* secret,
                  size_t capacity, pat_token** token, pat_error** error) {
  Clear(token);
  return Call(error, [&] { return IssueOne(authority, request, secret, capacity, token); });
}

int32_t pat_issue_many(pat_authority* authority, const pat_issue_request* const* requests, size_t n,
                       char* secrets, size_t capacity, pat_page** issued, pat_error** error) {
  Clear(issued);
  return Call(error, [&] { return IssueAll(authority, requests, n, secrets, capacity, issued); });
}

int32_t pat_get(pat_authority* authority, uint64_t id, const char* owner, size_t owner_len,
                pat_token** token, pat_error** error) {
  Clear(token);
  return OnAccount(authority, owner, owner_len, error, [&](std::string_view taken) -> absl::Status {
    if (token == nullptr) return NullArgument();
    const absl::StatusOr<pat::Token> found = authority->authority->Get(id, taken);
    if (!found.ok()) return found.status();
    *token = PlaceToken(*found, NewBlock(TokenBytes(*found)).release());
    return absl::OkStatus();
  });
}

int32_t pat_list(pat_authority* authority, const char* account, size_t account_len,
                 const pat_list_options* options, pat_page** page, pat_error** error) {
  Clear(page);
  return OnAccount(authority, account, account_len, error, [&](std::string_view taken) {
    return page == nullptr ? NullArgument() : ListPage(authority, taken, options, page);
  });
}

int32_t pat_count(pat_authority* authority, const char* account, size_t account_len,
                  pat_counts* counts, pat_error** error) {
  return OnAccount(authority, account, account_len, error,
                   [&](std::string_view taken) -> absl::Status {
                     if (absl::Status s = CheckOut(counts); !s.ok()) return s;
                     const absl::StatusOr<pat::Counts> found = authority->authority->Count(taken);
                     if (!found.ok()) return found.status();
                     Give(pat_counts{sizeof(pat_counts), found->active, found->inactive}, counts);
                     return absl::OkStatus();
                   });
}

int32_t pat_id_of(pat_authority* authority, const char* public_id, size_t public_id_len,
                  uint64_t* id, pat_error** error) {
  if (id != nullptr) *id = 0;
  return OnAccount(authority, public_id, public_id_len, error,
                   [&](std::string_view taken) -> absl::Status {
                     if (id == nullptr) return NullArgument();
                     const absl::StatusOr<uint64_t> found = authority->authority->IdOf(taken);
                     if (found.ok()) *id = *found;
                     return found.status();
                   });
}

int32_t pat_public_id_of(pat_authority* authority, uint64_t id, char* public_id, size_t capacity,
                         pat_error** error) {
  return Call(error, [&]() -> absl::Status {
    if (authority == nullptr || public_id == nullptr) return NullArgument();
    if (capacity != 0) public_id[0] = '\0';
    if (capacity < PAT_PUBLIC_ID_CAPACITY) return Misfit("the buffer for the id is too small");
    const absl::StatusOr<std::string> made = authority->authority->PublicIdOf(id);
    if (!made.ok()) return made.status();
    std::memcpy(public_id, made->c_str(), std::min(made->size() + 1, capacity));
    return absl::OkStatus();
  });
}

int32_t pat_update(pat_authority* authority, uint64_t id, const char* owner, size_t owner_len,
                   const pat_token_update* update, pat_token** token, pat_error** error) {
  Clear(token);
  return OnAccount(authority, owner, owner_len, error, [&](std::string_view taken) {
    return UpdateOne(authority, id, taken, update, token);
  });
}

int32_t pat_activate(pat_authority* authority, uint64_t id, const char* owner, size_t owner_len,
                     pat_error** error) {
  return OnAccount(authority, owner, owner_len, error, [&](std::string_view taken) {
    return authority->authority->Activate(id, taken);
  });
}

int32_t pat_deactivate(pat_authority* authority, uint64_t id, const char* owner, size_t owner_len,
                       pat_error** error) {
  return OnAccount(authority, owner, owner_len, error, [&](std::string_view taken) {
    return authority->authority->Deactivate(id, taken);
  });
}

int32_t pat_delete(pat_authority* authority, uint64_t id, const char* owner, size_t owner_len,
                   int32_t reason, pat_error** error) {
  return OnAccount(authority, owner, owner_len, error, [&](std::string_view taken) {
    auto why = pat::DeleteReason::kUser;
    if (reason != 0 && !FromC(reason, pat::DeleteReason::kAdmin, &why)) {
      return Misfit("no such reason");
    }
    return authority->authority->Delete(id, taken, why);
  });
}

int32_t pat_flush(pat_authority* authority, pat_error** error) {
  return Call(
      error, [&] { return authority == nullptr ? NullArgument() : authority->authority->Flush(); });
}

int32_t pat_health(pat_authority* authority, pat_error** error) {
  return Call(error, [&] {
    return authority == nullptr ? NullArgument() : authority->authority->Health();
  });
}

int32_t pat_stats(pat_authority* authority, pat_store_stats* stats, pat_error** error) {
  return Call(error, [&]() -> absl::Status {
    if (authority == nullptr) return NullArgument();
    if (absl::Status s = CheckOut(stats); !s.ok()) return s;
    const absl::StatusOr<pat::StoreStats> found = authority->authority->Stats();
    if (!found.ok()) return found.status();
    Give(pat_store_stats{sizeof(pat_store_stats), found->accounts, found->next_token_id,
                         found->bytes, found->uses_dropped, found->readers, found->most_readers},
         stats);
    return absl::OkStatus();
  });
}
