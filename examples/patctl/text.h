// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PATCTL_TEXT_H_
#define PATCTL_TEXT_H_

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace patctl {

/// The parts, one after the other. (absl::StrCat takes no std::string_view where Abseil was built
/// with a string_view of its own, as Debian's is.)
std::string Cat(std::initializer_list<std::string_view> parts);

/// `text` made harmless for a terminal: every control character (C0, DEL, C1), every character
/// that reorders or hides text (bidirectional and zero-width ones) and every line separator becomes
/// \u{...}, every byte that is not UTF-8 becomes \x.., and a backslash is doubled, so that no two
/// texts look the same.
std::string Escaped(std::string_view text);

/// Lines up rows of cells in columns, two blanks between them. The cells are escaped already.
std::string Table(const std::vector<std::vector<std::string>>& rows);

/// What goes to standard output: kept until Flush.
class Output {
 public:
  Output() = default;
  ~Output() { Wipe(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void Write(std::string_view text) { text_.append(text); }
  void WriteLine(std::string_view text) {
    Write(text);
    Write("\n");
  }

  /// Hands everything to the system. Unavailable if it cannot be written: disk full, pipe closed.
  absl::Status Flush();

 private:
  void Wipe();

  std::string text_;
};

}  // namespace patctl

#endif  // PATCTL_TEXT_H_
