// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "page_assets.h"

#include "page.h"
#include "refusals.h"
#include "text.h"

namespace hub {
namespace {

Response Serve(const Asset& asset, const Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return Mistake(405, "GET it");
  Response response;
  response.headers = {
      {"Content-Type", std::string(asset.type)},
      // The version is in the query: another one is another address.
      {"Cache-Control", "public, max-age=31536000, immutable"},
      {"X-Content-Type-Options", "nosniff"},
      {"Content-Security-Policy", "default-src 'none'"},
  };
  response.body = asset.contents;
  return response;
}

}  // namespace

std::string AssetUrl(std::string_view path) {
  for (const Asset& asset : Assets()) {
    if (asset.path == path) return Cat({path, "?v=", asset.version});
  }
  return std::string(path);
}

void RegisterPageAssets(Router& router) {
  for (const Asset& asset : Assets()) {
    router.Add({std::string(asset.path),
                false,
                [&asset](const Request& request) { return Serve(asset, request); },
                {}});
  }
}

}  // namespace hub
