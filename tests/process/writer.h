// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PROCESS_WRITER_H_
#define TESTS_PROCESS_WRITER_H_

/// A writer of the kill test: opens the store in `directory` and issues, renames, deactivates,
/// activates and deletes until it is killed, noting in the AckTable what it was promised. `which`:
/// its number, 0 to 3; with an 'e' behind it, it notes changes *before* it makes them, which the
/// test must notice.
int RunWriter(const char* directory, const char* table_fd, const char* which);

/// Never killed: presents all tokens again and again, and complains if an answer is not as was
/// promised before the question and still is after it.
int RunWatcher(const char* directory, const char* table_fd);

#endif  // TESTS_PROCESS_WRITER_H_
