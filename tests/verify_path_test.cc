// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
// The verify path of the LMDB store allocates nothing. This binary counts what passes malloc, from
// C++ and from LMDB alike.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "pat/lmdb_store.h"
#include "tests/temp_dir.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PAT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PAT_SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(PAT_SANITIZED)  // sanitizers bring a malloc of their own
namespace {
thread_local bool counting = false;
std::atomic<long> allocations{0};

void Count() {
  if (counting) allocations.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace

extern "C" {
void* __libc_malloc(std::size_t bytes);                 // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(std::size_t n, std::size_t bytes);  // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* old, std::size_t bytes);     // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(std::size_t align,
                      std::size_t bytes);  // NOLINT(bugprone-reserved-identifier)
void* malloc(std::size_t bytes) noexcept {
  Count();
  return __libc_malloc(bytes);
}
void* calloc(std::size_t n, std::size_t bytes) noexcept {
  Count();
  return __libc_calloc(n, bytes);
}
void* realloc(void* old, std::size_t bytes) noexcept {
  Count();
  return __libc_realloc(old, bytes);
}
void* aligned_alloc(std::size_t align, std::size_t bytes) noexcept {
  Count();
  return __libc_memalign(align, bytes);
}
int posix_memalign(void** out, std::size_t align, std::size_t bytes) noexcept {
  Count();
  *out = __libc_memalign(align, bytes);
  return *out == nullptr ? ENOMEM : 0;
}
}

namespace pat {
namespace {

class VerifyPathTest : public testing::Test {
 protected:
  void SetUp() override {
    LmdbOptions options;
    options.create_if_missing = true;
    options.concurrent_reads = 2;
    auto store = OpenLmdbStore(dir_.path(), options);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    Batch batch;
    TokenRecord record;
    record.bytes[0] = 1;
    for (std::uint64_t id = 1; id <= 1000; ++id) batch.tokens.push_back({id, record});
    batch.accounts.push_back({"a", 1, std::string(kMaxAccountRowBytes, 'r')});
    ASSERT_TRUE(store_->Apply(batch).ok());
    ASSERT_TRUE(store_->ReserveTokenIds(1000).ok());
    allocations = 0;
  }

  // From the very first call of a thread on.
  void Verify(std::uint32_t base) {
    TokenRecord record;
    AccountRow row;
    const std::string agent(300, 'a');
    counting = true;
    for (std::uint64_t id = 0; id <= 2000; ++id) {
      (void)store_->Find(id, &record);
      (void)store_->FindAccount(static_cast<std::uint32_t>(id), &row);
      store_->RecordUse(id, base + 100, "192.0.2.1", agent);
      store_->RecordUse(id, base + 200, "", "");
    }
    counting = false;
  }

  const TempDir dir_;
  std::unique_ptr<Store> store_;
};

TEST_F(VerifyPathTest, AllocatesNothing) {
  Verify(0);
  EXPECT_EQ(allocations.load(), 0);
}

TEST_F(VerifyPathTest, AllocatesNothingInANewThreadBesideAWriter) {
  std::thread one([this] { Verify(1000); });
  std::thread two([this] { Verify(2000); });
  std::thread three([this] { Verify(3000); });
  for (int i = 0; i < 20; ++i) {
    Batch batch;
    TokenRecord record;
    record.bytes[1] = static_cast<unsigned char>(i + 1);
    batch.tokens.push_back({5, record});
    ASSERT_TRUE(store_->Apply(batch).ok());
  }
  one.join();
  two.join();
  three.join();
  EXPECT_EQ(allocations.load(), 0);
}

TEST_F(VerifyPathTest, AllocatesNothingOnAClosedStore) {
  ASSERT_TRUE(store_->Close().ok());
  Verify(0);
  EXPECT_EQ(allocations.load(), 0);
}

TEST_F(VerifyPathTest, CounterSeesAllocations) {
  counting = true;
  const auto use = store_->ReadUse(1);
  store_->Page(1, 0, 10).status().IgnoreError();
  counting = false;
  EXPECT_GT(allocations.load(), 0) << "the control";
}

}  // namespace
}  // namespace pat
#else
TEST(VerifyPathTest, AllocatesNothing) { GTEST_SKIP() << "malloc cannot be counted here"; }
#endif
