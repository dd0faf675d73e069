// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TESTS_STORE_CONFORMANCE_H_
#define PAT_TESTS_STORE_CONFORMANCE_H_

// The contract of pat/store.h as tests, for any store. In one source file of a test binary:
//
//   #include "tests/store_conformance.h"
//   INSTANTIATE_TEST_SUITE_P(Mine, pat::StoreConformance,
//                            testing::Values(pat::StoreUnderTest{"mine", MakeEmptyStore, {}}));

#include "tests/store_conformance_fixture.h"
#include "tests/store_conformance_rows.h"
#include "tests/store_conformance_threads.h"
#include "tests/store_conformance_use.h"

#endif  // PAT_TESTS_STORE_CONFORMANCE_H_
