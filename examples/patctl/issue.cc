// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "commands.h"
#include "location.h"
#include "pat/authority.h"
#include "times.h"
#include "token_view.h"

namespace patctl {
namespace {

constexpr std::uint64_t kMaxCount = 10'000'000;
constexpr std::uint64_t kTokensPerBatch = 1000;

absl::StatusOr<pat::Attributes> ReadAttributes(const std::vector<std::string>& pairs) {
  pat::Attributes attributes;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError("an attribute is written NAME=VALUE");
    }
    if (!attributes.emplace(pair.substr(0, equals), pair.substr(equals + 1)).second) {
      return absl::InvalidArgumentError("an attribute is given twice");
    }
  }
  return attributes;
}

absl::StatusOr<pat::IssueRequest> ReadRequest(const Arguments& arguments) {
  pat::IssueRequest request;
  request.account = arguments.Value("account").value_or("");
  request.description = arguments.Value("description").value_or("");
  request.scopes = arguments.Values("scope");
  if (arguments.Has("auto")) request.origin = pat::Origin::kAuto;
  if (request.scopes.empty() && request.origin == pat::Origin::kManual) {
    return absl::InvalidArgumentError("issue needs --scope (only auto tokens have a default)");
  }
  if (const auto expires = arguments.Value("expires")) {
    absl::StatusOr<absl::Time> time = ParseMoment(*expires, absl::Now(), +1);
    if (!time.ok()) return time.status();
    request.expires_at = *time;
  }
  absl::StatusOr<pat::Attributes> attributes = ReadAttributes(arguments.Values("attr"));
  if (!attributes.ok()) return attributes.status();
  request.attributes = *std::move(attributes);
  return request;
}

/// Issues in batches that the store can take at once.
absl::StatusOr<std::vector<pat::Issued>> IssueBatch(pat::Authority& authority,
                                                    const pat::IssueRequest& request,
                                                    std::uint64_t count) {
  if (count > 1) return authority.IssueMany(std::vector<pat::IssueRequest>(count, request));
  std::vector<pat::Issued> issued;
  absl::StatusOr<pat::Issued> one = authority.Issue(request);
  if (!one.ok()) return one.status();
  issued.push_back(*std::move(one));
  return issued;
}

void Show(const pat::Issued& issued, bool json, bool alone, Output& out) {
  if (json) {
    out.WriteLine(TokenJson(issued.token, issued.text.Reveal()));
  } else if (alone) {
    out.Write(TokenBlock(issued.token, issued.text.Reveal()));
    out.WriteLine("Keep the token now: it is shown this once.");
  } else {
    out.WriteLine(Cat({std::to_string(issued.token.id), "  ", issued.text.Reveal()}));
  }
}

}  // namespace

absl::StatusOr<int> Issue(const Arguments& arguments, Output& out) {
  const absl::StatusOr<pat::IssueRequest> request = ReadRequest(arguments);
  if (!request.ok()) return request.status();
  const absl::StatusOr<std::uint64_t> count = NumberOption(arguments, "count", kMaxCount, 1);
  if (!count.ok()) return count.status();
  const auto authority = OpenAuthority(arguments);
  if (!authority.ok()) return authority.status();
  if (absl::Status s = CheckScopes((*authority)->scopes(), request->scopes); !s.ok()) return s;
  // Each auto token is a sign-in of its own: in one batch they would push each other out unseen.
  const std::uint64_t batch =
      request->origin == pat::Origin::kAuto ? std::uint64_t{1} : kTokensPerBatch;
  for (std::uint64_t left = *count; left > 0;) {
    const std::uint64_t now = std::min(left, batch);
    const auto issued = IssueBatch(**authority, *request, now);
    if (!issued.ok()) return issued.status();
    for (const pat::Issued& each : *issued) Show(each, arguments.json(), *count == 1, out);
    if (absl::Status s = out.Flush(); !s.ok()) {
      return absl::UnavailableError(Cat(
          {std::string(s.message()), "; tokens that were issued but perhaps not shown: delete ids ",
           std::to_string(issued->front().token.id), " to ",
           std::to_string(issued->back().token.id)}));
    }
    left -= now;
  }
  return kDone;
}

}  // namespace patctl
