// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// What a C store hands out while memory runs out: pat_sink_bytes and pat_sink_token say so, and the
// reading functions pass it on.
#include <gtest/gtest.h>

#include <functional>

#include "tests/capi/store_ops.h"
#include "tests/memory/memory.h"

namespace pat {
namespace {

const std::string kLong(300, 'm');  // of the heap
int32_t said = PAT_OK;              // by the last sink
bool swallow = false;               // the store does not pass it on

int32_t Told(int32_t code) {
  said = code;
  return swallow ? PAT_OK : code;
}

int32_t GiveTokens(std::size_t n, pat_sink* sink) {
  static const unsigned char kRecord[PAT_RECORD_BYTES] = {1};
  for (std::size_t id = 1; id <= n; ++id) {
    const int32_t code = pat_sink_token(sink, id, kRecord, kLong.data(), kLong.size());
    if (code != PAT_OK) return Told(code);
  }
  return Told(PAT_OK);
}

class SinkMemoryTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    swallow = GetParam();
    ops_ = capi_test::Ops();
    ops_.destroy = nullptr;
    ops_.read_meta = [](void*, const char*, size_t, pat_sink* sink) {
      return Told(pat_sink_bytes(sink, kLong.data(), kLong.size()));
    };
    ops_.read_metadata = [](void*, uint32_t, uint64_t, pat_sink* sink) {
      return Told(pat_sink_bytes(sink, kLong.data(), kLong.size()));
    };
    ops_.page = [](void*, uint32_t, uint64_t, size_t n, pat_sink* sink) {
      return GiveTokens(n, sink);
    };
    ops_.scan = [](void*, uint64_t, size_t n, pat_sink* sink) { return GiveTokens(n, sink); };
    ASSERT_EQ(pat_store_new(&ops_, inner_.get(), &made_, nullptr), PAT_OK);
  }
  void TearDown() override { pat_store_free(made_); }

  // Fails each allocation of `read` in turn, until it gets by without.
  void Exhaust(const std::function<absl::Status(Store&)>& read) {
    for (long n = 1;; ++n) {
      const long before = memory_held();
      memory_fail(n, 0);
      absl::Status status = read(*made_->store);
      const int failed = memory_heal();
      const absl::StatusCode code = status.code();
      status = absl::OkStatus();  // its message
      EXPECT_EQ(memory_held(), before) << n;
      if (failed == 0) {
        EXPECT_EQ(code, absl::StatusCode::kOk);
        EXPECT_EQ(said, PAT_OK);
        EXPECT_GE(n, 2) << "nothing was allocated";
        return;
      }
      EXPECT_EQ(code, absl::StatusCode::kResourceExhausted) << n;
    }
  }

  const std::unique_ptr<Store> inner_ = NewMemoryStore();
  pat_store_ops ops_{};
  pat_store* made_ = nullptr;
};

TEST_P(SinkMemoryTest, Bytes) {
  Exhaust([](Store& store) { return store.ReadMeta("header").status(); });
  Exhaust([](Store& store) { return store.ReadMetadata(1, 1).status(); });
}

TEST_P(SinkMemoryTest, Tokens) {
  Exhaust([](Store& store) { return store.Page(1, 0, 5).status(); });
  Exhaust([](Store& store) { return store.Scan(1, 5).status(); });
}

INSTANTIATE_TEST_SUITE_P(OfStores, SinkMemoryTest, testing::Bool(), [](const auto& info) {
  return info.param ? "ThatDoNotPassItOn" : "ThatPassItOn";
});

// The sink itself says so, whatever the store makes of it.
TEST_P(SinkMemoryTest, TheSinkSaysSo) {
  memory_fail(1, 0);
  const absl::StatusCode code = made_->store->ReadMeta("header").status().code();
  memory_heal();
  EXPECT_EQ(said, PAT_RESOURCE_EXHAUSTED);
  EXPECT_EQ(code, absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace pat
