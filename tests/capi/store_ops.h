// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TESTS_CAPI_STORE_OPS_H_
#define PAT_TESTS_CAPI_STORE_OPS_H_

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "capi/handles.h"
#include "pat/c_store.h"
#include "pat/memory_store.h"
#include "pat/store.h"

// A pat_store_ops table over a C++ store: the way out of C++ that capi/store.cc is the way into.
// A store must be the same after both.

namespace pat::capi_test {

inline Store* In(void* context) { return static_cast<Store*>(context); }
inline int32_t Code(const absl::Status& status) { return static_cast<int32_t>(status.code()); }

inline int32_t CodeOf(Store::Lookup lookup) {
  if (lookup == Store::Lookup::kFound) return PAT_OK;
  return lookup == Store::Lookup::kAbsent ? PAT_NOT_FOUND : PAT_UNAVAILABLE;
}

inline void Copy(const AccountRow& from, pat_account_row* to) {
  to->number = from.number;
  to->row_len = from.size;
  std::memcpy(to->row, from.bytes.data(), from.size);
}

inline int32_t Give(const absl::StatusOr<std::string>& bytes, pat_sink* sink) {
  return bytes.ok() ? pat_sink_bytes(sink, bytes->data(), bytes->size()) : Code(bytes.status());
}

inline int32_t Give(const absl::StatusOr<std::vector<TokenRow>>& rows, pat_sink* sink) {
  if (!rows.ok()) return Code(rows.status());
  for (const TokenRow& row : *rows) {
    const int32_t code = pat_sink_token(sink, row.id, row.record.bytes.data(), row.metadata.data(),
                                        row.metadata.size());
    if (code != PAT_OK) return code;
  }
  return PAT_OK;
}

inline TokenRecord RecordAt(const unsigned char* bytes) {
  TokenRecord record;
  std::memcpy(record.bytes.data(), bytes, record.bytes.size());
  return record;
}

inline Batch BatchOf(const pat_batch& from) {
  Batch batch;
  for (size_t i = 0; i < from.token_check_count; ++i) {
    batch.token_checks.push_back({from.token_checks[i].id, RecordAt(from.token_checks[i].record)});
  }
  for (size_t i = 0; i < from.account_check_count; ++i) {
    const pat_batch_account& c = from.account_checks[i];
    batch.account_checks.push_back(
        {std::string(c.account, c.account_len), std::string(c.row, c.row_len)});
  }
  for (size_t i = 0; i < from.meta_check_count; ++i) {
    const pat_batch_meta& c = from.meta_checks[i];
    batch.meta_checks.push_back(
        {std::string(c.name, c.name_len), std::string(c.value, c.value_len)});
  }
  for (size_t i = 0; i < from.token_count; ++i) {
    batch.tokens.push_back({from.tokens[i].id, RecordAt(from.tokens[i].record)});
  }
  for (size_t i = 0; i < from.metadata_count; ++i) {
    const pat_batch_metadata& p = from.metadata[i];
    batch.metadata.push_back({p.account_number, p.id, std::string(p.metadata, p.metadata_len)});
  }
  for (size_t i = 0; i < from.account_count; ++i) {
    const pat_batch_account& p = from.accounts[i];
    batch.accounts.push_back(
        {std::string(p.account, p.account_len), p.number, std::string(p.row, p.row_len)});
  }
  for (size_t i = 0; i < from.meta_count; ++i) {
    const pat_batch_meta& p = from.meta[i];
    batch.meta.push_back({std::string(p.name, p.name_len), std::string(p.value, p.value_len)});
  }
  batch.revocation = from.revocation != 0;
  return batch;
}

/// The table; its context is a Store, which destroy deletes.
inline pat_store_ops Ops() {
  pat_store_ops ops{};
  ops.size = sizeof ops;
  ops.find = [](void* context, uint64_t id, unsigned char* record) {
    TokenRecord found;
    const Store::Lookup lookup = In(context)->Find(id, &found);
    if (lookup == Store::Lookup::kFound) std::memcpy(record, found.bytes.data(), PAT_RECORD_BYTES);
    return CodeOf(lookup);
  };
  ops.find_account = [](void* context, uint32_t number, pat_account_row* row) {
    AccountRow found;
    const Store::Lookup lookup = In(context)->FindAccount(number, &found);
    if (lookup == Store::Lookup::kFound) Copy(found, row);
    return CodeOf(lookup);
  };
  ops.record_use = [](void* context, uint64_t id, uint32_t unix_s, const char* ip, size_t ip_len,
                      const char* agent, size_t agent_len) {
    In(context)->RecordUse(id, unix_s, {ip, ip_len}, {agent, agent_len});
  };
  ops.read_use = [](void* context, uint64_t id, pat_last_use* use) {
    const auto found = In(context)->ReadUse(id);
    if (!found.ok()) return Code(found.status());
    use->unix_s = found->unix_s;
    std::memcpy(use->ip, found->ip.data(), found->ip.size());
    std::memcpy(use->user_agent, found->user_agent.data(), found->user_agent.size());
    return Code({});
  };
  ops.read_account = [](void* context, const char* account, size_t len, pat_account_row* row) {
    const auto found = In(context)->ReadAccount({account, len});
    if (found.ok()) Copy(*found, row);
    return Code(found.status());
  };
  ops.read_metadata = [](void* context, uint32_t number, uint64_t id, pat_sink* bytes) {
    return Give(In(context)->ReadMetadata(number, id), bytes);
  };
  ops.page = [](void* context, uint32_t number, uint64_t before, size_t n, pat_sink* tokens) {
    return Give(In(context)->Page(number, before, n), tokens);
  };
  ops.scan = [](void* context, uint64_t first, size_t n, pat_sink* tokens) {
    return Give(In(context)->Scan(first, n), tokens);
  };
  ops.read_meta = [](void* context, const char* name, size_t len, pat_sink* bytes) {
    return Give(In(context)->ReadMeta({name, len}), bytes);
  };
  ops.stats = [](void* context, pat_store_stats* stats) {
    const auto found = In(context)->Stats();
    if (!found.ok()) return Code(found.status());
    stats->accounts = found->accounts;
    stats->next_token_id = found->next_token_id;
    stats->bytes = found->bytes;
    stats->uses_dropped = found->uses_dropped;
    return Code({});
  };
  ops.reserve_token_ids = [](void* context, uint32_t n, uint64_t* first) {
    const auto reserved = In(context)->ReserveTokenIds(n);
    if (reserved.ok()) *first = *reserved;
    return Code(reserved.status());
  };
  ops.reserve_account_number = [](void* context, uint32_t* number) {
    const auto reserved = In(context)->ReserveAccountNumber();
    if (reserved.ok()) *number = *reserved;
    return Code(reserved.status());
  };
  ops.apply = [](void* context, const pat_batch* batch) {
    return Code(In(context)->Apply(BatchOf(*batch)));
  };
  ops.flush = [](void* context) { return Code(In(context)->Flush()); };
  ops.health = [](void* context) { return Code(In(context)->Health()); };
  ops.close = [](void* context) { return Code(In(context)->Close()); };
  ops.destroy = [](void* context) { delete In(context); };
  ops.meta_version = [](void* context) -> uint64_t { return In(context)->MetaVersion(); };
  ops.next_account = [](void* context, uint32_t first, pat_account_row* row) {
    const auto found = In(context)->NextAccount(first);
    if (found.ok()) Copy(*found, row);
    return Code(found.status());
  };
  ops.prefetch = [](void* context, uint64_t id) { In(context)->Prefetch(id); };
  return ops;
}

/// A memory store, seen through the table.
inline std::unique_ptr<Store> NewStoreOfOps() {
  const pat_store_ops ops = Ops();
  pat_store* store = nullptr;
  auto inner = NewMemoryStore();
  if (pat_store_new(&ops, inner.get(), &store, nullptr) != PAT_OK) return nullptr;
  inner.release();  // NOLINT(bugprone-unused-return-value): destroy deletes it
  std::unique_ptr<Store> made = std::move(store->store);
  pat_store_free(store);
  return made;
}

}  // namespace pat::capi_test

#endif  // PAT_TESTS_CAPI_STORE_OPS_H_
