// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Docker Hub's access-token API: /v2/access-tokens and its older alias /v2/api_tokens. Source:
// Docker Hub API reference, "Access tokens".
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api_answer.h"
#include "caller.h"
#include "context.h"
#include "form.h"
#include "issuing.h"
#include "text.h"

namespace hub {
namespace {

constexpr std::int64_t kMaxPageSize = 100;
constexpr std::int64_t kDefaultPageSize = 10;
constexpr std::size_t kReadAtOnce = 1000;  // what libpat's List gives
constexpr std::string_view kHidden = "***";

/// The text of a time, or null.
Json OrNull(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

/// A token as the API shows it; `secret` once, when it is made.
Json ToJson(const pat::Token& token, std::string_view secret) {
  const Creation creation = CreationOf(token);
  std::optional<std::string> last_used;
  if (token.last_used_at) last_used = ApiTime(*token.last_used_at);
  return {{"uuid", token.public_id},
          {"client_id", creation.client_id},
          {"creator_ip", creation.ip},
          {"creator_ua", creation.user_agent},
          {"created_at", ApiTime(token.created_at)},
          {"last_used", OrNull(last_used)},
          {"generated_by", pat::ToString(token.origin)},
          {"is_active", token.state == pat::State::kActive},
          {"token", secret},
          {"token_label", token.description},
          {"scopes", token.scopes},
          {"expires_at", OrNull(ExpiryText(token))}};
}

/// A list of strings; none if it is anything else.
std::optional<std::vector<std::string>> StringsIn(const Json& value) {
  if (!value.is_array()) return std::nullopt;
  std::vector<std::string> strings;
  for (const Json& entry : value) {
    if (!entry.is_string()) return std::nullopt;
    strings.push_back(entry.get<std::string>());
  }
  return strings;
}

/// A whole number of a query of at least 1; `otherwise` if it is not there; none if it is no such.
std::optional<std::int64_t> NumberIn(const Form& query, std::string_view name,
                                     std::int64_t otherwise) {
  if (query.Count(name) == 0) return otherwise;
  const std::optional<std::int64_t> number = ParseNumber(query.First(name));
  return number && *number >= 1 ? number : std::nullopt;
}

/// A page and what stands around it.
struct Listing {
  std::int64_t count = 0;   ///< All but the deleted.
  std::int64_t active = 0;  ///< Neither inactive nor expired.
  Json results = Json::array();
};

class AccessTokens {
 public:
  /// `path` is what they are reached by; `older` the alias's ways.
  AccessTokens(const Context& context, std::string path, bool older)
      : context_(context), path_(std::move(path)), older_(older) {}

  Response Handle(const Request& request);

 private:
  Response All(const User& user, const Request& request);
  Response Below(const User& user, std::string_view below, const Request& request);
  Response One(const User& user, const pat::Token& token, const Request& request);
  Response List(const User& user, const Request& request);
  Response Create(const User& user, const Request& request);
  Response GenerateForDesktop(const User& user, const Request& request);
  Response Issue(const User& user, const TokenOrder& order, const Request& request, bool desktop);
  Response Patch(const User& user, std::uint64_t id, const Request& request);
  Response Delete(const User& user, std::uint64_t id);
  absl::StatusOr<Listing> Read(const User& user, std::int64_t page, std::int64_t page_size);
  Json PageUrl(std::int64_t page, std::int64_t page_size, bool there) const;

  const Context context_;
  const std::string path_;
  const bool older_;
};

Response AccessTokens::Handle(const Request& request) {
  auto caller = AdminOf(request, context_);
  if (auto* refused = std::get_if<Response>(&caller)) return std::move(*refused);
  const User& user = std::get<User>(caller);
  std::string_view below = std::string_view(request.path).substr(path_.size());
  if (!below.empty()) below.remove_prefix(1);
  if (!below.empty() && below.back() == '/') below.remove_suffix(1);
  Response response = below.empty() ? All(user, request) : Below(user, below, request);
  response.note.user = user.name;
  return response;
}

Response AccessTokens::All(const User& user, const Request& request) {
  if (request.method == "GET") return List(user, request);
  if (request.method == "POST") return Create(user, request);
  return ApiWrongMethod("GET, POST");
}

Response AccessTokens::Below(const User& user, std::string_view below, const Request& request) {
  if (below == "desktop-generate") {
    return request.method == "POST" ? GenerateForDesktop(user, request) : ApiWrongMethod("POST");
  }
  const absl::Status none = absl::NotFoundError("no such token");
  const absl::StatusOr<std::uint64_t> id = context_.authority.IdOf(std::string(below));
  if (!id.ok()) return ApiFailure(none);
  const absl::StatusOr<pat::Token> token = context_.authority.Get(*id, user.account);
  if (!token.ok()) return ApiFailure(token.status());
  if (token->state == pat::State::kDeleted) return ApiFailure(none);
  Response response = One(user, *token, request);
  response.note.token = token->public_id;
  return response;
}

Response AccessTokens::One(const User& user, const pat::Token& token, const Request& request) {
  if (request.method == "GET") return JsonResponse(200, ToJson(token, kHidden));
  if (request.method == "PATCH") return Patch(user, token.id, request);
  if (request.method == "DELETE") return Delete(user, token.id);
  return ApiWrongMethod("GET, PATCH, DELETE");
}

absl::StatusOr<Listing> AccessTokens::Read(const User& user, std::int64_t page,
                                           std::int64_t page_size) {
  Listing listing;
  pat::ListOptions options;
  options.limit = kReadAtOnce;
  do {
    const absl::StatusOr<pat::TokenPage> read = context_.authority.List(user.account, options);
    if (!read.ok()) return read.status();
    for (const pat::Token& token : read->tokens) {
      // Divided, not multiplied: a page's number may be large.
      if (listing.count / page_size == page - 1) listing.results.push_back(ToJson(token, kHidden));
      ++listing.count;
      listing.active += token.state == pat::State::kActive ? 1 : 0;
    }
    options.after = read->next;
  } while (!options.after.empty());
  return listing;
}

Json AccessTokens::PageUrl(std::int64_t page, std::int64_t page_size, bool there) const {
  if (!there) return nullptr;
  return Cat({context_.settings.public_url, path_, "?page=", std::to_string(page),
              "&page_size=", std::to_string(page_size)});
}

Response AccessTokens::List(const User& user, const Request& request) {
  const std::optional<Form> query = Form::Parse(request.query);
  const auto page = query ? NumberIn(*query, "page", 1) : std::nullopt;
  const auto asked_size = query ? NumberIn(*query, "page_size", kDefaultPageSize) : std::nullopt;
  if (!page || !asked_size) {
    return ApiError(400, "page and page_size are whole numbers from 1 on", "invalid");
  }
  const std::int64_t page_size = std::min(*asked_size, kMaxPageSize);
  absl::StatusOr<Listing> listing = Read(user, *page, page_size);
  if (!listing.ok()) return ApiFailure(listing.status());
  const std::int64_t pages = (listing->count + page_size - 1) / page_size;
  return JsonResponse(
      200, {{"active_count", listing->active},
            {"count", listing->count},
            {"next", PageUrl(*page + 1, page_size, *page < pages)},
            {"previous",
             PageUrl(std::min(*page - 1, std::max<std::int64_t>(pages, 1)), page_size, *page > 1)},
            {"results", std::move(listing->results)}});
}

Response AccessTokens::Create(const User& user, const Request& request) {
  const std::optional<Json> body = JsonBody(request);
  if (!body) return ApiError(400, "send a JSON object", "invalid");
  TokenOrder order;
  order.client_id = "api";
  const auto label = StringIn(*body, "token_label");
  if (!label) return ApiError(400, "token_label is a string of 1 to 100 characters", "invalid");
  order.label = *label;
  if (const auto scopes = body->find("scopes"); scopes != body->end()) {
    auto names = StringsIn(*scopes);
    if (!names) return ApiError(400, "scopes is a list of scopes' names", "invalid");
    order.scopes = *std::move(names);
  } else if (older_) {
    order.scopes = {"repo:admin"};
  } else {
    return ApiError(400, "scopes is a list of scopes' names", "invalid");
  }
  if (const auto expiry = body->find("expires_at"); expiry != body->end() && !expiry->is_null()) {
    order.expires_at = expiry->is_string() ? expiry->get<std::string>() : std::string("?");
    if (order.expires_at.empty()) order.expires_at = "?";  // "" is no time
  }
  return Issue(user, order, request, false);
}

Response AccessTokens::GenerateForDesktop(const User& user, const Request& request) {
  TokenOrder order;
  order.origin = pat::Origin::kAuto;
  order.client_id = "desktop";
  order.label = "Generated by a desktop sign-in";
  if (!request.body.empty()) {
    const std::optional<Json> body = JsonBody(request);
    if (!body) return ApiError(400, "send a JSON object", "invalid");
    if (body->contains("device")) {
      const auto device = StringIn(*body, "device");
      if (!device) return ApiError(400, "device is a string of 1 to 100 characters", "invalid");
      order.label = *device;
    }
  }
  return Issue(user, order, request, true);
}

Response AccessTokens::Issue(const User& user, const TokenOrder& order, const Request& request,
                             bool desktop) {
  const absl::StatusOr<pat::Issued> issued = context_.issuing.Issue(user, order, request);
  if (absl::IsResourceExhausted(issued.status()) &&
      context_.issuing.Wait(user.account) > absl::ZeroDuration()) {
    return ApiThrottled(context_.issuing.Wait(user.account),
                        "Too many new access tokens. Wait, then try again.");
  }
  if (!issued.ok()) return ApiFailure(issued.status());
  const Json token = ToJson(issued->token, issued->text.Reveal());
  Response response = JsonResponse(201, desktop ? Json{{"data", token}} : token);
  response.note.token = issued->token.public_id;
  return response;
}

Response AccessTokens::Patch(const User& user, std::uint64_t id, const Request& request) {
  const std::optional<Json> body = JsonBody(request);
  if (!body) return ApiError(400, "send a JSON object", "invalid");
  pat::TokenUpdate update;
  if (body->contains("token_label")) {
    update.description = StringIn(*body, "token_label");
    if (!update.description) return ApiError(400, "token_label is a string", "invalid");
  }
  if (const auto active = body->find("is_active"); active != body->end()) {
    if (!active->is_boolean()) return ApiError(400, "is_active is true or false", "invalid");
    update.active = active->get<bool>();
  }
  if (const auto scopes = body->find("scopes"); scopes != body->end()) {
    update.scopes = StringsIn(*scopes);
    if (!update.scopes) return ApiError(400, "scopes is a list of scopes' names", "invalid");
  }
  const absl::StatusOr<pat::Token> updated = context_.authority.Update(id, update, user.account);
  if (!updated.ok()) return ApiFailure(updated.status());
  return JsonResponse(200, ToJson(*updated, kHidden));
}

Response AccessTokens::Delete(const User& user, std::uint64_t id) {
  const absl::Status deleted = context_.authority.Delete(id, user.account);
  if (!deleted.ok()) return ApiFailure(deleted);
  Response response;
  response.status = 202;
  response.headers = {{"Cache-Control", "no-store"}};
  return response;
}

}  // namespace

void RegisterAccessTokens(Router& router, const Context& context) {
  const auto add = [&](const char* path, bool older) {
    const auto tokens = std::make_shared<AccessTokens>(context, path, older);
    router.Add({path, true, [tokens](const Request& r) { return tokens->Handle(r); }, {}});
  };
  add("/v2/access-tokens", false);
  add("/v2/api_tokens", true);
}

}  // namespace hub
