// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "http_server.h"

#include <microhttpd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "deadlines.h"
#include "refusals.h"
#include "request_log.h"
#include "text.h"
#include "worker_pool.h"

namespace hub {
namespace {

/// What a connection's request line, headers and answer's headers may take together.
constexpr std::size_t kConnectionMemory = std::size_t{16} << 10;
/// How much of a body that is too large is read to answer 413 before the line is cut.
constexpr std::size_t kMaxDiscarded = std::size_t{1} << 20;
/// Files that are not connections: the store's, epoll's, standard streams.
constexpr std::size_t kOtherFiles = 128;

/// What GnuTLS speaks: TLS 1.2 and 1.3.
constexpr char kTlsPriorities[] = "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1";

/// A request under way and its answer.
struct Exchange {
  Request request;
  Response response;
  absl::Time begun = absl::Now();
  std::size_t discarded = 0;
  bool headers_read = false;
  bool dispatched = false;
  std::atomic<bool> answered{false};
};

int SocketOf(MHD_Connection* connection) {
  const MHD_ConnectionInfo* const info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

std::string PeerOf(MHD_Connection* connection) {
  const MHD_ConnectionInfo* const info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return info == nullptr || info->client_addr == nullptr ? std::string()
                                                         : IpText(info->client_addr);
}

MHD_Result AddHeader(void* headers, MHD_ValueKind /*kind*/, const char* key, std::size_t key_size,
                     const char* value, std::size_t value_size) {
  static_cast<Headers*>(headers)->emplace_back(
      std::string(key, key_size),
      value == nullptr ? std::string() : std::string(value, value_size));
  return MHD_YES;
}

/// As many files as the system grants; how many that is.
std::size_t RaiseFileLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : before;
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(App& app, ListeningSocket socket, const HttpOptions& options, std::size_t max_files)
      : app_(app),
        socket_(std::move(socket)),
        options_(options),
        max_connections_(std::min(options.max_connections, max_files - kOtherFiles)),
        deadlines_(max_files, options.request_timeout),
        passwords_(options.password_threads, options.max_waiting_passwords) {}

  absl::Status Start();
  void Stop(absl::Duration patience);
  std::size_t max_connections() const { return max_connections_; }

 private:
  static void* OnUri(void* self, const char* uri, MHD_Connection* connection);
  static void OnConnection(void* self, MHD_Connection* connection, void** context,
                           MHD_ConnectionNotificationCode what);
  static void OnCompleted(void* self, MHD_Connection* connection, void** context,
                          MHD_RequestTerminationCode why);
  static MHD_Result OnAccess(void* self, MHD_Connection* connection, const char* url,
                             const char* method, const char* version, const char* upload,
                             std::size_t* upload_size, void** context);

  MHD_Result ReadHeaders(Exchange& exchange, MHD_Connection* connection, const char* method);
  MHD_Result Dispatch(Exchange& exchange, MHD_Connection* connection);
  MHD_Result Send(Exchange& exchange, MHD_Connection* connection);
  void Answer(Exchange& exchange);

  App& app_;
  ListeningSocket socket_;
  const HttpOptions options_;
  const std::size_t max_connections_;
  MHD_Daemon* daemon_ = nullptr;
  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> hurry_at_ns_{0};  // not 0: answers begun later are 503
  std::atomic<int> under_way_{0};
  Deadlines deadlines_;
  WorkerPool passwords_;
};

absl::Status HttpServer::Impl::Start() {
  const int listening = socket_.Release();
  const auto seconds = absl::ToInt64Seconds(absl::Ceil(options_.request_timeout, absl::Seconds(1)));
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
  // MHD's key is text with an end. The copy is wiped when the daemon has read it.
  std::string tls_key(options_.tls == nullptr ? "" : options_.tls->key.Reveal());
  MHD_OptionItem tls[] = {{MHD_OPTION_END, 0, nullptr},
                          {MHD_OPTION_HTTPS_MEM_CERT, 0, nullptr},
                          {MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(kTlsPriorities)},
                          {MHD_OPTION_END, 0, nullptr}};
  if (options_.tls != nullptr) {
    flags |= MHD_USE_TLS;
    tls[0] = {MHD_OPTION_HTTPS_MEM_KEY, 0, tls_key.data()};
    tls[1].ptr_value = const_cast<char*>(options_.tls->certificate.c_str());
  }
  daemon_ = MHD_start_daemon(
      flags, 0, nullptr, nullptr, &OnAccess, this, MHD_OPTION_LISTEN_SOCKET, listening,
      MHD_OPTION_THREAD_POOL_SIZE, options_.threads, MHD_OPTION_CONNECTION_LIMIT,
      static_cast<unsigned>(max_connections_), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      kConnectionMemory, MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(seconds),
      MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, &OnUri, this,
      MHD_OPTION_NOTIFY_CONNECTION, &OnConnection, this, MHD_OPTION_NOTIFY_COMPLETED, &OnCompleted,
      this, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
  if (daemon_ != nullptr) return absl::OkStatus();
  ::close(listening);
  return absl::UnavailableError(
      options_.tls == nullptr ? "the HTTP server does not start"
                              : "the HTTPS server does not start: are certificate and key PEM, and "
                                "do they belong together?");
}

void HttpServer::Impl::Stop(absl::Duration patience) {
  if (daemon_ == nullptr) return;
  const absl::Time give_up = absl::Now() + patience;
  stopping_ = true;
  hurry_at_ns_ = absl::ToUnixNanos(give_up);
  const int listening = MHD_quiesce_daemon(daemon_);
  if (listening >= 0) ::close(listening);
  passwords_.Stop();  // what waits is answered; connections must not be left suspended
  while (under_way_ > 0 && absl::Now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  MHD_stop_daemon(daemon_);
  daemon_ = nullptr;
}

void* HttpServer::Impl::OnUri(void* self, const char* uri, MHD_Connection* /*connection*/) {
  auto* const exchange = new Exchange();
  ++static_cast<Impl*>(self)->under_way_;
  const std::string_view text = uri;
  const std::size_t question = text.find('?');
  exchange->request.path = text.substr(0, question);
  if (question != std::string_view::npos) exchange->request.query = text.substr(question + 1);
  return exchange;
}

void HttpServer::Impl::OnConnection(void* self, MHD_Connection* connection, void** /*context*/,
                                    MHD_ConnectionNotificationCode what) {
  Deadlines& deadlines = static_cast<Impl*>(self)->deadlines_;
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    deadlines.Start(SocketOf(connection));
  } else {
    deadlines.Forget(SocketOf(connection));
  }
}

void HttpServer::Impl::OnCompleted(void* self, MHD_Connection* connection, void** context,
                                   MHD_RequestTerminationCode /*why*/) {
  auto* const impl = static_cast<Impl*>(self);
  if (*context == nullptr) return;
  delete static_cast<Exchange*>(*context);
  *context = nullptr;
  --impl->under_way_;
  impl->deadlines_.Start(SocketOf(connection));  // for the next request
}

MHD_Result HttpServer::Impl::OnAccess(void* self, MHD_Connection* connection, const char* /*url*/,
                                      const char* method, const char* /*version*/,
                                      const char* upload, std::size_t* upload_size,
                                      void** context) {
  auto* const impl = static_cast<Impl*>(self);
  auto* const exchange = static_cast<Exchange*>(*context);
  if (exchange == nullptr) return MHD_NO;
  if (!exchange->headers_read) return impl->ReadHeaders(*exchange, connection, method);
  if (*upload_size > 0) {
    std::string& body = exchange->request.body;
    if (body.capacity() == 0) body.reserve(kMaxBodyBytes + 1);  // a secret is not moved about
    const std::size_t room =
        kMaxBodyBytes + 1 - body.size();  // one more shows that it is too large
    body.append(upload, std::min(room, *upload_size));
    exchange->discarded += *upload_size - std::min(room, *upload_size);
    *upload_size = 0;
    return exchange->discarded > kMaxDiscarded ? MHD_NO : MHD_YES;
  }
  if (exchange->answered) return impl->Send(*exchange, connection);
  return exchange->dispatched ? MHD_YES : impl->Dispatch(*exchange, connection);
}

MHD_Result HttpServer::Impl::ReadHeaders(Exchange& exchange, MHD_Connection* connection,
                                         const char* method) {
  exchange.headers_read = true;
  Request& request = exchange.request;
  request.method = method;
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, &AddHeader, &request.headers);
  request.ip = PeerOf(connection);
  if (!options_.trusted_proxies.empty()) {
    request.ip = ClientIp(request.ip, request.Header("X-Forwarded-For").value_or(""),
                          options_.trusted_proxies);
  }
  const auto length = request.Header("Content-Length");
  if (!length || ParseNumber(*length).value_or(0) <= static_cast<std::int64_t>(kMaxBodyBytes)) {
    return MHD_YES;
  }
  exchange.response = Mistake(413, "the body is too large");
  return Send(exchange, connection);
}

void HttpServer::Impl::Answer(Exchange& exchange) {
  const std::int64_t hurry_at = hurry_at_ns_;
  if (hurry_at != 0 && absl::GetCurrentTimeNanos() > hurry_at) {
    exchange.response = Mistake(503, "The service is stopping.");
  } else {
    exchange.response = app_.Handle(exchange.request);
  }
  exchange.answered = true;
}

MHD_Result HttpServer::Impl::Dispatch(Exchange& exchange, MHD_Connection* connection) {
  exchange.dispatched = true;
  deadlines_.Pause(SocketOf(connection));
  if (!app_.IsSlow(exchange.request)) {
    Answer(exchange);
    return Send(exchange, connection);
  }
  MHD_suspend_connection(connection);
  const bool taken = passwords_.TryRun([this, &exchange, connection] {
    Answer(exchange);
    MHD_resume_connection(connection);
  });
  if (!taken) {
    exchange.response = Mistake(503, "Too many sign-ins wait already. Try again.");
    exchange.response.headers.emplace_back("Retry-After", "5");
    exchange.answered = true;
    MHD_resume_connection(connection);
  }
  return MHD_YES;
}

MHD_Result HttpServer::Impl::Send(Exchange& exchange, MHD_Connection* connection) {
  deadlines_.Start(SocketOf(connection));
  const Response& response = exchange.response;
  Log(LogLine(exchange.request, response, app_.RouteName(exchange.request), exchange.begun,
              absl::Now() - exchange.begun));
  MHD_Response* const out = MHD_create_response_from_buffer(
      response.body.size(), const_cast<char*>(response.body.data()), MHD_RESPMEM_MUST_COPY);
  if (out == nullptr) return MHD_NO;
  for (const auto& [name, value] : response.headers) {
    MHD_add_response_header(out, name.c_str(), value.c_str());
  }
  if (stopping_) MHD_add_response_header(out, "Connection", "close");
  const MHD_Result queued =
      MHD_queue_response(connection, static_cast<unsigned>(response.status), out);
  MHD_destroy_response(out);
  return queued;
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { Stop(absl::ZeroDuration()); }

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(App& app, ListeningSocket socket,
                                                              const HttpOptions& options) {
  const std::size_t max_files = RaiseFileLimit();
  if (max_files < 2 * kOtherFiles) {
    return absl::FailedPreconditionError("too few files may be open (ulimit -n)");
  }
  auto impl = std::make_unique<Impl>(app, std::move(socket), options, max_files);
  if (absl::Status s = impl->Start(); !s.ok()) return s;
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

void HttpServer::Stop(absl::Duration patience) { impl_->Stop(patience); }

std::size_t HttpServer::max_connections() const { return impl_->max_connections(); }

}  // namespace hub
