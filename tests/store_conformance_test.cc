// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/store_conformance.h"

#include <memory>
#include <utility>

#include "pat/lmdb_store.h"
#include "pat/memory_store.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

std::unique_ptr<Store> OpenLmdb(const std::string& directory) {
  LmdbOptions options;
  options.create_if_missing = true;
  absl::StatusOr<std::unique_ptr<Store>> store = OpenLmdbStore(directory, options);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

StoreUnderTest Lmdb() {
  // Each test makes one store; the directory lives until the next test's, or the end.
  const auto directory = std::make_shared<std::unique_ptr<TempDir>>();
  return {"lmdb",
          [directory] {
            *directory = std::make_unique<TempDir>();
            return OpenLmdb((*directory)->path());
          },
          [directory](std::unique_ptr<Store> store) {
            EXPECT_TRUE(store->Close().ok());
            store.reset();
            return OpenLmdb((*directory)->path());
          }};
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreConformance,
                         testing::Values(StoreUnderTest{"memory", NewMemoryStore, {}}, Lmdb()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace pat
