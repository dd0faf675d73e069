// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_LISTENING_SOCKET_H_
#define HUB_LISTENING_SOCKET_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "address.h"

namespace hub {

/// A socket that listens, so that its port is known before anybody serves it. Move-only; closed
/// when it goes.
class ListeningSocket {
 public:
  /// Unavailable if the address cannot be had.
  static absl::StatusOr<ListeningSocket> Open(const ListenAddress& address);
  ~ListeningSocket();
  ListeningSocket(ListeningSocket&& other) noexcept : fd_(other.Release()) {}
  ListeningSocket& operator=(ListeningSocket&&) = delete;

  std::uint16_t port() const;
  std::string HostAndPort() const;

  /// The file descriptor, the caller's from here on; then this holds none.
  int Release();

 private:
  explicit ListeningSocket(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace hub

#endif  // HUB_LISTENING_SOCKET_H_
