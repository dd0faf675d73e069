// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "request_log.h"
#include "secret.h"
#include "signing_key.h"
#include "text.h"
#include "verbs.h"
#include "watched_file.h"

namespace hub {

VerbSyntax KeygenSyntax() { return {"keygen", {"keys"}, {}, {"keys"}, 0}; }

absl::Status Keygen(const Arguments& arguments) {
  const std::string directory = arguments.Value("keys");
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::UnavailableError("cannot make that directory");
  }
  const std::string key_path = directory + kKeyFile;
  const std::string certificate_path = directory + kCertificateFile;
  struct stat status {};
  if (::lstat(key_path.c_str(), &status) == 0 || ::lstat(certificate_path.c_str(), &status) == 0) {
    return absl::AlreadyExistsError("there is a key already: remove it first if it must go");
  }
  const absl::StatusOr<SigningKey> key = SigningKey::Generate();
  if (!key.ok()) return key.status();
  std::string pem = key->KeyPem();
  if (pem.empty() || key->CertificatePem().empty()) return absl::InternalError("OpenSSL failed");
  absl::Status written = WriteFile(key_path, pem, 0600);
  Wipe(pem);
  if (written.ok()) written = WriteFile(certificate_path, key->CertificatePem(), 0644);
  if (written.ok()) Log(Cat({"the registry's rootcertbundle: ", certificate_path}));
  return written;
}

}  // namespace hub
