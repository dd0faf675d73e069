// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "examples/hub/router.h"

#include <gtest/gtest.h>

#include <string>

namespace hub {
namespace {

std::string Found(const Router& router, std::string_view path) {
  const Route* const route = router.Find(path);
  return route == nullptr ? "none" : route->path;
}

TEST(RouterTest, FindsThePathsOwnRouteBeforeTheOneItIsBelow) {
  Router router;
  router.Add({"/v2/tokens", true, {}, {}});
  router.Add({"/v2/tokens/all", false, {}, {}});
  router.Add({"/token", false, {}, {}});
  EXPECT_EQ(Found(router, "/v2/tokens"), "/v2/tokens");
  EXPECT_EQ(Found(router, "/v2/tokens/1"), "/v2/tokens");
  EXPECT_EQ(Found(router, "/v2/tokens/all"), "/v2/tokens/all");
  EXPECT_EQ(Found(router, "/v2/tokens/all/"), "/v2/tokens/all");
  EXPECT_EQ(Found(router, "/v2/tokens/"), "/v2/tokens");
  EXPECT_EQ(Found(router, "/token/"), "/token");
  for (const char* path : {"", "/", "/v2", "/v2/tokensx", "/token/1", "/token//", "token"}) {
    EXPECT_EQ(Found(router, path), "none") << path;
  }
}

}  // namespace
}  // namespace hub
