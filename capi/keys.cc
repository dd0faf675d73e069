// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The life of a store's keys, and passes over the whole store.
#include "pat/c_keys.h"

#include <new>
#include <vector>

#include "absl/status/statusor.h"
#include "capi/call.h"
#include "capi/handles.h"
#include "capi/names.h"
#include "capi/token.h"

namespace pat::capi {
namespace {

static_assert(ToC(KeyKind::kSelector) == PAT_KEY_SELECTOR && ToC(KeyKind::kSeal) == PAT_KEY_SEAL);

constexpr std::size_t kMostPurged = 10000;  // if the caller does not say

using CPassCallback = int32_t (*)(void* context, const pat_pass_progress* so_far);

absl::Status TakeKind(int32_t given, KeyKind* kind) {
  return FromC(given, KeyKind::kSeal, kind) ? absl::OkStatus() : Misfit("no such kind of key");
}

pat_key_info InfoOf(const KeyInfo& key) {
  return {sizeof(pat_key_info),
          ToC(key.kind),
          key.newest ? 1 : 0,
          key.number,
          0,
          absl::ToUnixSeconds(key.created_at),
          key.dependents};
}

pat_pass_progress ProgressOf(const PassProgress& progress) {
  return {sizeof(pat_pass_progress), progress.accounts, progress.tokens,
          progress.next_token_id,    progress.written,  progress.left};
}

// One block: the struct, the pointers, what they point to.
pat_key_list* NewList(const std::vector<KeyInfo>& keys) {
  const std::size_t n = keys.size();
  static_assert(alignof(pat_key_info) <= alignof(pat_key_info*));
  void* const block =
      NewBlock(sizeof(pat_key_list) + n * (sizeof(pat_key_info*) + sizeof(pat_key_info))).release();
  auto* const list = new (block) pat_key_list{};
  auto* const pointers = reinterpret_cast<const pat_key_info**>(list + 1);
  auto* const infos = reinterpret_cast<pat_key_info*>(pointers + n);
  for (std::size_t i = 0; i < n; ++i) pointers[i] = new (infos + i) pat_key_info(InfoOf(keys[i]));
  list->size = sizeof(pat_key_list);
  list->keys = pointers;
  list->count = n;
  return list;
}

Authority::PassCallback CallbackOf(CPassCallback progress, void* context) {
  if (progress == nullptr) return nullptr;
  return [progress, context](const PassProgress& so_far) {
    const pat_pass_progress shown = ProgressOf(so_far);
    return progress(context, &shown) == PAT_OK;
  };
}

// Runs a pass, `absl::StatusOr<PassProgress> pass()`; `done` may be NULL.
template <typename Pass>
absl::Status RunPass(pat_pass_progress* done, Pass pass) {
  if (done != nullptr) {
    if (absl::Status s = CheckOut(done); !s.ok()) return s;
  }
  const absl::StatusOr<PassProgress> progress = pass();
  if (progress.ok() && done != nullptr) Give(ProgressOf(*progress), done);
  return progress.status();
}

}  // namespace
}  // namespace pat::capi

using namespace pat::capi;  // NOLINT(google-build-using-namespace): the bodies of the interface

int32_t pat_keys(pat_authority* authority, pat_key_list** keys, pat_error** error) {
  Clear(keys);
  return Call(error, [&]() -> absl::Status {
    if (authority == nullptr || keys == nullptr) return NullArgument();
    const absl::StatusOr<std::vector<pat::KeyInfo>> found = authority->authority->Keys();
    if (!found.ok()) return found.status();
    *keys = NewList(*found);
    return absl::OkStatus();
  });
}

void pat_key_list_free(pat_key_list* keys) { FreeBlock()(keys); }

int32_t pat_rotate_key(pat_authority* authority, int32_t kind, pat_key_info* key,
                       pat_error** error) {
  return Call(error, [&]() -> absl::Status {
    auto taken = pat::KeyKind::kSelector;
    if (authority == nullptr) return NullArgument();
    if (absl::Status s = TakeKind(kind, &taken); !s.ok()) return s;
    if (key != nullptr) {
      if (absl::Status s = CheckOut(key); !s.ok()) return s;
    }
    const absl::StatusOr<pat::KeyInfo> made = authority->authority->RotateKey(taken);
    if (made.ok() && key != nullptr) Give(InfoOf(*made), key);
    return made.status();
  });
}

int32_t pat_reseal(pat_authority* authority,
                   int32_t (*progress)(void* context, const pat_pass_progress* so_far),
                   void* context, pat_pass_progress* done, pat_error** error) {
  return Call(error, [&] {
    if (authority == nullptr) return NullArgument();
    return RunPass(done,
                   [&] { return authority->authority->Reseal(CallbackOf(progress, context)); });
  });
}

int32_t pat_retire_key(pat_authority* authority, int32_t kind, uint32_t number, int32_t force,
                       pat_error** error) {
  return Call(error, [&] {
    auto taken = pat::KeyKind::kSelector;
    if (authority == nullptr) return NullArgument();
    if (absl::Status s = TakeKind(kind, &taken); !s.ok()) return s;
    if (number == 0 || number > UINT16_MAX) return Misfit("no number of a key");
    return authority->authority->RetireKey(taken, static_cast<std::uint16_t>(number), force != 0);
  });
}

int32_t pat_copy_to(pat_authority* authority, pat_authority* target,
                    int32_t (*progress)(void* context, const pat_pass_progress* so_far),
                    void* context, pat_pass_progress* done, pat_error** error) {
  return Call(error, [&] {
    if (authority == nullptr || target == nullptr) return NullArgument();
    return RunPass(done, [&] {
      return authority->authority->CopyTo(target->authority.get(), CallbackOf(progress, context));
    });
  });
}

int32_t pat_purge_pass(pat_authority* authority, int64_t before_unix_s, size_t limit,
                       int32_t (*progress)(void* context, const pat_pass_progress* so_far),
                       void* context, size_t* purged, pat_error** error) {
  if (purged != nullptr) *purged = 0;
  return Call(error, [&]() -> absl::Status {
    if (authority == nullptr) return NullArgument();
    const absl::StatusOr<std::size_t> gone = authority->authority->Purge(
        absl::FromUnixSeconds(before_unix_s), limit == 0 ? kMostPurged : limit,
        CallbackOf(progress, context));
    if (gone.ok() && purged != nullptr) *purged = *gone;
    return gone.status();
  });
}

int32_t pat_purge(pat_authority* authority, int64_t before_unix_s, size_t limit, size_t* purged,
                  pat_error** error) {
  return pat_purge_pass(authority, before_unix_s, limit, nullptr, nullptr, purged, error);
}
