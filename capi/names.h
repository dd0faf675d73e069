// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef CAPI_NAMES_H_
#define CAPI_NAMES_H_

#include <cstdint>

namespace pat::capi {

/// The C number of an enumerator: one more, so that zero can stand for none.
template <typename Enum>
constexpr std::int32_t ToC(Enum value) {
  return static_cast<std::int32_t>(value) + 1;
}

/// The enumerator of a C number, if it is one; `last` is the enum's last.
template <typename Enum>
constexpr bool FromC(std::int32_t number, Enum last, Enum* value) {
  if (number < 1 || number > ToC(last)) return false;
  *value = static_cast<Enum>(number - 1);
  return true;
}

}  // namespace pat::capi

#endif  // CAPI_NAMES_H_
