// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <unistd.h>

#include <memory>
#include <system_error>

#include "commands.h"
#include "json.h"
#include "location.h"
#include "pat/authority.h"
#include "pat/principal.h"
#include "pat/token.h"
#include "token_view.h"

namespace patctl {
namespace {

/// What was presented; wiped in the end.
class PresentedText {
 public:
  PresentedText() : text_(kMostBytes, '\0') {}
  ~PresentedText() {
    volatile char* p = text_.data();
    for (std::size_t i = 0; i < text_.size(); ++i) p[i] = 0;
  }
  PresentedText(const PresentedText&) = delete;
  PresentedText& operator=(const PresentedText&) = delete;

  /// Reads standard input to its end, or as far as there is room: what is longer is no token.
  absl::Status Read() {
    while (size_ < text_.size()) {
      const ssize_t n = ::read(STDIN_FILENO, text_.data() + size_, text_.size() - size_);
      if (n == 0) break;
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        return absl::UnavailableError("cannot read standard input: " +
                                      std::generic_category().message(errno));
      }
      size_ += static_cast<std::size_t>(n);
    }
    if (size_ > 0 && text_[size_ - 1] == '\n') --size_;
    return absl::OkStatus();
  }

  std::string_view view() const { return {text_.data(), size_}; }

 private:
  static constexpr std::size_t kMostBytes = (std::size_t{1} << 20) + 2;
  std::string text_;
  std::size_t size_ = 0;
};

int ShowRefusal(const Arguments& arguments, pat::RefusalReason reason, Output& out) {
  if (arguments.json()) {
    JsonObject json;
    json.Bool("accepted", false).Raw("token", "null");
    if (arguments.Has("why")) json.Text("reason", pat::ToString(reason));
    out.WriteLine(json.str());
  } else if (arguments.Has("why")) {
    out.WriteLine(Cat({"refused: ", pat::ToString(reason)}));
  } else {
    out.WriteLine("refused");
  }
  return kRefused;
}

int ShowAcceptance(const Arguments& arguments, const pat::Token& token, Output& out) {
  if (arguments.json()) {
    JsonObject json;
    json.Bool("accepted", true).Raw("token", TokenJson(token));
    if (arguments.Has("why")) json.Raw("reason", "null");
    out.WriteLine(json.str());
  } else {
    out.WriteLine("accepted");
    out.Write(TokenBlock(token, "***"));
  }
  return kDone;
}

}  // namespace

absl::StatusOr<int> Verify(const Arguments& arguments, Output& out) {
  const auto authority = OpenAuthority(arguments);
  if (!authority.ok()) return authority.status();
  pat::Presented presented;
  if (const auto name = arguments.Value("need")) {
    const absl::StatusOr<pat::PermissionSet> need = (*authority)->scopes().Need(*name);
    if (!need.ok()) return need.status();
    presented.need = *need;
  }
  const std::optional<std::string> account = arguments.Value("account");
  if (account.has_value()) {
    if (absl::Status s = pat::ValidateAccount(*account); !s.ok()) return s;
    presented.claim = pat::Claim::Account(*account);
  }
  PresentedText text;
  if (absl::Status s = text.Read(); !s.ok()) return s;

  const pat::Decision decision = (*authority)->Verify(text.view(), presented);
  if (const pat::Principal* principal = decision.principal()) {
    const absl::StatusOr<pat::Token> token = (*authority)->Get(principal->token_id());
    if (token.ok()) return ShowAcceptance(arguments, *token, out);
    if (!absl::IsNotFound(token.status())) return token.status();
    return ShowRefusal(arguments, pat::RefusalReason::kDeleted, out);  // in this very moment
  }
  const pat::RefusalReason reason = decision.refusal()->reason();
  if (reason == pat::RefusalReason::kUnavailable) {
    const absl::Status health = (*authority)->Health();
    return health.ok() ? absl::UnavailableError("the store could not be read; try again") : health;
  }
  return ShowRefusal(arguments, reason, out);
}

}  // namespace patctl
