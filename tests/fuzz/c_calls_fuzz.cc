// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Sequences of calls of the C interface on a store in memory, with a clock that the input moves,
// against a model: a list of tokens and the rules as pat/c.h and the headers it names tell them.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "pat/c.h"
#include "pat/token.h"
#include "tests/fuzz/c_calls_model.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_keys.h"
#include "tests/issued_secrets.h"

namespace {

class Calls {
 public:
  explicit Calls(FuzzInput* input) : input_(*input) {
    static const char* const kPrefixes[] = {"acme_pat_"};
    pat_store* store = nullptr;
    Require(pat_store_new_memory(&store, nullptr) == PAT_OK);
    pat_options options = Made<pat_options>();
    options.create_if_missing = 1;
    options.prefixes = kPrefixes;
    options.prefix_count = 1;
    const std::string keyring = FuzzKeyring();
    options.keyring_text = keyring.data();
    options.keyring_text_len = keyring.size();
    options.max_auto_tokens = kMaxAutos;
    options.clock = [](void* now) { return *static_cast<std::int64_t*>(now); };
    options.clock_context = &now_;
    Require(pat_open(store, &options, &authority_, nullptr) == PAT_OK);
  }
  ~Calls() { pat_close(authority_); }
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  void Run() {
    for (int calls = 0; calls < 100 && !input_.empty(); ++calls) Step();
    for (unsigned account = 0; account < 4; ++account) {
      CheckCount(Account(account));
      CheckList(Account(account), 0, 0, 1000);
    }
  }

 private:
  void Step() {
    switch (input_.Below(12)) {
      case 0:
      case 1: Issue(); break;
      case 2:
      case 3: Verify(); break;
      case 4: Switch(); break;
      case 5: Delete(); break;
      case 6: Update(); break;
      case 7: CheckCount(Account(input_.Byte())); break;
      case 8: List(); break;
      case 9: Purge(); break;
      case 10: now_ += static_cast<std::int64_t>(input_.Below(8)) * 20; break;
      default: Get();
    }
  }

  Known* Some() {
    const unsigned which = input_.Byte();
    return tokens_.empty() ? nullptr : &tokens_[which % tokens_.size()];
  }

  // Mostly the owner, sometimes nobody in particular or another.
  std::string Owner(const Known& token) {
    const unsigned which = input_.Below(8);
    return which == 0 ? "" : which == 1 ? Account(input_.Byte()) : token.account;
  }
  static bool Finds(const Known& token, const std::string& owner) {
    return !token.purged && (owner.empty() || owner == token.account);
  }

  void Issue() {
    Known token;
    token.account = Account(input_.Byte());
    token.scope = input_.Below(4);
    token.automatic = input_.Flag();
    token.created = now_;
    const unsigned lifetime = input_.Below(4);
    token.expires = lifetime == 0 ? 0 : now_ + lifetime * 30;
    token.description = input_.Flag() ? "d" : std::string(input_.Text(12));
    const bool good = DescriptionFits(token.description);
    const char* const scopes[] = {kScopes[token.scope]};
    pat_issue_request request = Made<pat_issue_request>();
    request.account = token.account.data();
    request.account_len = token.account.size();
    request.description = token.description.c_str();
    request.scopes = scopes;
    request.scope_count = 1;
    request.expires_unix_s = token.expires;
    request.origin = token.automatic ? PAT_ORIGIN_AUTO : PAT_ORIGIN_MANUAL;
    char secret[PAT_SECRET_CAPACITY];
    pat_token* view = nullptr;
    const int32_t code = pat_issue(authority_, &request, secret, sizeof secret, &view, nullptr);
    Require(code == (good ? PAT_OK : PAT_INVALID_ARGUMENT));
    if (code != PAT_OK) return;
    RecordIssuedSecret(secret);
    token.description = token.description.c_str();  // what C sees of it
    token.text = secret;
    token.id = view->id;
    if (token.automatic) Evict(token.account);
    tokens_.push_back(token);
    CheckView(view, token);
    pat_token_free(view);
    pat_wipe(secret, sizeof secret);
  }

  // ASCII is good, and then not empty; of other bytes the model tests of UTF-8 say more.
  static bool DescriptionFits(const std::string& text) {
    const std::string seen = text.c_str();
    return !seen.empty() && pat::CountUtf8(seen).has_value();
  }

  void Evict(const std::string& account) {
    std::vector<Known*> autos;
    for (Known& token : tokens_) {
      if (token.account == account && token.automatic && !token.deleted) autos.push_back(&token);
    }
    std::sort(autos.begin(), autos.end(), [this](const Known* a, const Known* b) {
      const auto rank = [this](const Known* token) {
        return std::make_tuple(token->StateAt(now_) != PAT_STATE_EXPIRED,
                               std::max(token->created, token->used), token->id);
      };
      return rank(a) < rank(b);
    });
    for (std::size_t i = 0; i + kMaxAutos <= autos.size(); ++i) Bury(autos[i], PAT_REASON_EVICTED);
  }

  void Bury(Known* token, int reason) const {
    token->deleted = true;
    token->reason = reason;
    token->deleted_at = now_;
  }

  void Verify() {
    Known* const token = Some();
    std::string text = token == nullptr ? "acme_pat_" + std::string(55, 'A') : token->text;
    const unsigned twist = input_.Byte();
    const bool changed = twist >= 192;
    const std::size_t at = 9 + twist % 49;
    if (changed) text[at] = text[at] == 'z' ? 'y' : 'z';
    const std::string claimed = Account(twist / 4);
    pat_presented presented = Made<pat_presented>();
    presented.claim = static_cast<int32_t>(twist % 4 % 3);
    if (presented.claim == PAT_CLAIM_ACCOUNT) {
      presented.account = claimed.data();
      presented.account_len = claimed.size();
    }
    presented.need = input_.Below(32);
    pat_decision decision = Made<pat_decision>();
    const int32_t code = pat_verify(authority_, text.data(), text.size(), &presented, &decision);
    Require((code == PAT_OK) == (decision.accepted == 1));
    Require((decision.refusal == 0) == (decision.accepted == 1));
    if (token == nullptr || changed) {
      Require(decision.refusal == PAT_REFUSAL_BAD_CHECKSUM ||
              decision.refusal == PAT_REFUSAL_FORGED);
      return;
    }
    const int32_t expected = ExpectedRefusal(*token, presented, claimed);
    Require(decision.refusal == expected);
    const bool judged = expected == 0 || expected == PAT_REFUSAL_MISSING_PERMISSION;
    if (judged && (token->used == 0 || now_ >= token->used + 60)) token->used = now_;
    Require(code == (expected == 0                                ? PAT_OK
                     : expected == PAT_REFUSAL_MISSING_PERMISSION ? PAT_PERMISSION_DENIED
                                                                  : PAT_UNAUTHENTICATED));
    if (expected != 0) return;
    Require(decision.token_id == token->id && decision.permissions == kBits[token->scope]);
    Require(std::string_view(decision.account, decision.account_len) == token->account);
    Require(pat_require(&decision, 0) == PAT_OK);
    Require(pat_require(&decision, 16) == PAT_PERMISSION_DENIED);
    Require(pat_require_account_admin(&decision) == PAT_PERMISSION_DENIED);
  }

  int32_t ExpectedRefusal(const Known& token, const pat_presented& presented,
                          const std::string& claimed) const {
    if (token.purged) return PAT_REFUSAL_UNKNOWN_TOKEN;
    switch (token.StateAt(now_)) {
      case PAT_STATE_DELETED: return PAT_REFUSAL_DELETED;
      case PAT_STATE_EXPIRED: return PAT_REFUSAL_EXPIRED;
      case PAT_STATE_INACTIVE: return PAT_REFUSAL_INACTIVE;
      default: break;
    }
    if (presented.claim == PAT_CLAIM_UNKNOWN) return PAT_REFUSAL_UNKNOWN_ACCOUNT;
    if (presented.claim == PAT_CLAIM_ACCOUNT && claimed != token.account) {
      return PAT_REFUSAL_WRONG_ACCOUNT;
    }
    return (presented.need & ~kBits[token.scope]) != 0 ? PAT_REFUSAL_MISSING_PERMISSION : 0;
  }

  void Switch() {
    Known* const token = Some();
    if (token == nullptr) return;
    const std::string owner = Owner(*token);
    const bool on = input_.Flag();
    const int32_t code = (on ? pat_activate : pat_deactivate)(authority_, token->id, owner.data(),
                                                              owner.size(), nullptr);
    const bool moves = Finds(*token, owner) && !token->deleted;
    Require(code == (moves ? PAT_OK : PAT_NOT_FOUND));
    if (moves) token->active = on;
  }

  void Delete() {
    Known* const token = Some();
    if (token == nullptr) return;
    const std::string owner = Owner(*token);
    const auto reason = static_cast<int32_t>(input_.Below(8));
    const int32_t code =
        pat_delete(authority_, token->id, owner.data(), owner.size(), reason, nullptr);
    if (reason > PAT_REASON_ADMIN) {
      Require(code == PAT_INVALID_ARGUMENT);
      return;
    }
    Require(code == (Finds(*token, owner) ? PAT_OK : PAT_NOT_FOUND));
    if (code == PAT_OK && !token->deleted) Bury(token, reason == 0 ? PAT_REASON_USER : reason);
  }

  void Update() {
    Known* const token = Some();
    if (token == nullptr) return;
    const std::string owner = Owner(*token);
    const unsigned what = input_.Byte();
    const std::string description(input_.Text(6));
    const char* const scopes[] = {kScopes[what / 8 % 4]};
    pat_token_update update = Made<pat_token_update>();
    if ((what & 1U) != 0) update.description = description.c_str();
    if ((what & 2U) != 0) update.scopes = scopes, update.scope_count = 1;
    if ((what & 4U) != 0) update.state = (what & 128U) != 0 ? PAT_STATE_ACTIVE : PAT_STATE_INACTIVE;
    pat_token* view = nullptr;
    const int32_t code =
        pat_update(authority_, token->id, owner.data(), owner.size(), &update, &view, nullptr);
    const bool good = update.description == nullptr || DescriptionFits(description);
    const bool there = Finds(*token, owner) && !token->deleted;
    Require(code == (!good ? PAT_INVALID_ARGUMENT : there ? PAT_OK : PAT_NOT_FOUND));
    if (code != PAT_OK) return;
    if (update.description != nullptr) token->description = description.c_str();
    if (update.scopes != nullptr) token->scope = what / 8 % 4;
    if (update.state != 0) token->active = update.state == PAT_STATE_ACTIVE;
    CheckView(view, *token);
    pat_token_free(view);
  }

  void CheckView(const pat_token* view, const Known& token) const {
    Require(view->id == token.id && view->description == token.description);
    Require(std::string_view(view->account, view->account_len) == token.account);
    Require(view->scope_count == 1 && std::string(view->scopes[0]) == kScopes[token.scope]);
    Require(view->permissions == kBits[token.scope] && view->state == token.StateAt(now_));
    Require((view->origin == PAT_ORIGIN_AUTO) == token.automatic && view->damaged == 0);
    Require(view->created_unix_s == token.created && view->expires_unix_s == token.expires);
    Require(view->last_used_unix_s == token.used && view->delete_reason == token.reason);
    Require(view->deleted_unix_s == token.deleted_at);
    std::uint64_t id = 0;
    Require(pat_id_of(authority_, view->public_id, std::strlen(view->public_id), &id, nullptr) ==
            PAT_OK);
    Require(id == token.id);
  }

  void Get() {
    const Known* const token = Some();
    pat_token* view = nullptr;
    pat_error* error = nullptr;
    if (token == nullptr) {
      Require(pat_get(authority_, input_.Byte(), "", 0, &view, &error) == PAT_NOT_FOUND);
      Require(view == nullptr && pat_error_code(error) == PAT_NOT_FOUND);
      pat_error_free(error);
      return;
    }
    const std::string owner = Owner(*token);
    const int32_t code = pat_get(authority_, token->id, owner.data(), owner.size(), &view, &error);
    Require(code == (Finds(*token, owner) ? PAT_OK : PAT_NOT_FOUND));
    Require((view == nullptr) == (code != PAT_OK) && (error == nullptr) == (code == PAT_OK));
    if (view != nullptr) CheckView(view, *token);
    pat_token_free(view);
    pat_error_free(error);
  }

  void CheckCount(const std::string& account) {
    std::uint64_t active = 0;
    std::uint64_t inactive = 0;
    for (const Known& token : tokens_) {
      if (token.account != account) continue;
      active += token.StateAt(now_) == PAT_STATE_ACTIVE ? 1 : 0;
      inactive += token.StateAt(now_) == PAT_STATE_INACTIVE ? 1 : 0;
    }
    pat_counts counts = Made<pat_counts>();
    Require(pat_count(authority_, account.data(), account.size(), &counts, nullptr) == PAT_OK);
    Require(counts.active == active && counts.inactive == inactive);
  }

  void List() {
    const std::string account = Account(input_.Byte());
    const auto state = static_cast<int32_t>(input_.Below(5));
    CheckList(account, state, static_cast<int32_t>(input_.Below(3)), 1 + input_.Below(6));
  }

  // All pages.
  void CheckList(const std::string& account, int32_t state, int32_t origin, std::size_t limit) {
    std::vector<const Known*> expected;
    for (auto token = tokens_.rbegin(); token != tokens_.rend(); ++token) {
      if (token->account != account || token->purged) continue;
      const int here = token->StateAt(now_);
      if (state == 0 ? here == PAT_STATE_DELETED : here != state) continue;
      if (origin != 0 && (origin == PAT_ORIGIN_AUTO) != token->automatic) continue;
      expected.push_back(&*token);
    }
    pat_list_options options = Made<pat_list_options>();
    options.state = state;
    options.origin = origin;
    options.limit = limit;
    std::string after;
    std::size_t seen = 0;
    do {
      options.after = after.c_str();
      pat_page* page = nullptr;
      Require(pat_list(authority_, account.data(), account.size(), &options, &page, nullptr) ==
              PAT_OK);
      Require(page->count <= limit);
      for (std::size_t i = 0; i < page->count; ++i) {
        Require(seen < expected.size());
        CheckView(page->tokens[i], *expected[seen++]);
      }
      after = page->next;
      Require(after.empty() || page->count == limit);
      pat_page_free(page);
    } while (!after.empty());
    Require(seen == expected.size());
  }

  void Purge() {
    const std::int64_t before = now_ - static_cast<std::int64_t>(input_.Below(8)) * 20 + 20;
    std::size_t expected = 0;
    for (Known& token : tokens_) {
      if (!token.deleted || token.purged || token.deleted_at >= before) continue;
      token.purged = true;
      ++expected;
    }
    std::size_t purged = 0;
    Require(pat_purge(authority_, before, 0, &purged, nullptr) == PAT_OK);
    Require(purged == expected);
  }

  FuzzInput& input_;
  std::int64_t now_ = 1'700'000'000;
  pat_authority* authority_ = nullptr;
  std::vector<Known> tokens_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzInput input(data, size);
  Calls(&input).Run();
  return 0;
}
