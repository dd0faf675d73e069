// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Run under valgrind's memcheck, with secrets marked as undefined: a branch on one, or an address
// made of one, is then reported, as in ctgrind (A. Langley, 2010). A verdict, which may be told, is
// a branch too: each case says how many it takes. The leaks at the end must all be reported.
//
// constant_time.sh compiles this, and the parts of libpat in question, for several compilers and
// levels of optimisation. A new case is a line in kCases.
#include <valgrind/memcheck.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "lib/crypto.h"
#include "lib/key_set.h"
#include "lib/keyring_source.h"
#include "lib/seal.h"
#include "pat/token_text.h"

namespace {

using pat::crypto::Block;

constexpr std::string_view kPrefix = "acme_pat_";
constexpr std::size_t kSecretAt = kPrefix.size() + pat::kSelectorLength;

const std::vector<std::string>& Prefixes() {
  static const auto* const prefixes = new std::vector<std::string>{std::string(kPrefix)};
  return *prefixes;
}

// Keeps the compiler from dropping what made `value`, or from knowing what it is.
template <typename T>
void Keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

template <typename T>
void MakeSecret(T* value) {
  VALGRIND_MAKE_MEM_UNDEFINED(value, sizeof *value);
}
template <typename T>
void MakePublic(T* value) {
  VALGRIND_MAKE_MEM_DEFINED(value, sizeof *value);
}

/// A good token's text of which the secret and the checksum, which follows from it, are secret.
struct SecretText {
  std::array<char, kPrefix.size() + pat::kTokenBodyLength> characters;

  SecretText() {
    pat::Selector selector{};
    selector.fill(0xA5);
    const pat::TokenText text =
        pat::ComposeTokenText(kPrefix, selector, "abcdefghijklmnopqrstuvwxyzA");
    std::copy_n(text.Reveal().begin(), characters.size(), characters.begin());
    VALGRIND_MAKE_MEM_UNDEFINED(characters.data() + kSecretAt, characters.size() - kSecretAt);
  }
  std::string_view view() const { return {characters.data(), characters.size()}; }
  std::string_view secret() const { return view().substr(kSecretAt, pat::kSecretLength); }
};

Block SecretBlock(unsigned char byte) {
  Block block;
  block.fill(byte);
  MakeSecret(&block);
  return block;
}

// ---- What must not depend on secrets

void Parse() {
  const SecretText text;
  pat::ParsedToken parsed;
  pat::ParseResult result = pat::ParseTokenText(text.view(), Prefixes(), &parsed);
  MakePublic(&result);
  if (result != pat::ParseResult::kOk) std::printf("the text is not parsed\n");
}

void Body() {
  const SecretText text;
  Keep(pat::token_text_internal::ReadTokenBody(text.view().substr(kPrefix.size())));
}
void BodyPortable() {
  const SecretText text;
  Keep(pat::token_text_internal::ReadBodyPortable(text.view().substr(kPrefix.size())));
}

void LooksLike() {
  const SecretText text;
  bool looks = pat::LooksLikeToken(text.view(), Prefixes());
  Keep(looks);
}

// The checksum's digits follow from the secret.
void Compose() {
  std::array<char, pat::kSecretLength> secret;
  secret.fill('s');
  MakeSecret(&secret);
  const pat::TokenText text =
      pat::ComposeTokenText(kPrefix, pat::Selector{}, {secret.data(), secret.size()});
  Keep(text);
}

void Random() {
  std::array<char, pat::kSecretLength> secret;
  const bool good = pat::crypto::RandomText(
      pat::token_text_internal::kAlphabet,
      [](void* out, std::size_t size) {
        std::memset(out, 200, size);
        VALGRIND_MAKE_MEM_UNDEFINED(out, size);
        return true;
      },
      secret.data(), secret.size());
  Keep(good);
  Keep(secret);
}

void Checksum() { Keep(pat::Crc32(SecretText().view())); }
void ChecksumPortable() { Keep(pat::crc32_internal::Portable(SecretText().view())); }

void Digest() {
  const SecretText text;
  Keep(pat::crypto::Sha256Half(text.view().substr(kPrefix.size(), 49)));
}

void Compare() {
  const bool equal = pat::crypto::Equal(SecretBlock(1), SecretBlock(1));
  Keep(equal);
}

void Aes() {
  pat::crypto::AesKey key;
  pat::crypto::SetEncryptKey(SecretBlock(7), &key);
  Block block{};
  pat::crypto::Encrypt(key, block, &block);
  Keep(block);
  pat::crypto::SetDecryptKey(SecretBlock(7), &key);
  pat::crypto::Decrypt(key, block, &block);
  Keep(block);
}

void Cmac() {
  pat::crypto::CmacKey key;
  pat::crypto::SetCmacKey(SecretBlock(7), &key);
  Keep(pat::crypto::Cmac(key, "head, whole: 16.", "and a tail"));
}

const pat::KeySet& Keys() {
  static const auto* const keys = [] {
    pat::KeyringContents contents;
    pat::MasterSecret master;
    master.number = 3;
    contents.selectors.push_back(master);
    contents.seals.push_back(master);
    return new pat::KeySet(*pat::KeySet::Derive(contents));
  }();
  return *keys;
}

// The digest is as secret as the secret; the record is what a thief of the store would have.
void Seal() {
  Block digest;
  digest.fill(9);
  pat::RecordFields fields;
  fields.account_size = 1;
  const pat::TokenRecord record = pat::SealRecord(Keys(), 1, digest, fields);
  MakeSecret(&digest);
  const bool fits = pat::RecordSealFits(Keys(), 1, digest, record);
  Keep(fits);
}

// ---- Leaks that must be reported

constexpr char kTable[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

void LeakByTable() {
  const SecretText text;
  char sum = 0;
  for (const char c : text.secret()) sum = static_cast<char>(sum ^ kTable[c & 31]);
  Keep(sum);
}

void LeakByBranch() {
  const SecretText text;
  int letters = 0;
  for (const char c : text.secret()) {
    if (c == 'q') {
      ++letters;
      asm volatile("");  // lest the compiler does it without a branch
    }
  }
  Keep(letters);
}

void LeakByMemcmp() {
  const Block a = SecretBlock(1);
  const Block b = SecretBlock(1);
  volatile std::size_t size = a.size();  // else it is done at once, in registers
  const int order = std::memcmp(a.data(), b.data(), size);
  Keep(order);
}

void LeakInParse() {
  Parse();
  LeakByBranch();
}

struct Case {
  const char* name;
  void (*run)();
  unsigned verdicts;  ///< Branches that tell no more than the answer.
  bool leaks;         ///< Must be reported.
};

constexpr Case kCases[] = {
    {"parse: alphabet, checksum", Parse, 2, false},
    {"body of a text", Body, 0, false},
    {"body of a text, portable", BodyPortable, 0, false},
    {"looks like a token", LooksLike, 0, false},
    {"compose: alphabet", Compose, 1, false},
    {"random text: each byte fair or not", Random, pat::kSecretLength, false},
    {"checksum", Checksum, 0, false},
    {"checksum, portable", ChecksumPortable, 0, false},
    {"digest", Digest, 0, false},
    {"compare", Compare, 0, false},
    {"AES, key secret", Aes, 0, false},
    {"CMAC, key secret", Cmac, 0, false},
    {"seal compare, digest secret", Seal, 0, false},
    {"leak: table", LeakByTable, 0, true},
    {"leak: branch", LeakByBranch, 0, true},
    {"leak: memcmp", LeakByMemcmp, 0, true},
    {"leak: branch after parse", LeakInParse, 2, true},
};

}  // namespace

int main() {
  if (RUNNING_ON_VALGRIND == 0) {
    std::printf("run it under valgrind\n");
    return 2;
  }
  Keys();
  int wrong = 0;
  for (const Case& one : kCases) {
    const unsigned before = VALGRIND_COUNT_ERRORS;
    one.run();
    const unsigned reported = VALGRIND_COUNT_ERRORS - before;
    const bool good = (reported > one.verdicts) == one.leaks;
    wrong += good ? 0 : 1;
    std::printf("%s %s: %u reported, %u verdicts\n", good ? "good " : "WRONG", one.name, reported,
                one.verdicts);
  }
  return wrong == 0 ? 0 : 1;
}
