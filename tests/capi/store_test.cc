// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Stores made of C functions: the conformance suite, an authority over one, and what happens when
// a function fails, is missing or gives what cannot be.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/capi/store_ops.h"
#include "tests/issued_secrets.h"
#include "tests/store_conformance.h"

namespace pat {
namespace {

INSTANTIATE_TEST_SUITE_P(OfC, StoreConformance,
                         testing::Values(StoreUnderTest{"ops", capi_test::NewStoreOfOps, {}}),
                         [](const auto& info) { return info.param.name; });

// The functions of the table.
constexpr std::size_t kFunctions = (sizeof(pat_store_ops) - sizeof(std::size_t)) / sizeof(void*);

// The last four: destroy, meta_version, prefetch, next_account.
constexpr std::size_t kOptional = 4;

TEST(StoreOfC, NeedsEveryFunctionButTheOptionalOnes) {
  for (std::size_t i = 0; i + kOptional < kFunctions; ++i) {
    pat_store_ops ops = capi_test::Ops();
    std::memset(reinterpret_cast<char*>(&ops) + sizeof(std::size_t) + i * sizeof(void*), 0,
                sizeof(void*));
    pat_store* store = reinterpret_cast<pat_store*>(&ops);
    pat_error* error = nullptr;
    EXPECT_EQ(pat_store_new(&ops, nullptr, &store, &error), PAT_INVALID_ARGUMENT) << i;
    EXPECT_EQ(store, nullptr);
    EXPECT_EQ(pat_error_code(error), PAT_INVALID_ARGUMENT);
    pat_error_free(error);
  }
  pat_store_ops ops = capi_test::Ops();
  pat_store* store = nullptr;
  EXPECT_EQ(pat_store_new(nullptr, nullptr, &store, nullptr), PAT_INVALID_ARGUMENT);
  EXPECT_EQ(pat_store_new(&ops, nullptr, nullptr, nullptr), PAT_INVALID_ARGUMENT);
  for (const std::size_t size : {std::size_t{0}, std::size_t{7},
                                 sizeof ops - (kOptional + 1) * sizeof(void*), std::size_t{5000}}) {
    ops.size = size;
    EXPECT_EQ(pat_store_new(&ops, nullptr, &store, nullptr), PAT_INVALID_ARGUMENT) << size;
  }
  ops.size = sizeof ops - kOptional * sizeof(void*);  // older than they are
  Store* const inner = NewMemoryStore().release();
  ASSERT_EQ(pat_store_new(&ops, inner, &store, nullptr), PAT_OK);
  pat_store_free(store);
  delete inner;
}

TEST(StoreOfC, SinksRefuseWhatTheyAreNotFor) {
  EXPECT_EQ(pat_sink_bytes(nullptr, "x", 1), PAT_INVALID_ARGUMENT);
  EXPECT_EQ(pat_sink_token(nullptr, 1, nullptr, nullptr, 0), PAT_INVALID_ARGUMENT);
  pat_store_ops ops = capi_test::Ops();
  ops.destroy = nullptr;
  ops.read_meta = [](void*, const char* name, size_t, pat_sink* sink) -> int32_t {
    switch (*name) {
      case 'n': return PAT_OK;  // nothing given
      case 't': return pat_sink_token(sink, 1, nullptr, nullptr, 0), PAT_OK;
      case 'b': return pat_sink_bytes(sink, nullptr, 3), PAT_OK;
      default: return pat_sink_bytes(sink, nullptr, 0);
    }
  };
  ops.page = [](void*, uint32_t, uint64_t, size_t n, pat_sink* sink) -> int32_t {
    static const unsigned char record[PAT_RECORD_BYTES] = {1};
    for (size_t i = 0; i <= n; ++i) pat_sink_token(sink, i + 1, record, nullptr, 0);
    return PAT_OK;  // one more than asked for
  };
  ops.scan = [](void*, uint64_t, size_t, pat_sink* sink) -> int32_t {
    return pat_sink_bytes(sink, "x", 1), PAT_OK;
  };
  ops.find_account = [](void*, uint32_t number, pat_account_row* row) -> int32_t {
    row->number = number;
    row->row_len = PAT_ACCOUNT_ROW_BYTES + 1;
    return PAT_OK;
  };
  ops.read_account = [](void*, const char*, size_t, pat_account_row* row) -> int32_t {
    row->row_len = PAT_ACCOUNT_ROW_BYTES + 1;
    row->number = 1;
    return PAT_OK;
  };
  ops.reserve_token_ids = [](void*, uint32_t, uint64_t*) -> int32_t { return PAT_OK; };
  ops.reserve_account_number = [](void*, uint32_t*) -> int32_t { return PAT_OK; };
  ops.flush = [](void*) -> int32_t { return 99; };
  const std::unique_ptr<Store> inner = NewMemoryStore();
  pat_store* made = nullptr;
  ASSERT_EQ(pat_store_new(&ops, inner.get(), &made, nullptr), PAT_OK);
  Store& store = *made->store;
  EXPECT_EQ(store.ReadMeta("nothing").status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(store.ReadMeta("token").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store.ReadMeta("bytes").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(*store.ReadMeta("empty"), "");
  EXPECT_EQ(store.Page(1, 0, 2).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store.Scan(1, 2).status().code(), absl::StatusCode::kInvalidArgument);
  AccountRow row;
  EXPECT_EQ(store.FindAccount(1, &row), Store::Lookup::kUnavailable);
  EXPECT_EQ(store.ReadAccount("a").status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(store.ReserveTokenIds(1).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(store.ReserveAccountNumber().status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(store.Flush().code(), absl::StatusCode::kInternal);
  pat_store_free(made);
}

// An authority over a store of C functions; each function in turn fails with each code, and
// nothing worse comes of it than that code or a refusal.
class AuthorityOverC : public testing::Test {
 protected:
  void SetUp() override {
    ops_ = capi_test::Ops();
    ASSERT_EQ(pat_keyring_generate(keyring_, sizeof keyring_, &keyring_len_, nullptr), PAT_OK);
    RecordIssuedSecret(std::string(std::strrchr(keyring_, ' ') + 1, 64));
  }
  void TearDown() override { pat_wipe(keyring_, sizeof keyring_); }

  pat_authority* Open() {
    static const char* const prefixes[] = {"acme_pat_"};
    pat_options options{};
    options.size = sizeof options;
    options.create_if_missing = 1;
    options.prefixes = prefixes;
    options.prefix_count = 1;
    options.keyring_text = keyring_;
    options.keyring_text_len = keyring_len_;
    pat_store* store = nullptr;
    pat_authority* authority = nullptr;
    EXPECT_EQ(pat_store_new(&ops_, NewMemoryStore().release(), &store, nullptr), PAT_OK);
    EXPECT_EQ(pat_open(store, &options, &authority, nullptr), PAT_OK);
    return authority;
  }

  static int32_t Issue(pat_authority* authority, char* secret) {
    static const char* const scopes[] = {"repo:read"};
    pat_issue_request request{};
    request.size = sizeof request;
    request.account = "alice";
    request.account_len = 5;
    request.description = "laptop";
    request.scopes = scopes;
    request.scope_count = 1;
    const int32_t code =
        pat_issue(authority, &request, secret, PAT_SECRET_CAPACITY, nullptr, nullptr);
    if (code == PAT_OK) RecordIssuedSecret(secret);
    return code;
  }

  static int32_t Verify(pat_authority* authority, const char* secret) {
    pat_decision decision{};
    decision.size = sizeof decision;
    return pat_verify(authority, secret, std::strlen(secret), nullptr, &decision);
  }

  pat_store_ops ops_{};
  char keyring_[PAT_KEYRING_CAPACITY] = {};
  std::size_t keyring_len_ = 0;
};

TEST_F(AuthorityOverC, IssuesVerifiesAndRevokes) {
  pat_authority* const authority = Open();
  char secret[PAT_SECRET_CAPACITY];
  ASSERT_EQ(Issue(authority, secret), PAT_OK);
  EXPECT_EQ(Verify(authority, secret), PAT_OK);
  EXPECT_EQ(pat_deactivate(authority, 1, "alice", 5, nullptr), PAT_OK);
  EXPECT_EQ(Verify(authority, secret), PAT_UNAUTHENTICATED);
  pat_close(authority);
}

int32_t fail_with = PAT_OK;  // while not PAT_OK, the function under test fails

TEST_F(AuthorityOverC, AFailingFunctionIsAnErrorAndNoMore) {
  ops_.apply = [](void* context, const pat_batch* batch) -> int32_t {
    return fail_with != PAT_OK ? fail_with : capi_test::Ops().apply(context, batch);
  };
  ops_.find = [](void* context, uint64_t id, unsigned char* record) -> int32_t {
    return fail_with != PAT_OK ? fail_with : capi_test::Ops().find(context, id, record);
  };
  ops_.health = [](void*) -> int32_t { return fail_with; };
  pat_authority* const authority = Open();
  char secret[PAT_SECRET_CAPACITY];
  char second[PAT_SECRET_CAPACITY];
  ASSERT_EQ(Issue(authority, secret), PAT_OK);
  for (const int32_t code :
       {PAT_UNAVAILABLE, PAT_RESOURCE_EXHAUSTED, PAT_DATA_LOSS, PAT_INTERNAL}) {
    fail_with = code;
    EXPECT_EQ(Issue(authority, second), code);
    EXPECT_EQ(*second, '\0');
    EXPECT_EQ(Verify(authority, secret), PAT_UNAVAILABLE);
    EXPECT_EQ(pat_health(authority, nullptr), code);
    fail_with = PAT_OK;
    EXPECT_EQ(Verify(authority, secret), PAT_OK);
  }
  pat_counts counts{};
  counts.size = sizeof counts;
  EXPECT_EQ(pat_count(authority, "alice", 5, &counts, nullptr), PAT_OK);
  EXPECT_EQ(counts.active, 1U);
  pat_close(authority);
}

}  // namespace
}  // namespace pat
