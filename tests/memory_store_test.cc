// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The store in memory when memory runs out: a batch happens whole or not at all. (What every store
// does is in store_conformance.h.)
#include "pat/memory_store.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace {
thread_local int until_failure = 0;  // allocations until one fails; 0: none does
}  // namespace

void* operator new(std::size_t size) {
  if (until_failure != 0 && --until_failure == 0) throw std::bad_alloc();
  if (void* const block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace pat {
namespace {

const std::string kLong(40, 'x');  // no string of this length fits inside a std::string

TokenRecord Record(unsigned char byte) {
  TokenRecord record;
  record.bytes.fill(byte);
  return record;
}

// All that the store shows.
std::vector<std::string> Snapshot(Store& store) {
  std::vector<std::string> all;
  const auto tokens = store.Scan(1, 100);
  EXPECT_TRUE(tokens.ok());
  for (const TokenRow& row : *tokens) {
    all.push_back(std::to_string(row.id) + "=" + std::to_string(row.record.bytes[0]));
  }
  for (std::uint32_t number = 1; number <= 3; ++number) {
    const auto page = store.Page(number, std::uint64_t{1} << 48, 100);
    EXPECT_TRUE(page.ok());
    for (const TokenRow& row : *page) all.push_back(std::to_string(row.id) + ":" + row.metadata);
    AccountRow row;
    const bool found = store.FindAccount(number, &row) == Store::Lookup::kFound;
    all.push_back(found ? std::string(row.view()) : "none");
  }
  for (const std::string& account : {kLong + "1", kLong + "2", kLong + "3"}) {
    const auto row = store.ReadAccount(account);
    all.push_back(row.ok() ? std::to_string(row->number) : "none");
  }
  for (const char* name : {"a", "b", "c"}) all.push_back(store.ReadMeta(name).value_or("none"));
  return all;
}

Batch First() {
  Batch batch;
  batch.tokens = {{1, Record(1)}, {2, Record(2)}, {3, Record(3)}};
  batch.metadata = {{1, 1, kLong + "old"}, {1, 2, kLong + "gone soon"}};
  batch.accounts = {{kLong + "1", 1, kLong + "old"}};
  batch.meta = {{"a", kLong + "old"}, {"b", kLong + "gone soon"}};
  return batch;
}

// Of each kind of row one that is new, one that changes and one that goes.
Batch Second() {
  Batch batch;
  batch.tokens = {{2, Record(22)}, {3, TokenRecord{}}, {4, Record(4)}, {5, Record(5)}};
  batch.metadata = {{1, 1, kLong + "new"}, {1, 2, ""}, {2, 4, kLong}, {3, 5, kLong}};
  batch.accounts = {
      {kLong + "1", 1, kLong + "new"}, {kLong + "2", 2, kLong}, {kLong + "3", 3, kLong}};
  batch.meta = {{"a", kLong + "new"}, {"b", ""}, {"c", kLong}};
  return batch;
}

TEST(MemoryStoreTest, ABatchIsWholeWhereverMemoryRunsOut) {
  const auto whole = NewMemoryStore();
  ASSERT_TRUE(whole->Apply(First()).ok());
  const std::vector<std::string> before = Snapshot(*whole);
  ASSERT_TRUE(whole->Apply(Second()).ok());
  const std::vector<std::string> after = Snapshot(*whole);
  ASSERT_NE(before, after);

  const Batch second = Second();
  int failures = 0;
  for (bool done = false; !done; ++failures) {
    const auto store = NewMemoryStore();
    ASSERT_TRUE(store->Apply(First()).ok());
    until_failure = failures + 1;
    try {
      done = store->Apply(second).ok();
    } catch (const std::bad_alloc&) {
      until_failure = 0;
      ASSERT_EQ(Snapshot(*store), before) << "allocation " << failures + 1;
      ASSERT_TRUE(store->Apply(second).ok());
    }
    until_failure = 0;
    ASSERT_EQ(Snapshot(*store), after);
  }
  EXPECT_GT(failures, 10);
}

}  // namespace
}  // namespace pat
