// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "request.h"

#include "text.h"

namespace hub {

std::size_t Request::CountHeader(std::string_view name) const {
  std::size_t count = 0;
  for (const auto& [key, value] : headers) count += EqualsIgnoreCase(key, name) ? 1 : 0;
  return count;
}

std::optional<std::string_view> Request::Header(std::string_view name) const {
  if (CountHeader(name) != 1) return std::nullopt;
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return std::nullopt;
}

}  // namespace hub
