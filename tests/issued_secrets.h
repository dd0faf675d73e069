// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_ISSUED_SECRETS_H_
#define TESTS_ISSUED_SECRETS_H_

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

/// Notes a token text (or a key) that a test got, as a line of the file that PAT_TEST_SECRETS
/// names, mode 0600; does nothing without that variable. After the tests every log is searched for
/// these (.ci/leak_scan.sh), so each test that is handed a secret calls this, and prints none.
inline void RecordIssuedSecret(std::string_view secret) {
  const char* const path = std::getenv("PAT_TEST_SECRETS");  // NOLINT(concurrency-mt-unsafe)
  if (path == nullptr || *path == '\0' || secret.empty()) return;
  const int fd = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) std::abort();  // a scan that knows not all secrets proves nothing
  // Allocates nothing: some tests have no memory when they get a secret.
  std::array<char, 4096> line;
  if (secret.size() >= line.size()) std::abort();
  *std::copy(secret.begin(), secret.end(), line.begin()) = '\n';
  const std::size_t size = secret.size() + 1;
  const bool written = ::write(fd, line.data(), size) == static_cast<ssize_t>(size);
  if (::close(fd) != 0 || !written) std::abort();
}

#endif  // TESTS_ISSUED_SECRETS_H_
