// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// A store made of C functions (pat/c_store.h).
#include "pat/c_store.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "capi/call.h"
#include "capi/handles.h"

/// Where a reading function puts what it found: bytes, or up to `most` tokens.
struct pat_sink {
  std::string* bytes = nullptr;
  std::vector<pat::TokenRow>* tokens = nullptr;
  std::size_t most = 0;
  bool filled = false;
  int32_t failure = PAT_OK;

  int32_t Fail(int32_t code) { return failure = code; }
};

namespace pat::capi {
namespace {

static_assert(PAT_RECORD_BYTES == sizeof(TokenRecord::bytes));
static_assert(PAT_ACCOUNT_ROW_BYTES == kMaxAccountRowBytes);

absl::Status StatusOf(int32_t code, const char* function) {
  if (code == PAT_OK) return absl::OkStatus();
  const bool known = code > PAT_OK && code <= PAT_UNAUTHENTICATED;
  return absl::Status(known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kInternal,
                      std::string("the store's ") + function + " failed");
}

absl::Status Broken(const char* function) {
  return absl::InternalError(std::string("the store's ") + function + " gave what cannot be");
}

template <typename Struct>
Struct Sized() {
  Struct made{};
  made.size = sizeof(Struct);
  return made;
}

bool CopyRow(const pat_account_row& from, AccountRow* row) noexcept {
  if (from.number == 0 || from.row_len > kMaxAccountRowBytes) return false;
  row->number = from.number;
  row->size = from.row_len;
  std::memcpy(row->bytes.data(), from.row, from.row_len);
  return true;
}

Store::Lookup LookupOf(int32_t code) {
  if (code == PAT_OK) return Store::Lookup::kFound;
  return code == PAT_NOT_FOUND ? Store::Lookup::kAbsent : Store::Lookup::kUnavailable;
}

// A Batch as C sees it: borrows from the Batch.
struct BatchView {
  explicit BatchView(const Batch& from);

  std::vector<pat_batch_token> token_checks;
  std::vector<pat_batch_account> account_checks;
  std::vector<pat_batch_meta> meta_checks;
  std::vector<pat_batch_token> tokens;
  std::vector<pat_batch_metadata> metadata;
  std::vector<pat_batch_account> accounts;
  std::vector<pat_batch_meta> meta;
  pat_batch batch{};
};

uint32_t Size32(const std::string& text) { return static_cast<uint32_t>(text.size()); }

BatchView::BatchView(const Batch& from) {
  for (const auto& check : from.token_checks) {
    token_checks.push_back({check.id, check.expected.bytes.data()});
  }
  for (const auto& check : from.account_checks) {
    account_checks.push_back({check.account.data(), check.account.size(), check.expected.data(),
                              Size32(check.expected), 0});
  }
  for (const auto& check : from.meta_checks) {
    meta_checks.push_back(
        {check.name.data(), check.name.size(), check.expected.data(), check.expected.size()});
  }
  for (const auto& put : from.tokens) tokens.push_back({put.id, put.record.bytes.data()});
  for (const auto& put : from.metadata) {
    metadata.push_back({put.id, put.account_number, Size32(put.metadata), put.metadata.data()});
  }
  for (const auto& put : from.accounts) {
    accounts.push_back(
        {put.account.data(), put.account.size(), put.row.data(), Size32(put.row), put.number});
  }
  for (const auto& put : from.meta) {
    meta.push_back({put.name.data(), put.name.size(), put.value.data(), put.value.size()});
  }
  batch = {sizeof(pat_batch),
           token_checks.data(),
           token_checks.size(),
           account_checks.data(),
           account_checks.size(),
           meta_checks.data(),
           meta_checks.size(),
           tokens.data(),
           tokens.size(),
           metadata.data(),
           metadata.size(),
           accounts.data(),
           accounts.size(),
           meta.data(),
           meta.size(),
           from.revocation ? 1 : 0,
           0};
}

// Store's contract says that nothing is thrown: memory that runs out is a status.
template <typename Body>
auto Guarded(Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return absl::Status(absl::StatusCode::kResourceExhausted, "");  // no message: no allocation
  }
}

class CStore final : public Store {
 public:
  CStore(const pat_store_ops& ops, void* context) : ops_(ops), context_(context) {}
  CStore(const CStore&) = delete;
  CStore& operator=(const CStore&) = delete;
  ~CStore() override {
    ops_.close(context_);
    if (ops_.destroy != nullptr) ops_.destroy(context_);
  }

  Lookup Find(std::uint64_t id, TokenRecord* record,
              std::uint64_t* meta_version) noexcept override {
    *meta_version = CStore::MetaVersion();  // before: what is found is at least as new
    return LookupOf(ops_.find(context_, id, record->bytes.data()));
  }

  void Prefetch(std::uint64_t id) noexcept override {
    if (ops_.prefetch != nullptr) ops_.prefetch(context_, id);
  }

  std::uint64_t MetaVersion() noexcept override {
    return ops_.meta_version != nullptr ? ops_.meta_version(context_) : 0;
  }

  Lookup FindAccount(std::uint32_t number, AccountRow* row) noexcept override {
    auto found = Sized<pat_account_row>();
    const Lookup lookup = LookupOf(ops_.find_account(context_, number, &found));
    if (lookup == Lookup::kFound && !CopyRow(found, row)) return Lookup::kUnavailable;
    return lookup;
  }

  void RecordUse(std::uint64_t id, std::uint32_t unix_s, std::string_view ip,
                 std::string_view user_agent) noexcept override {
    ops_.record_use(context_, id, unix_s, ip.data(), ip.size(), user_agent.data(),
                    user_agent.size());
  }

  absl::StatusOr<LastUse> ReadUse(std::uint64_t id) override {
    return Guarded([&]() -> absl::StatusOr<LastUse> {
      auto found = Sized<pat_last_use>();
      if (const int32_t code = ops_.read_use(context_, id, &found); code != PAT_OK) {
        return StatusOf(code, "read_use");
      }
      found.ip[sizeof found.ip - 1] = '\0';
      found.user_agent[sizeof found.user_agent - 1] = '\0';
      return LastUse{found.unix_s, found.ip, found.user_agent};
    });
  }

  absl::StatusOr<AccountRow> ReadAccount(std::string_view account) override {
    return Guarded([&]() -> absl::StatusOr<AccountRow> {
      auto found = Sized<pat_account_row>();
      AccountRow row;
      const int32_t code = ops_.read_account(context_, account.data(), account.size(), &found);
      if (code != PAT_OK) return StatusOf(code, "read_account");
      if (!CopyRow(found, &row)) return Broken("read_account");
      return row;
    });
  }

  absl::StatusOr<std::string> ReadMetadata(std::uint32_t account_number,
                                           std::uint64_t id) override {
    return Bytes("read_metadata", [&](pat_sink* sink) {
      return ops_.read_metadata(context_, account_number, id, sink);
    });
  }

  absl::StatusOr<std::vector<TokenRow>> Page(std::uint32_t account_number, std::uint64_t before,
                                             std::size_t n) override {
    return Tokens("page", n, [&](pat_sink* sink) {
      return ops_.page(context_, account_number, before, n, sink);
    });
  }

  absl::StatusOr<std::vector<TokenRow>> Scan(std::uint64_t first, std::size_t n) override {
    return Tokens("scan", n, [&](pat_sink* sink) { return ops_.scan(context_, first, n, sink); });
  }

  absl::StatusOr<AccountRow> NextAccount(std::uint32_t first) override {
    if (ops_.next_account == nullptr) {
      return absl::UnimplementedError("the store cannot list its accounts");
    }
    return Guarded([&]() -> absl::StatusOr<AccountRow> {
      auto found = Sized<pat_account_row>();
      AccountRow row;
      const int32_t code = ops_.next_account(context_, first, &found);
      if (code != PAT_OK) return StatusOf(code, "next_account");
      if (!CopyRow(found, &row)) return Broken("next_account");
      return row;
    });
  }

  absl::StatusOr<std::string> ReadMeta(std::string_view name) override {
    return Bytes("read_meta", [&](pat_sink* sink) {
      return ops_.read_meta(context_, name.data(), name.size(), sink);
    });
  }

  absl::StatusOr<StoreStats> Stats() override {
    return Guarded([&]() -> absl::StatusOr<StoreStats> {
      auto found = Sized<pat_store_stats>();
      if (const int32_t code = ops_.stats(context_, &found); code != PAT_OK) {
        return StatusOf(code, "stats");
      }
      return StoreStats{found.accounts,     found.next_token_id, found.bytes,
                        found.uses_dropped, found.readers,       found.most_readers};
    });
  }

  absl::StatusOr<std::uint64_t> ReserveTokenIds(std::uint32_t n) override {
    return Guarded([&]() -> absl::StatusOr<std::uint64_t> {
      std::uint64_t first = 0;
      const int32_t code = ops_.reserve_token_ids(context_, n, &first);
      if (code != PAT_OK) return StatusOf(code, "reserve_token_ids");
      if (first == 0) return Broken("reserve_token_ids");
      return first;
    });
  }

  absl::StatusOr<std::uint32_t> ReserveAccountNumber() override {
    return Guarded([&]() -> absl::StatusOr<std::uint32_t> {
      std::uint32_t number = 0;
      const int32_t code = ops_.reserve_account_number(context_, &number);
      if (code != PAT_OK) return StatusOf(code, "reserve_account_number");
      if (number == 0) return Broken("reserve_account_number");
      return number;
    });
  }

  absl::Status Apply(const Batch& batch) override {
    return Guarded([&] {
      const BatchView view(batch);
      return StatusOf(ops_.apply(context_, &view.batch), "apply");
    });
  }

  absl::Status Flush() override {
    return Guarded([&] { return StatusOf(ops_.flush(context_), "flush"); });
  }
  absl::Status Health() override {
    return Guarded([&] { return StatusOf(ops_.health(context_), "health"); });
  }
  absl::Status Close() override {
    return Guarded([&] { return StatusOf(ops_.close(context_), "close"); });
  }

 private:
  template <typename Read>
  static absl::StatusOr<std::string> Bytes(const char* function, Read read) {
    return Guarded([&]() -> absl::StatusOr<std::string> {
      std::string bytes;
      pat_sink sink;
      sink.bytes = &bytes;
      const int32_t code = read(&sink);
      if (sink.failure != PAT_OK) return StatusOf(sink.failure, function);
      if (code != PAT_OK) return StatusOf(code, function);
      if (!sink.filled) return Broken(function);
      return bytes;
    });
  }

  template <typename Read>
  static absl::StatusOr<std::vector<TokenRow>> Tokens(const char* function, std::size_t n,
                                                      Read read) {
    return Guarded([&]() -> absl::StatusOr<std::vector<TokenRow>> {
      std::vector<TokenRow> tokens;
      pat_sink sink;
      sink.tokens = &tokens;
      sink.most = n;
      const int32_t code = read(&sink);
      if (sink.failure != PAT_OK) return StatusOf(sink.failure, function);
      if (code != PAT_OK) return StatusOf(code, function);
      return tokens;
    });
  }

  const pat_store_ops ops_;
  void* const context_;
};

bool Complete(const pat_store_ops& ops) {
  return ops.find != nullptr && ops.find_account != nullptr && ops.record_use != nullptr &&
         ops.read_use != nullptr && ops.read_account != nullptr && ops.read_metadata != nullptr &&
         ops.page != nullptr && ops.scan != nullptr && ops.read_meta != nullptr &&
         ops.stats != nullptr && ops.reserve_token_ids != nullptr &&
         ops.reserve_account_number != nullptr && ops.apply != nullptr && ops.flush != nullptr &&
         ops.health != nullptr && ops.close != nullptr;
}

}  // namespace
}  // namespace pat::capi

using pat::capi::Call;
using pat::capi::NullArgument;

int32_t pat_sink_bytes(pat_sink* sink, const char* bytes, size_t len) {
  if (sink == nullptr) return PAT_INVALID_ARGUMENT;
  if (sink->bytes == nullptr || (bytes == nullptr && len != 0)) {
    return sink->Fail(PAT_INVALID_ARGUMENT);
  }
  const int32_t code = Call(nullptr, [&] {
    if (len == 0) {
      sink->bytes->clear();
    } else {
      sink->bytes->assign(bytes, len);
    }
    return absl::OkStatus();
  });
  sink->filled = code == PAT_OK;
  return sink->failure = code;
}

int32_t pat_sink_token(pat_sink* sink, uint64_t id, const unsigned char* record,
                       const char* metadata, size_t metadata_len) {
  if (sink == nullptr) return PAT_INVALID_ARGUMENT;
  if (sink->tokens == nullptr || record == nullptr || sink->tokens->size() >= sink->most ||
      (metadata == nullptr && metadata_len != 0)) {
    return sink->Fail(PAT_INVALID_ARGUMENT);
  }
  const int32_t code = Call(nullptr, [&] {
    pat::TokenRow row;
    row.id = id;
    std::memcpy(row.record.bytes.data(), record, PAT_RECORD_BYTES);
    if (metadata_len != 0) row.metadata.assign(metadata, metadata_len);
    sink->tokens->push_back(std::move(row));
    return absl::OkStatus();
  });
  if (code != PAT_OK) sink->failure = code;
  return code;
}

int32_t pat_store_new(const pat_store_ops* ops, void* context, pat_store** store,
                      pat_error** error) {
  return Call(error, [&]() -> absl::Status {
    if (store == nullptr) return NullArgument();
    *store = nullptr;
    if (ops == nullptr) return NullArgument();
    pat_store_ops taken;
    if (absl::Status s = pat::capi::Take(ops, &taken); !s.ok()) return s;
    if (!pat::capi::Complete(taken)) {
      return absl::InvalidArgumentError("a store needs all functions but the optional ones");
    }
    auto made = std::make_unique<pat_store>();
    made->store = std::make_unique<pat::capi::CStore>(taken, context);
    *store = made.release();
    return absl::OkStatus();
  });
}
