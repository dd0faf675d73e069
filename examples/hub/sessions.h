// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_SESSIONS_H_
#define HUB_SESSIONS_H_

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "secret.h"

namespace hub {

/// How long sessions live and how many there are.
struct SessionLimits {
  absl::Duration idle = absl::Hours(1);         ///< Without a request.
  absl::Duration lifetime = absl::Hours(12);    ///< In all.
  absl::Duration code_wait = absl::Minutes(5);  ///< Between the password and the code.
  std::size_t all = 10000;
  std::size_t account = 20;
};

/// Somebody's visit to the page, known by the id in a cookie.
struct Session {
  std::string account;
  std::string version;     ///< Accounts::Version when it began.
  std::string form_token;  ///< What a form must send back to show that it is ours.
  bool signed_in = false;  ///< False: the password was right, the code is still to come.
};

/// What one page leaves for the next one to show, once.
struct Message {
  std::string text;
  bool is_error = false;
};
struct NewToken {
  Secret text;
  std::string public_id;
};

/// The sessions, in memory: they end with the program. Bounded: the one longest not seen makes
/// room. Any thread.
class Sessions {
 public:
  Sessions(const SessionLimits& limits, std::function<absl::Time()> clock);

  /// Begins one; its id, 256 random bits in base64url. Empty if the random number generator fails.
  std::string Begin(std::string_view account, std::string_view version, bool signed_in);

  /// The session of that id, unless it has ended. Counts as being seen.
  std::optional<Session> Find(std::string_view id);

  void End(std::string_view id);

  /// Leaves something to be taken by the next page. The new token waits for a minute at most.
  void Leave(std::string_view id, Message message);
  void Leave(std::string_view id, NewToken token);
  std::optional<Message> TakeMessage(std::string_view id);
  std::optional<NewToken> TakeNewToken(std::string_view id);

  /// Whether a new token was taken since this was last asked.
  bool TakeTokenWasShown(std::string_view id);

 private:
  struct Kept {
    Session session;
    absl::Time begun;
    absl::Time seen;
    std::optional<Message> message;
    std::optional<NewToken> token;
    absl::Time token_left;
    bool token_shown = false;
  };
  using Map = std::map<std::string, Kept, std::less<>>;

  bool HasEnded(const Kept& kept, absl::Time now) const;
  void MakeRoom(std::string_view account, absl::Time now);
  Kept* Look(std::string_view id, absl::Time now);

  const SessionLimits limits_;
  const std::function<absl::Time()> clock_;
  std::mutex mutex_;
  Map by_digest_;  // of the id: what a look-up compares tells nothing of it
};

/// Whether a form's token is the session's; takes as long wherever they differ.
bool SameFormToken(std::string_view sent, std::string_view expected);

}  // namespace hub

#endif  // HUB_SESSIONS_H_
