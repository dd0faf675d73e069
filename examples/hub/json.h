// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_JSON_H_
#define HUB_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

#include "request.h"

namespace hub {

/// Members stay in the order they are written in.
using Json = nlohmann::ordered_json;

/// On one line; bytes that are not UTF-8 become U+FFFD.
inline std::string ToText(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// An answer with a JSON body that nobody may keep.
inline Response JsonResponse(int status, const Json& body) {
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
  response.body = ToText(body) + "\n";
  return response;
}

}  // namespace hub

#endif  // HUB_JSON_H_
