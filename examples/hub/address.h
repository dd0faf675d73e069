// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_ADDRESS_H_
#define HUB_ADDRESS_H_

#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace hub {

/// Where to listen: "127.0.0.1:8080" or "[::1]:8080"; port 0 lets the system choose.
struct ListenAddress {
  static absl::StatusOr<ListenAddress> Parse(std::string_view text);
  bool is_loopback() const;
  /// Whether it stands for all addresses of the machine.
  bool is_any() const;

  sockaddr_storage storage{};
  socklen_t size = 0;
};

/// The address's text without the port; an IPv4 address inside an IPv6 one as IPv4. Empty for other
/// kinds.
std::string IpText(const sockaddr* address);

/// Whether an address's text is one of this machine to itself.
bool IsLoopback(std::string_view ip);

/// "127.0.0.1:8080", "[::1]:8080".
std::string HostAndPort(const sockaddr* address);

/// Whether `text` is an IP address.
bool IsIp(std::string_view text);

/// Whom a request came from: `peer`, or, if that is one of the `trusted` proxies, the last address
/// in `forwarded` (an X-Forwarded-For header's value) that is not.
std::string ClientIp(const std::string& peer, std::string_view forwarded,
                     const std::vector<std::string>& trusted);

}  // namespace hub

#endif  // HUB_ADDRESS_H_
