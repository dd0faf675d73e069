// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TESTS_VECTORS_VECTOR_FILE_H_
#define PAT_TESTS_VECTORS_VECTOR_FILE_H_

#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

// Reads golden vectors (tests/vectors/*.txt): one case a line, fields between single blanks, the
// verdict first; lines that are empty or begin with '#' are comments.

namespace pat::testing {

struct Vector {
  int line;
  std::vector<std::string> fields;  // as they stand in the file
};

inline std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

// All cases of a file; none if it cannot be read.
inline std::vector<Vector> ReadVectors(const std::string& path) {
  std::ifstream file(path);
  std::vector<Vector> vectors;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    if (!text.empty() && text.front() != '#') vectors.push_back({line, Split(text, ' ')});
  }
  return vectors;
}

inline int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The bytes of a field in quotes with \xHH for the odd ones.
inline std::string Unquote(std::string_view field) {
  std::string bytes;
  for (std::size_t i = 1; i + 1 < field.size(); ++i) {
    if (field[i] == '\\') {
      bytes.push_back(static_cast<char>(HexDigit(field[i + 2]) * 16 + HexDigit(field[i + 3])));
      i += 3;
    } else {
      bytes.push_back(field[i]);
    }
  }
  return bytes;
}

// The bytes of a field of hexadecimal digits.
inline std::string Unhex(std::string_view field) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < field.size(); i += 2) {
    bytes.push_back(static_cast<char>(HexDigit(field[i]) * 16 + HexDigit(field[i + 1])));
  }
  return bytes;
}

}  // namespace pat::testing

#endif  // PAT_TESTS_VECTORS_VECTOR_FILE_H_
