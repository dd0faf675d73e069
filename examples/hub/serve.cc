// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "address.h"
#include "app.h"
#include "http_server.h"
#include "listening_socket.h"
#include "pat/pat.h"
#include "request_log.h"
#include "secret.h"
#include "text.h"
#include "verbs.h"

namespace hub {
namespace {

/// How long requests under way may take once the server is told to stop.
constexpr absl::Duration kPatience = absl::Seconds(10);

/// Characters that mean nothing in a header or in JSON.
bool IsPlain(std::string_view text) {
  for (char c : text) {
    if (c < ' ' || c > '~' || c == '"' || c == '\\') return false;
  }
  return !text.empty();
}

absl::StatusOr<std::unique_ptr<pat::Authority>> OpenAuthority(const Arguments& arguments) {
  pat::LmdbOptions lmdb;
  lmdb.create_if_missing = arguments.Has("create");
  auto store = pat::OpenLmdbStore(arguments.Value("store"), lmdb);
  if (!store.ok()) return store.status();
  pat::AuthorityOptions options;
  options.create_if_missing = arguments.Has("create");
  options.prefixes = arguments.All("prefix");
  if (options.prefixes.empty() && options.create_if_missing) options.prefixes = {"hub_pat_"};
  const std::string keyring = arguments.Value("keyring", arguments.Value("store") + "/keyring");
  return pat::Authority::Open(*std::move(store), pat::Keyring::File(keyring), options);
}

absl::StatusOr<SigningKey> ReadSigningKey(const Arguments& arguments) {
  absl::StatusOr<std::string> key = ReadFile(arguments.Value("keys") + kKeyFile, 0600);
  if (!key.ok()) return key.status();
  const absl::StatusOr<std::string> certificate =
      ReadFile(arguments.Value("keys") + kCertificateFile);
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<SigningKey> read = SigningKey::FromPem(*key, *certificate);
  Wipe(*key);
  return read;
}

absl::StatusOr<Settings> ReadSettings(const Arguments& arguments) {
  Settings settings;
  settings.issuer = arguments.Value("issuer", settings.issuer);
  settings.service = arguments.Value("service", settings.service);
  settings.realm = arguments.Value("realm", settings.realm);
  settings.registry = arguments.Value("registry", settings.service);
  if (!IsPlain(settings.issuer) || !IsPlain(settings.service) || !IsPlain(settings.realm) ||
      !IsPlain(settings.registry)) {
    return absl::InvalidArgumentError(
        "--issuer, --service, --realm and --registry are plain ASCII text");
  }
  const auto lifetime = arguments.Number("jwt-lifetime", 120, absl::ToInt64Seconds(kMinJwtLifetime),
                                         absl::ToInt64Seconds(kMaxJwtLifetime));
  if (!lifetime.ok()) return lifetime.status();
  settings.jwt_lifetime = absl::Seconds(*lifetime);
  Throttle::Limits& address = settings.limits.address;
  Throttle::Limits& account = settings.limits.account;
  const auto by_address = arguments.Number("address-failures", address.failures, 1, 1'000'000);
  const auto by_account = arguments.Number("account-failures", account.failures, 1, 1'000'000);
  if (!by_address.ok()) return by_address.status();
  if (!by_account.ok()) return by_account.status();
  settings.metrics_from = arguments.All("metrics-from");
  for (const std::string& ip : settings.metrics_from) {
    if (!IsIp(ip)) return absl::InvalidArgumentError("--metrics-from is an IP address");
  }
  const auto new_tokens =
      arguments.Number("new-tokens", settings.new_tokens.failures, 1, 1'000'000);
  if (!new_tokens.ok()) return new_tokens.status();
  settings.new_tokens.failures = static_cast<int>(*new_tokens);
  address.failures = static_cast<int>(*by_address);
  account.failures = static_cast<int>(*by_account);
  return settings;
}

absl::StatusOr<ListeningSocket> Listen(const Arguments& arguments) {
  const auto address = ListenAddress::Parse(arguments.Value("listen"));
  if (!address.ok()) return address.status();
  const bool tls = arguments.Has("tls-certificate") || arguments.Has("behind-tls");
  if (!address->is_loopback() && !tls) {
    return absl::InvalidArgumentError(
        "tokens must not cross a network in the clear: give --tls-certificate and --tls-key, "
        "listen "
        "on loopback, or give --behind-tls if a TLS proxy stands before this address");
  }
  if (address->is_any() && !arguments.Has("public-url")) {
    return absl::InvalidArgumentError("say how clients reach this: --public-url https://HOST");
  }
  return ListeningSocket::Open(*address);
}

/// How clients reach us: as the operator says, or the address itself.
absl::StatusOr<std::string> PublicUrl(const Arguments& arguments, const ListeningSocket& socket) {
  std::string url = arguments.Value(
      "public-url",
      Cat({arguments.Has("tls-certificate") ? "https://" : "http://", socket.HostAndPort()}));
  while (!url.empty() && url.back() == '/') url.pop_back();
  const bool known = StartsWith(url, "https://") || StartsWith(url, "http://");
  if (!known || !IsPlain(url) || url.find_first_of(" ?#<>'&") != std::string::npos) {
    return absl::InvalidArgumentError("--public-url is like https://hub.example.com");
  }
  return url;
}

absl::StatusOr<HttpOptions> ReadHttpOptions(const Arguments& arguments) {
  HttpOptions options;
  const auto threads = arguments.Number("threads", options.threads, 1, 256);
  const auto connections = arguments.Number(
      "max-connections", static_cast<std::int64_t>(options.max_connections), 16, 1'000'000);
  const auto timeout = arguments.Number("request-timeout", 30, 1, 3600);
  if (!threads.ok()) return threads.status();
  if (!connections.ok()) return connections.status();
  if (!timeout.ok()) return timeout.status();
  options.threads = static_cast<unsigned>(*threads);
  options.max_connections = static_cast<std::size_t>(*connections);
  options.request_timeout = absl::Seconds(*timeout);
  options.trusted_proxies = arguments.All("trusted-proxy");
  for (const std::string& proxy : options.trusted_proxies) {
    if (!IsIp(proxy)) return absl::InvalidArgumentError("--trusted-proxy is an IP address");
  }
  return options;
}

/// None: plain HTTP is wanted.
absl::StatusOr<std::optional<TlsIdentity>> ReadTlsIdentity(const Arguments& arguments) {
  if (arguments.Has("tls-certificate") != arguments.Has("tls-key")) {
    return absl::InvalidArgumentError("--tls-certificate and --tls-key go together");
  }
  if (!arguments.Has("tls-key")) return std::nullopt;
  absl::StatusOr<std::string> certificate = ReadFile(arguments.Value("tls-certificate"));
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<std::string> key = ReadFile(arguments.Value("tls-key"), 0640);
  if (!key.ok()) return key.status();
  return TlsIdentity{*std::move(certificate), Secret(*key)};
}

/// Waits for the signal to stop. They must be blocked in every thread: call Block first.
sigset_t StopSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  return signals;
}

absl::Status ServeUntilStopped(App& app, ListeningSocket socket, const HttpOptions& options,
                               const std::string& url, const sigset_t& stop) {
  const std::uint16_t port = socket.port();
  absl::StatusOr<std::unique_ptr<HttpServer>> server =
      HttpServer::Start(app, std::move(socket), options);
  if (!server.ok()) return server.status();
  LogEvent("listening",
           {{"port", port}, {"url", url}, {"max_connections", (*server)->max_connections()}});
  int signal = 0;
  ::sigwait(&stop, &signal);
  LogEvent("stopping", {{"signal", signal}});
  (*server)->Stop(kPatience);
  return absl::OkStatus();
}

}  // namespace

VerbSyntax ServeSyntax() {
  return {"serve",
          {"store",
           "keyring",
           "keys",
           "users",
           "public-repositories",
           "listen",
           "issuer",
           "service",
           "realm",
           "prefix",
           "jwt-lifetime",
           "address-failures",
           "account-failures",
           "threads",
           "max-connections",
           "request-timeout",
           "trusted-proxy",
           "public-url",
           "new-tokens",
           "registry",
           "metrics-from",
           "tls-certificate",
           "tls-key"},
          {"create", "behind-tls"},
          {"store", "keys", "users", "listen"},
          0};
}

absl::Status Serve(const Arguments& arguments) {
  absl::StatusOr<Settings> settings = ReadSettings(arguments);
  if (!settings.ok()) return settings.status();
  absl::StatusOr<HttpOptions> http = ReadHttpOptions(arguments);
  if (!http.ok()) return http.status();
  const auto tls = ReadTlsIdentity(arguments);
  if (!tls.ok()) return tls.status();
  if (tls->has_value()) http->tls = &**tls;
  WatchedFile<Users> users(arguments.Value("users"), &Users::Read);
  if (const auto read = users.Get(); !read.ok()) return read.status();
  WatchedFile<Repositories> repositories(arguments.Value("public-repositories"),
                                         &Repositories::Read);
  if (const auto read = repositories.Get(); !read.ok()) return read.status();
  absl::StatusOr<SigningKey> key = ReadSigningKey(arguments);
  if (!key.ok()) return key.status();
  const JwtSigner signer(*std::move(key));
  const sigset_t stop = StopSignals();
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);  // before any thread begins
  static_cast<void>(::signal(SIGPIPE, SIG_IGN));
  const auto authority = OpenAuthority(arguments);
  if (!authority.ok()) return authority.status();
  absl::StatusOr<ListeningSocket> socket = Listen(arguments);
  if (!socket.ok()) return socket.status();
  const absl::StatusOr<std::string> public_url = PublicUrl(arguments, *socket);
  if (!public_url.ok()) return public_url.status();
  settings->public_url = *public_url;
  App app(*settings, {**authority, users, repositories, signer, [] { return absl::Now(); }});
  if (absl::Status s = ServeUntilStopped(app, *std::move(socket), *http, *public_url, stop);
      !s.ok())
    return s;
  return (*authority)->Flush();
}

}  // namespace hub
