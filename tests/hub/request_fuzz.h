// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HUB_REQUEST_FUZZ_H_
#define TESTS_HUB_REQUEST_FUZZ_H_

#include <string_view>

namespace hub {

/// Handles a request made from `input` and aborts if the answer is not one that may be: for the
/// fuzzer, and for the test that replays its corpus. The input is lines: "METHOD PATH[?QUERY]",
/// headers, an empty line, the body. "{read}", "{write}" and "{bob}" in it stand for good tokens
/// ("{basic read}" for the Basic credentials of alice with it).
void HandleFuzzed(std::string_view input);

}  // namespace hub

#endif  // TESTS_HUB_REQUEST_FUZZ_H_
