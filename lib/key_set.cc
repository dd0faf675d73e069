// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/key_set.h"

#include <sys/mman.h>

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace pat {
namespace {

std::string_view View(const Realm& realm) {
  return {reinterpret_cast<const char*>(realm.data()), realm.size()};
}

// HKDF's info: the purpose and the key's number, which together name one key.
bool DeriveKey(const MasterSecret& master, const Realm& realm, std::string_view purpose,
               crypto::Block* key) {
  std::string info = "libpat ";
  info += purpose;
  info += ' ';
  info += std::to_string(master.number);
  const std::string_view secret(reinterpret_cast<const char*>(master.secret.data()),
                                master.secret.size());
  return crypto::Hkdf(secret, View(realm), info, key);
}

bool DeriveSelector(const MasterSecret& master, const Realm& realm, SelectorKey* out) {
  crypto::Block key;
  const bool good = DeriveKey(master, realm, "selector", &key);
  out->number = master.number;
  crypto::SetEncryptKey(key, &out->encrypt);
  crypto::SetDecryptKey(key, &out->decrypt);
  crypto::Wipe(key.data(), key.size());
  return good;
}

bool DeriveSeal(const MasterSecret& master, const Realm& realm, SealKey* out) {
  crypto::Block key;
  out->number = master.number;
  bool good = DeriveKey(master, realm, "token seal", &key);
  crypto::SetCmacKey(key, &out->token);
  good = DeriveKey(master, realm, "row seal", &key) && good;
  crypto::SetCmacKey(key, &out->row);
  good = DeriveKey(master, realm, "account tag", &key) && good;
  crypto::SetCmacKey(key, &out->account);
  crypto::Wipe(key.data(), key.size());
  return good;
}

}  // namespace

KeyringContents::~KeyringContents() {
  for (auto* list : {&selectors, &seals}) {
    for (MasterSecret& master : *list) crypto::Wipe(master.secret.data(), master.secret.size());
  }
}

void KeySet::Unmap::operator()(Pages* pages) const {
  crypto::Wipe(pages, sizeof(Pages));
  munmap(pages, sizeof(Pages));
}

absl::StatusOr<std::unique_ptr<KeySet::Pages, KeySet::Unmap>> KeySet::MapPages() {
  void* memory =
      mmap(nullptr, sizeof(Pages), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return absl::ResourceExhaustedError("no memory for keys");
  std::unique_ptr<Pages, Unmap> pages(static_cast<Pages*>(memory));
  mlock(memory, sizeof(Pages));  // best effort: containers limit it
  if (madvise(memory, sizeof(Pages), MADV_DONTDUMP) != 0 ||
      madvise(memory, sizeof(Pages), MADV_WIPEONFORK) != 0) {
    return absl::InternalError("the kernel cannot protect pages of keys (Linux 4.14 can)");
  }
  return pages;
}

absl::StatusOr<KeySet> KeySet::Derive(const KeyringContents& keyring) {
  if (keyring.selectors.empty() || keyring.seals.empty() || keyring.selectors.size() > kMaxKeys ||
      keyring.seals.size() > kMaxKeys) {
    return absl::FailedPreconditionError("a keyring holds 1 to 8 keys of each kind");
  }
  absl::StatusOr<std::unique_ptr<Pages, Unmap>> mapped = MapPages();
  if (!mapped.ok()) return mapped.status();
  Pages* pages = mapped->get();
  bool good = true;
  for (const MasterSecret& master : keyring.selectors) {
    good =
        DeriveSelector(master, keyring.realm, &pages->selectors[pages->selector_count++]) && good;
  }
  for (const MasterSecret& master : keyring.seals) {
    good = DeriveSeal(master, keyring.realm, &pages->seals[pages->seal_count++]) && good;
  }
  crypto::Block key;
  good = crypto::Hkdf(View(keyring.realm), View(keyring.realm), "libpat public id", &key) && good;
  crypto::SetEncryptKey(key, &pages->public_id_encrypt);
  crypto::SetDecryptKey(key, &pages->public_id_decrypt);
  if (!good) return absl::ResourceExhaustedError("no memory to derive keys");  // all HKDF can want
  pages->alive = kAlive;
  return KeySet(std::move(*mapped));
}

absl::StatusOr<KeySet> KeySet::Only(Wanted wanted) const {
  absl::StatusOr<std::unique_ptr<Pages, Unmap>> mapped = MapPages();
  if (!mapped.ok()) return mapped.status();
  Pages* pages = mapped->get();
  for (std::size_t i = 0; i < pages_->selector_count; ++i) {
    if (!wanted(KeyKind::kSelector, pages_->selectors[i].number)) continue;
    pages->selectors[pages->selector_count++] = pages_->selectors[i];
  }
  for (std::size_t i = 0; i < pages_->seal_count; ++i) {
    if (!wanted(KeyKind::kSeal, pages_->seals[i].number)) continue;
    pages->seals[pages->seal_count++] = pages_->seals[i];
  }
  if (pages->selector_count == 0 || pages->seal_count == 0) {
    return absl::FailedPreconditionError("none of the keyring's keys is in use any more");
  }
  pages->public_id_encrypt = pages_->public_id_encrypt;
  pages->public_id_decrypt = pages_->public_id_decrypt;
  pages->alive = pages_->alive;
  return KeySet(std::move(*mapped));
}

std::vector<std::uint16_t> KeySet::Numbers(KeyKind kind) const {
  std::vector<std::uint16_t> numbers;
  if (kind == KeyKind::kSelector) {
    for (std::size_t i = 0; i < selector_count(); ++i) numbers.push_back(selector(i).number);
  } else {
    for (std::size_t i = 0; i < seal_count(); ++i) numbers.push_back(seal(i).number);
  }
  return numbers;
}

const SealKey* KeySet::SealByNumber(std::uint16_t number) const {
  for (std::size_t i = 0; i < pages_->seal_count; ++i) {
    if (pages_->seals[i].number == number) return &pages_->seals[i];
  }
  return nullptr;
}

const SealKey* KeySet::SealBySlot(unsigned slot) const {
  for (std::size_t i = 0; i < pages_->seal_count; ++i) {
    if (pages_->seals[i].number % kMaxKeys == slot) return &pages_->seals[i];
  }
  return nullptr;
}

}  // namespace pat
