// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// hub: a registry token server on libpat, and the template for adding libpat to an auth server.
#include <string>
#include <string_view>
#include <vector>

#include "arguments.h"
#include "request_log.h"
#include "text.h"
#include "verbs.h"

namespace {

constexpr std::string_view kUsage = R"(usage: hub VERB

  keygen --keys DIR
      make the key that JWTs are signed with, and its certificate for registries
  adduser NAME --users FILE [--account ID] [--totp] [--scrypt-log-n N]
      add a user; the password is read from standard input. --totp turns two-factor
      authentication on (tokens only, no password) and prints the authenticator's key
  serve --store DIR --keys DIR --users FILE --listen ADDRESS:PORT
      [--keyring FILE] [--create [--prefix P_]] [--issuer I] [--service S] [--realm R]
      [--jwt-lifetime 60..300] [--public-repositories FILE] [--trusted-proxy IP]...
      [--address-failures N] [--account-failures N] [--threads N] [--max-connections N]
      [--request-timeout SECONDS] [--tls-certificate FILE --tls-key FILE | --behind-tls]
      [--public-url URL] [--new-tokens N] [--registry HOST] [--metrics-from IP]...
      serve registries (/token, /verify), people (/settings) and tools (/v2/..., /account/...), and
      operators (/healthz, /metrics) until SIGINT or SIGTERM
)";

struct Verb {
  hub::VerbSyntax (*syntax)();
  absl::Status (*run)(const hub::Arguments&);
};

constexpr Verb kVerbs[] = {
    {&hub::KeygenSyntax, &hub::Keygen},
    {&hub::AddUserSyntax, &hub::AddUser},
    {&hub::ServeSyntax, &hub::Serve},
};

absl::Status Run(const std::vector<std::string>& line) {
  for (const Verb& verb : kVerbs) {
    const hub::VerbSyntax syntax = verb.syntax();
    if (line.empty() || line.front() != syntax.name) continue;
    const auto arguments = hub::Arguments::Parse(syntax, absl::MakeConstSpan(line).subspan(1));
    return arguments.ok() ? verb.run(*arguments) : arguments.status();
  }
  return absl::InvalidArgumentError("name a verb");
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> line(argv + (argc > 0 ? 1 : 0), argv + argc);
  if (line.size() == 1 && (line[0] == "help" || line[0] == "--help" || line[0] == "-h")) {
    hub::Log(kUsage);
    return 0;
  }
  const absl::Status status = Run(line);
  if (status.ok()) return 0;
  const std::string why(status.message());
  hub::Log(hub::Cat({"hub: ", why}));
  if (absl::IsInvalidArgument(status)) hub::Log(kUsage);
  return 1;
}
