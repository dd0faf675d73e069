// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/codec.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/statusor.h"
#include "pat/auto_token.h"
#include "records.pb.h"

namespace pat {
namespace {

// A message with its parts on an arena: if memory runs out in the midst of adding one, protobuf
// would otherwise lose the part.
template <typename Message>
class OnArena {
 public:
  OnArena() : message_(google::protobuf::Arena::CreateMessage<Message>(&arena_)) {}
  OnArena(const OnArena&) = delete;
  OnArena& operator=(const OnArena&) = delete;
  Message& operator*() { return *message_; }

 private:
  google::protobuf::Arena arena_;
  Message* const message_;
};

bool Parse(std::string_view bytes, google::protobuf::MessageLite* message) {
  return bytes.size() <= 1U << 20U &&
         message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

template <typename T>
bool Fixed(std::string_view text, T* out) {
  if (text.size() != out->size()) return false;
  std::copy(text.begin(), text.end(), out->begin());
  return true;
}

template <typename T>
void Put(T value, std::string* out) {
  for (std::size_t i = 0; i < sizeof(T); ++i) *out += static_cast<char>(value >> (8 * i) & 0xFFU);
}

// Takes little-endian numbers off the front; `good` turns false at the end of the bytes.
struct Reader {
  std::string_view rest;
  bool good = true;

  template <typename T>
  T Take() {
    std::uint64_t value = 0;
    good = good && rest.size() >= sizeof(T);
    if (!good) return 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(rest[i])} << (8 * i);
    }
    rest.remove_prefix(sizeof(T));
    return static_cast<T>(value);
  }
  std::string_view TakeText() {
    const std::size_t size = Take<unsigned char>();
    good = good && rest.size() >= size;
    if (!good) return {};
    const std::string_view text = rest.substr(0, size);
    rest.remove_prefix(size);
    return text;
  }
};

using KeyList = google::protobuf::RepeatedPtrField<records::Header::Key>;

void EncodeKeys(const HeaderKeys& keys, KeyList* list) {
  for (const auto& [number, key] : keys) {
    records::Header::Key* out = list->Add();
    out->set_number(number);
    out->set_check(key.check.data(), key.check.size());
    out->set_created_unix_s(key.created_unix_s);
  }
}

bool DecodeKeys(const KeyList& list, HeaderKeys* keys) {
  for (const records::Header::Key& in : list) {
    HeaderKey key;
    key.created_unix_s = in.created_unix_s();
    if (in.number() < 1 || in.number() > UINT16_MAX || !Fixed(in.check(), &key.check) ||
        !keys->emplace(static_cast<std::uint16_t>(in.number()), key).second) {
      return false;
    }
  }
  return !keys->empty() &&
         keys->rbegin()->first - keys->begin()->first < static_cast<int>(kMaxKeys);
}

}  // namespace

std::string EncodeHeader(const Header& header) {
  OnArena<records::Header> arena;
  records::Header& message = *arena;
  message.set_realm(header.realm.data(), header.realm.size());
  for (const std::string& prefix : header.prefixes) message.add_prefixes(prefix);
  message.set_created_unix_s(header.created_unix_s);
  EncodeKeys(header.selector_keys, message.mutable_selector_keys());
  EncodeKeys(header.seal_keys, message.mutable_seal_keys());
  return message.SerializeAsString();
}

std::optional<Header> DecodeHeader(std::string_view bytes) {
  OnArena<records::Header> arena;
  records::Header& message = *arena;
  Header header;
  if (!Parse(bytes, &message) || !Fixed(message.realm(), &header.realm)) return std::nullopt;
  header.prefixes.assign(message.prefixes().begin(), message.prefixes().end());
  for (const std::string& prefix : header.prefixes) {
    if (!ValidatePrefix(prefix).ok()) return std::nullopt;
  }
  if (header.prefixes.empty() || header.prefixes.size() > kMaxPrefixes) return std::nullopt;
  header.created_unix_s = message.created_unix_s();
  if (!DecodeKeys(message.selector_keys(), &header.selector_keys) ||
      !DecodeKeys(message.seal_keys(), &header.seal_keys)) {
    return std::nullopt;
  }
  return header;
}

std::string EncodeScopes(const ScopeSet& scopes) {
  OnArena<records::Scopes> arena;
  records::Scopes& message = *arena;
  for (const ScopeSet::NamedPermission& permission : scopes.permissions()) {
    records::Scopes::Permission* p = message.add_permissions();
    p->set_name(permission.name);
    p->set_bit(static_cast<std::uint32_t>(permission.bit));
  }
  for (const Scope& scope : scopes.scopes()) {
    records::Scopes::Scope* s = message.add_scopes();
    s->set_name(scope.name);
    s->set_permissions(scope.permissions.bits());
  }
  return message.SerializeAsString();
}

std::optional<ScopeSet> DecodeScopes(std::string_view bytes) {
  OnArena<records::Scopes> arena;
  records::Scopes& message = *arena;
  if (!Parse(bytes, &message)) return std::nullopt;
  std::vector<Permission> permissions;
  for (const records::Scopes::Permission& p : message.permissions()) {
    permissions.push_back({p.name(), static_cast<int>(std::min(p.bit(), 64U))});
  }
  std::vector<Scope> scopes;
  for (const records::Scopes::Scope& s : message.scopes()) {
    scopes.push_back({s.name(), PermissionSet::FromBits(s.permissions())});
  }
  absl::StatusOr<ScopeSet> set = ScopeSet::Create(permissions, std::move(scopes));
  if (!set.ok()) return std::nullopt;
  return *std::move(set);
}

std::string EncodeMetadata(const Metadata& metadata) {
  OnArena<records::Metadata> arena;
  records::Metadata& message = *arena;
  message.set_version(metadata.version);
  message.set_digest(metadata.digest.data(), metadata.digest.size());
  message.set_description(metadata.description);
  for (const std::string& scope : metadata.scopes) message.add_scopes(scope);
  message.set_created_unix_s(metadata.created_unix_s);
  message.set_expires_unix_s(metadata.expires_unix_s);
  for (const auto& [name, value] : metadata.attributes) {
    records::Metadata::Attribute* attribute = message.add_attributes();
    attribute->set_name(name);
    attribute->set_value(value);
  }
  message.set_selector_key(metadata.selector_key);
  return message.SerializeAsString();
}

std::optional<Metadata> DecodeMetadata(std::string_view bytes) {
  OnArena<records::Metadata> arena;
  records::Metadata& message = *arena;
  Metadata metadata;
  if (!Parse(bytes, &message) || !Fixed(message.digest(), &metadata.digest)) return std::nullopt;
  metadata.version = static_cast<std::uint16_t>(message.version());
  metadata.description = message.description();
  metadata.scopes.assign(message.scopes().begin(), message.scopes().end());
  metadata.created_unix_s = message.created_unix_s();
  metadata.expires_unix_s = message.expires_unix_s();
  for (const records::Metadata::Attribute& a : message.attributes()) {
    metadata.attributes[a.name()] = a.value();
  }
  metadata.selector_key = static_cast<std::uint16_t>(message.selector_key());
  return metadata;
}

std::string EncodeAccount(const Account& account) {
  std::string out;
  Put(static_cast<unsigned char>(account.id.size()), &out);
  out += account.id;
  Put(account.version, &out);
  Put(account.active, &out);
  Put(account.inactive, &out);
  Put(account.earliest_expiry_unix_s, &out);
  Put(account.expired_through_unix_s, &out);
  Put(static_cast<unsigned char>(account.auto_tokens.size()), &out);
  for (const std::uint64_t id : account.auto_tokens) Put(id, &out);
  return out;
}

std::optional<Account> DecodeAccount(std::string_view bytes) {
  Reader reader{bytes};
  Account account;
  account.id = reader.TakeText();
  account.version = reader.Take<std::uint64_t>();
  account.active = reader.Take<std::uint32_t>();
  account.inactive = reader.Take<std::uint32_t>();
  account.earliest_expiry_unix_s = reader.Take<std::uint32_t>();
  account.expired_through_unix_s = reader.Take<std::uint32_t>();
  const std::size_t autos = reader.Take<unsigned char>();
  if (!reader.good || autos > static_cast<std::size_t>(kMaxAutoTokens) ||
      reader.rest.size() != autos * sizeof(std::uint64_t) || !IsAccount(account.id)) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < autos; ++i) {
    account.auto_tokens.push_back(reader.Take<std::uint64_t>());
  }
  return account;
}

std::optional<std::string_view> AccountIdIn(std::string_view bytes) {
  Reader reader{bytes};
  const std::string_view id = reader.TakeText();
  if (!reader.good || !IsAccount(id)) return std::nullopt;
  return id;
}

}  // namespace pat
