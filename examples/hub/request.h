// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_REQUEST_H_
#define HUB_REQUEST_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "secret.h"

namespace hub {

/// Largest request body that is read, in bytes.
inline constexpr std::size_t kMaxBodyBytes = std::size_t{64} << 10;

using Headers = std::vector<std::pair<std::string, std::string>>;

/// An HTTP request, complete, whatever carried it. Everything is as the client sent it: nothing is
/// decoded. Its parts that can hold secrets are wiped when it goes.
struct Request {
  Request() = default;
  ~Request() {
    Wipe(query);
    Wipe(body);
    for (auto& [name, value] : headers) Wipe(value);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  Request(Request&&) = default;
  Request& operator=(Request&&) = default;

  /// The value of a header, names in either case; none if it is absent or there are several.
  std::optional<std::string_view> Header(std::string_view name) const;
  /// How often the header is there.
  std::size_t CountHeader(std::string_view name) const;

  std::string method;
  std::string path;   ///< Without the query.
  std::string query;  ///< Without the question mark.
  Headers headers;
  std::string body;
  std::string ip;  ///< Whom it came from, proxies that we trust looked through; no port.
};

/// What the log may tell of a request beyond its answer's status.
struct LogNote {
  std::string user;              ///< A known user's name only: others type tokens into name fields.
  std::string_view reason = {};  ///< Why it was refused; a literal.
  std::string token = {};        ///< The public id of the token it was about.
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  LogNote note;
};

}  // namespace hub

#endif  // HUB_REQUEST_H_
