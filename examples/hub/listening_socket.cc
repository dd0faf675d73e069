// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "listening_socket.h"

#include <netinet/in.h>
#include <unistd.h>

#include <utility>

#include "absl/status/status.h"

namespace hub {
namespace {

constexpr int kBacklog = 4096;

sockaddr_storage AddressOf(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) storage = {};
  return storage;
}

}  // namespace

absl::StatusOr<ListeningSocket> ListeningSocket::Open(const ListenAddress& address) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  if (fd >= 0 && ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
      ::bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0 &&
      ::listen(fd, kBacklog) == 0) {
    return ListeningSocket(fd);
  }
  if (fd >= 0) ::close(fd);
  return absl::UnavailableError("cannot listen on that address");
}

ListeningSocket::~ListeningSocket() {
  if (fd_ >= 0) ::close(fd_);
}

int ListeningSocket::Release() { return std::exchange(fd_, -1); }

std::uint16_t ListeningSocket::port() const {
  const sockaddr_storage storage = AddressOf(fd_);
  return ntohs(storage.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port
                   : reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

std::string ListeningSocket::HostAndPort() const {
  const sockaddr_storage storage = AddressOf(fd_);
  return hub::HostAndPort(reinterpret_cast<const sockaddr*>(&storage));
}

}  // namespace hub
