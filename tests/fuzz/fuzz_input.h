// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FUZZ_FUZZ_INPUT_H_
#define TESTS_FUZZ_FUZZ_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// Ends the program, with where, unless `holds`: what a fuzzer's input must not bring about.
inline void Require(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: does not hold\n", file, line);
  std::abort();
}

/// The bytes of a fuzzer's input, taken from the front. At the end everything is 0 or empty.
class FuzzInput {
 public:
  FuzzInput(const unsigned char* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  unsigned Byte() {
    const std::string_view byte = Bytes(1);
    return byte.empty() ? 0 : static_cast<unsigned char>(byte[0]);
  }
  unsigned Below(unsigned end) { return Byte() % end; }
  bool Flag() { return (Byte() & 1U) != 0; }

  std::uint64_t Number(std::size_t bytes) {
    std::uint64_t number = 0;
    for (const char c : Bytes(bytes)) number = number << 8U | static_cast<unsigned char>(c);
    return number;
  }

  /// `size` bytes, or what is left of them.
  std::string_view Bytes(std::size_t size) {
    const std::string_view bytes = rest_.substr(0, std::min(size, rest_.size()));
    rest_.remove_prefix(bytes.size());
    return bytes;
  }
  /// Up to `most` (below 256) bytes after a byte that says how many.
  std::string_view Text(unsigned most) { return Bytes(Below(most + 1)); }

 private:
  std::string_view rest_;
};

/// One run of a target: what libFuzzer calls, and replay.cc where there is no libFuzzer.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

#endif  // TESTS_FUZZ_FUZZ_INPUT_H_
