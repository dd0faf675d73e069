// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_PAGE_ASSETS_H_
#define HUB_PAGE_ASSETS_H_

#include <string>
#include <string_view>
#include <vector>

namespace hub {

/// A file of assets/, compiled in.
struct Asset {
  std::string_view path;     ///< "/assets/page.css".
  std::string_view type;     ///< For Content-Type.
  std::string_view version;  ///< Changes when the contents do.
  std::string_view contents;
};

/// All of them. (Written by embed_assets.cmake.)
const std::vector<Asset>& Assets();

/// The path with its version, so that browsers may keep what they got.
std::string AssetUrl(std::string_view path);

}  // namespace hub

#endif  // HUB_PAGE_ASSETS_H_
