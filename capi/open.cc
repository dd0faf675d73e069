// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Stores, opening and closing, what is declared.
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "capi/call.h"
#include "capi/handles.h"
#include "pat/lmdb_store.h"
#include "pat/memory_store.h"

namespace pat::capi {
namespace {

absl::Status TakeKeyring(const pat_options& options, Keyring* keyring) {
  const int given = (options.keyring_path != nullptr ? 1 : 0) +
                    (options.keyring_text != nullptr ? 1 : 0) +
                    (options.keyring_load != nullptr ? 1 : 0);
  if (given != 1) return Misfit("set one of keyring_path, keyring_text and keyring_load");
  if (options.keyring_path != nullptr) {
    *keyring = Keyring::File(options.keyring_path);
  } else if (options.keyring_text != nullptr) {
    if (options.keyring_text_len >= PAT_KEYRING_CAPACITY) return Misfit("the keyring is too long");
    *keyring = Keyring::Bytes({options.keyring_text, options.keyring_text_len});
  } else {
    const auto load = options.keyring_load;
    void* const context = options.keyring_context;
    *keyring = Keyring::Callback([load, context]() -> absl::StatusOr<std::string> {
      std::string text(PAT_KEYRING_CAPACITY, '\0');
      std::size_t size = 0;
      const int32_t code = load(context, text.data(), text.size(), &size);
      absl::StatusOr<std::string> loaded;
      if (code != PAT_OK) {
        loaded = absl::Status(static_cast<absl::StatusCode>(code), "keyring_load failed");
      } else if (size > text.size()) {
        loaded = Misfit("keyring_load gave a wrong length");
      } else {
        loaded = std::string(text.data(), size);
      }
      pat_wipe(text.data(), text.size());
      return loaded;
    });
  }
  return absl::OkStatus();
}

// A permission's one bit, -1 if it is not one.
int BitOf(uint64_t bits) {
  if (bits == 0 || (bits & (bits - 1)) != 0) return -1;
  int bit = 0;
  while ((bits >> bit & 1U) == 0) ++bit;
  return bit;
}

absl::Status TakeScopes(const pat_options& options, ScopeSet* scopes) {
  if (options.permission_count == 0 && options.scope_count == 0) {
    *scopes = options.adopt_scopes != 0 ? ScopeSet() : ScopeSet::DockerHub();
    return absl::OkStatus();
  }
  if (options.adopt_scopes != 0) return Misfit("adopt_scopes goes with no declaration");
  if (options.permissions == nullptr || (options.scopes == nullptr && options.scope_count != 0)) {
    return NullArgument();
  }
  if (options.permission_count > kMostElements || options.scope_count > kMostElements) {
    return Misfit("too many permissions or scopes");
  }
  std::vector<Permission> permissions;
  for (std::size_t i = 0; i < options.permission_count; ++i) {
    if (options.permissions[i].name == nullptr) return NullArgument();
    permissions.push_back({options.permissions[i].name, BitOf(options.permissions[i].bits)});
  }
  std::vector<Scope> bundles;
  for (std::size_t i = 0; i < options.scope_count; ++i) {
    if (options.scopes[i].name == nullptr) return NullArgument();
    bundles.push_back({options.scopes[i].name, PermissionSet::FromBits(options.scopes[i].bits)});
  }
  absl::StatusOr<ScopeSet> declared = ScopeSet::Create(permissions, std::move(bundles));
  if (!declared.ok()) return declared.status();
  *scopes = *std::move(declared);
  return absl::OkStatus();
}

absl::Status TakeOptions(const pat_options& given, AuthorityOptions* options) {
  if (given.reserved != 0) return Misfit("a reserved field is set");
  options->create_if_missing = given.create_if_missing != 0;
  if (absl::Status s = TakeTexts(given.prefixes, given.prefix_count, &options->prefixes); !s.ok()) {
    return s;
  }
  if (absl::Status s = TakeScopes(given, &options->scopes); !s.ok()) return s;
  if (given.max_auto_tokens != 0) options->auto_tokens.max_per_account = given.max_auto_tokens;
  if (given.auto_scope_count != 0) {
    auto& scopes = options->auto_tokens.scopes;
    if (absl::Status s = TakeTexts(given.auto_scopes, given.auto_scope_count, &scopes); !s.ok()) {
      return s;
    }
  }
  if (given.clock != nullptr) {
    options->clock = [clock = given.clock, context = given.clock_context] {
      return absl::FromUnixSeconds(clock(context));
    };
  }
  return absl::OkStatus();
}

void ShowDeclared(pat_authority* authority) {
  for (const std::string& prefix : authority->authority->prefixes()) {
    authority->prefixes.push_back(prefix.c_str());
  }
  const ScopeSet& scopes = authority->authority->scopes();
  for (const ScopeSet::NamedPermission& permission : scopes.permissions()) {
    authority->permissions.push_back({permission.name.c_str(), uint64_t{1} << permission.bit});
  }
  for (const Scope& scope : scopes.scopes()) {
    authority->scopes.push_back({scope.name.c_str(), scope.permissions.bits()});
  }
}

absl::Status Open(std::unique_ptr<Store> store, const pat_options* given, pat_authority** out) {
  if (store == nullptr || given == nullptr) return NullArgument();
  pat_options taken;
  if (absl::Status s = Take(given, &taken); !s.ok()) return s;
  AuthorityOptions options;
  Keyring keyring = Keyring::Bytes({});
  if (absl::Status s = TakeOptions(taken, &options); !s.ok()) return s;
  if (absl::Status s = TakeKeyring(taken, &keyring); !s.ok()) return s;
  auto made = std::make_unique<pat_authority>();
  made->auto_scopes = options.auto_tokens.scopes;
  absl::StatusOr<std::unique_ptr<Authority>> opened =
      Authority::Open(std::move(store), keyring, options);
  if (!opened.ok()) return opened.status();
  made->authority = *std::move(opened);
  ShowDeclared(made.get());
  *out = made.release();
  return absl::OkStatus();
}

absl::Status TakeLmdbOptions(const pat_lmdb_options* given, LmdbOptions* options) {
  pat_lmdb_options taken;
  if (absl::Status s = Take(given, &taken); !s.ok()) return s;
  options->create_if_missing = taken.create_if_missing != 0;
  options->exclusive = taken.exclusive != 0;
  if (taken.map_bytes != 0) options->map_bytes = taken.map_bytes;
  if (taken.concurrent_reads != 0) options->concurrent_reads = taken.concurrent_reads;
  if (taken.max_readers != 0) options->max_readers = taken.max_readers;
  if (taken.flush_interval_s != 0) {
    options->flush_interval =
        absl::Seconds(taken.flush_interval_s < 0 ? 0 : taken.flush_interval_s);
  }
  if (taken.reserve_bytes != 0) {
    options->reserve_bytes =
        taken.reserve_bytes < 0 ? 0 : static_cast<std::size_t>(taken.reserve_bytes);
  }
  if (taken.write_deadline_s < 0 || taken.reserved != 0 || taken.reserved_2 != 0) {
    return Misfit("write_deadline_s or a reserved field is out of range");
  }
  if (taken.write_deadline_s != 0) options->write_deadline = absl::Seconds(taken.write_deadline_s);
  return absl::OkStatus();
}

template <typename T>
const T* Shown(const std::vector<T>& list, std::size_t* count) {
  *count = list.size();
  return list.data();
}

}  // namespace
}  // namespace pat::capi

using pat::capi::Call;
using pat::capi::NullArgument;
using pat::capi::Shown;

int32_t pat_store_open_lmdb(const char* directory, const pat_lmdb_options* options,
                            pat_store** store, pat_error** error) {
  return Call(error, [&]() -> absl::Status {
    if (store == nullptr) return NullArgument();
    *store = nullptr;
    if (directory == nullptr) return NullArgument();
    pat::LmdbOptions taken;
    if (absl::Status s = pat::capi::TakeLmdbOptions(options, &taken); !s.ok()) return s;
    auto made = std::make_unique<pat_store>();
    absl::StatusOr<std::unique_ptr<pat::Store>> opened = pat::OpenLmdbStore(directory, taken);
    if (!opened.ok()) return opened.status();
    made->store = *std::move(opened);
    *store = made.release();
    return absl::OkStatus();
  });
}

int32_t pat_store_new_memory(pat_store** store, pat_error** error) {
  return Call(error, [&]() -> absl::Status {
    if (store == nullptr) return NullArgument();
    *store = nullptr;
    auto made = std::make_unique<pat_store>();
    made->store = pat::NewMemoryStore();
    *store = made.release();
    return absl::OkStatus();
  });
}

void pat_store_free(pat_store* store) {
  Call(nullptr, [&] {
    if (store != nullptr && store->store != nullptr) store->store->Close().IgnoreError();
    return absl::OkStatus();
  });
  delete store;
}

int32_t pat_open(pat_store* store, const pat_options* options, pat_authority** authority,
                 pat_error** error) {
  const std::unique_ptr<pat_store> taken(store);
  const int32_t code = Call(error, [&]() -> absl::Status {
    if (authority == nullptr) return NullArgument();
    *authority = nullptr;
    return pat::capi::Open(taken == nullptr ? nullptr : std::move(taken->store), options,
                           authority);
  });
  return code;
}

void pat_close(pat_authority* authority) {
  Call(nullptr, [&] {
    if (authority != nullptr) authority->authority.reset();
    return absl::OkStatus();
  });
  delete authority;
}

const char* const* pat_prefixes(const pat_authority* authority, size_t* count) {
  if (authority == nullptr || count == nullptr) return nullptr;
  return Shown(authority->prefixes, count);
}

const pat_named_bits* pat_permissions(const pat_authority* authority, size_t* count) {
  if (authority == nullptr || count == nullptr) return nullptr;
  return Shown(authority->permissions, count);
}

const pat_named_bits* pat_scopes(const pat_authority* authority, size_t* count) {
  if (authority == nullptr || count == nullptr) return nullptr;
  return Shown(authority->scopes, count);
}

int32_t pat_need(const pat_authority* authority, const char* name, uint64_t* permissions,
                 pat_error** error) {
  return Call(error, [&]() -> absl::Status {
    if (permissions == nullptr) return NullArgument();
    *permissions = ~uint64_t{0};  // on failure: what no token has, lest it grant
    if (authority == nullptr || name == nullptr) return NullArgument();
    const absl::StatusOr<pat::PermissionSet> need = authority->authority->scopes().Need(name);
    if (!need.ok()) return need.status();
    *permissions = need->bits();
    return absl::OkStatus();
  });
}
