// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The example store keeps the contract. This is all the test a store of one's own needs.
#include "examples/map_store.h"

#include <memory>

#include "tests/store_conformance.h"

namespace pat {
namespace {

INSTANTIATE_TEST_SUITE_P(MapStore, StoreConformance,
                         testing::Values(StoreUnderTest{
                             "map", [] { return std::make_unique<MapStore>(); }, {}}));

}  // namespace
}  // namespace pat
