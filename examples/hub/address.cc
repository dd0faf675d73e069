// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/status/status.h"
#include "text.h"

namespace hub {

absl::StatusOr<ListenAddress> ListenAddress::Parse(std::string_view text) {
  const absl::Status bad =
      absl::InvalidArgumentError("listen on an address with a port: 127.0.0.1:8080 or [::1]:8080");
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad;
  const auto port = ParseNumber(text.substr(colon + 1));
  if (!port || *port > 65535) return bad;
  std::string host(text.substr(0, colon));
  ListenAddress address;
  auto* const four = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* const six = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (::inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) != 1) return bad;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(static_cast<std::uint16_t>(*port));
    address.size = sizeof(sockaddr_in6);
    return address;
  }
  if (::inet_pton(AF_INET, host.c_str(), &four->sin_addr) != 1) return bad;
  four->sin_family = AF_INET;
  four->sin_port = htons(static_cast<std::uint16_t>(*port));
  address.size = sizeof(sockaddr_in);
  return address;
}

bool ListenAddress::is_loopback() const {
  return IsLoopback(IpText(reinterpret_cast<const sockaddr*>(&storage)));
}

bool ListenAddress::is_any() const {
  const std::string ip = IpText(reinterpret_cast<const sockaddr*>(&storage));
  return ip == "::" || ip == "0.0.0.0";
}

bool IsLoopback(std::string_view ip) { return ip == "::1" || StartsWith(ip, "127."); }

std::string HostAndPort(const sockaddr* address) {
  const std::string ip = IpText(address);
  const bool six = ip.find(':') != std::string::npos;
  const std::uint16_t port = ntohs(address->sa_family == AF_INET6
                                       ? reinterpret_cast<const sockaddr_in6*>(address)->sin6_port
                                       : reinterpret_cast<const sockaddr_in*>(address)->sin_port);
  return Cat({six ? "[" : "", ip, six ? "]:" : ":", std::to_string(port)});
}

std::string IpText(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    const auto* const four = reinterpret_cast<const sockaddr_in*>(address);
    ::inet_ntop(AF_INET, &four->sin_addr, text.data(), text.size());
  } else if (address->sa_family == AF_INET6) {
    const auto* const six = reinterpret_cast<const sockaddr_in6*>(address);
    if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
      ::inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], text.data(), text.size());
    } else {
      ::inet_ntop(AF_INET6, &six->sin6_addr, text.data(), text.size());
    }
  }
  return text.data();
}

bool IsIp(std::string_view text) {
  const std::string copy(text);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, copy.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1;
}

std::string ClientIp(const std::string& peer, std::string_view forwarded,
                     const std::vector<std::string>& trusted) {
  const auto is_trusted = [&](std::string_view ip) {
    return std::find(trusted.begin(), trusted.end(), ip) != trusted.end();
  };
  std::string client = peer;
  const std::vector<std::string_view> hops = SplitFields(forwarded, ',');
  for (auto hop = hops.rbegin(); hop != hops.rend() && is_trusted(client); ++hop) {
    const std::string_view ip = Trimmed(*hop);
    if (!IsIp(ip)) break;
    client = ip;
  }
  return client;
}

}  // namespace hub
