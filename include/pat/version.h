// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_VERSION_H_
#define PAT_VERSION_H_

/// The version of libpat, in one place: CMake reads it from here. Semantic versioning; before 1.0
/// the C++ API may change with any minor version, the file formats only with a note in
/// CHANGELOG.md.
#define PAT_VERSION_MAJOR 0
#define PAT_VERSION_MINOR 0
#define PAT_VERSION_PATCH 1

namespace pat {

/// The number of the store's format (records, rows and tables, see docs/format.md), written into
/// every store and checked at open. 0 until 0.1 is released: no migration from it.
inline constexpr int kStoreFormat = 0;

}  // namespace pat

#endif  // PAT_VERSION_H_
