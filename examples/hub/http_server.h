// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_HTTP_SERVER_H_
#define HUB_HTTP_SERVER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "app.h"
#include "listening_socket.h"
#include "secret.h"

namespace hub {

/// A server's certificate and its key, both PEM.
struct TlsIdentity {
  std::string certificate;  ///< With the chain, if there is one.
  Secret key;
};

struct HttpOptions {
  unsigned threads = 2;                                ///< That serve connections.
  unsigned password_threads = 2;                       ///< That check passwords.
  std::size_t max_waiting_passwords = 1024;            ///< More are told to come back (503).
  std::size_t max_connections = 12000;                 ///< Open files permitting.
  absl::Duration request_timeout = absl::Seconds(30);  ///< To send a whole request, from the
                                                       ///< connection or the last answer on.
  const TlsIdentity* tls = nullptr;                    ///< Outlives the server; none: plain HTTP.
  std::vector<std::string> trusted_proxies;            ///< Whose X-Forwarded-For is believed.
};

/// The app on a socket: HTTP/1.1 by libmicrohttpd. It adds nothing but transport: limits on sizes,
/// counts and time, the log's lines, and threads of their own for slow requests.
class HttpServer {
 public:
  /// Serves `app`, which must outlive the server, on that socket from here on.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(App& app, ListeningSocket socket,
                                                           const HttpOptions& options);

  /// Takes no new connection, answers what is under way, at most for `patience`, and ends.
  void Stop(absl::Duration patience);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// How many connections it can hold.
  std::size_t max_connections() const;

  class Impl;

 private:
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hub

#endif  // HUB_HTTP_SERVER_H_
