// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Tokens and pages as C sees them: each is one block of memory, the struct first, then arrays of
// pointers, then the characters.
#include "capi/token.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <string>

#include "capi/names.h"
#include "pat/scope.h"

namespace pat::capi {
namespace {

constexpr std::size_t RoundUp(std::size_t bytes) {
  return (bytes + alignof(std::max_align_t) - 1) / alignof(std::max_align_t) *
         alignof(std::max_align_t);
}

std::size_t TextBytes(const std::string& text) { return text.size() + 1; }

/// Copies texts one behind the other.
class Writer {
 public:
  explicit Writer(char* at) : at_(at) {}

  const char* Text(const std::string& text) {
    char* const start = at_;
    std::memcpy(start, text.c_str(), text.size() + 1);
    at_ += text.size() + 1;
    return start;
  }

 private:
  char* at_;
};

int64_t UnixOf(const std::optional<absl::Time>& time) {
  return time.has_value() ? absl::ToUnixSeconds(*time) : 0;
}

const Evicted& Of(const std::vector<Evicted>& evicted, std::size_t i) {
  static const Evicted kNone;
  return evicted.empty() ? kNone : evicted[i];
}

}  // namespace

void FreeBlock::operator()(void* block) const { std::free(block); }

Block NewBlock(std::size_t bytes) {
  Block block(std::malloc(bytes));
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

std::size_t TokenBytes(const Token& token, const Evicted& evicted) {
  std::size_t bytes = sizeof(pat_token) + evicted.size() * sizeof(evicted[0]) +
                      TextBytes(token.public_id) + TextBytes(token.account) +
                      TextBytes(token.description) + TextBytes(token.last_used_ip) +
                      TextBytes(token.last_used_user_agent);
  for (const std::string& scope : token.scopes) bytes += sizeof(char*) + TextBytes(scope);
  for (const auto& [name, value] : token.attributes) {
    bytes += sizeof(pat_attribute) + TextBytes(name) + TextBytes(value);
  }
  return RoundUp(bytes);
}

std::size_t MostTokenBytes() {
  constexpr std::size_t kTexts = 40 + kMaxAccountBytes + 4 * kMaxDescriptionCharacters + 256;
  constexpr std::size_t kScopes = kMaxPermissions * (sizeof(char*) + kMaxNameLength + 1);
  constexpr std::size_t kAttributes =  // each has a name of one byte or more
      kMaxAttributeBytes + kMaxAttributeBytes * (sizeof(pat_attribute) + 2);
  return RoundUp(sizeof(pat_token) + kTexts + kScopes + kAttributes);
}

pat_token* PlaceToken(const Token& token, void* at, const Evicted& evicted) {
  auto* const out = new (at) pat_token{};
  auto* const ids = reinterpret_cast<std::uint64_t*>(out + 1);
  auto* const scopes = reinterpret_cast<const char**>(ids + evicted.size());
  auto* const attributes = reinterpret_cast<pat_attribute*>(scopes + token.scopes.size());
  Writer writer(reinterpret_cast<char*>(attributes + token.attributes.size()));
  out->size = sizeof(pat_token);
  out->id = token.id;
  out->public_id = writer.Text(token.public_id);
  out->account = writer.Text(token.account);
  out->account_len = token.account.size();
  out->description = writer.Text(token.description);
  for (const std::string& scope : token.scopes) scopes[out->scope_count++] = writer.Text(scope);
  out->scopes = scopes;
  out->permissions = token.permissions.bits();
  out->state = ToC(token.state);
  out->origin = ToC(token.origin);
  out->created_unix_s = absl::ToUnixSeconds(token.created_at);
  out->expires_unix_s = UnixOf(token.expires_at);
  out->last_used_unix_s = UnixOf(token.last_used_at);
  out->deleted_unix_s = UnixOf(token.deleted_at);
  out->last_used_ip = writer.Text(token.last_used_ip);
  out->last_used_user_agent = writer.Text(token.last_used_user_agent);
  for (const auto& [name, value] : token.attributes) {
    const char* const name_text = writer.Text(name);
    attributes[out->attribute_count++] = {name_text, writer.Text(value)};
  }
  out->attributes = attributes;
  out->delete_reason = token.delete_reason.has_value() ? ToC(*token.delete_reason) : 0;
  out->damaged = token.damaged ? 1 : 0;
  for (const std::uint64_t id : evicted) ids[out->evicted_count++] = id;
  out->evicted = ids;
  return out;
}

std::size_t PageBytes(const std::vector<Token>& tokens, const std::string& next,
                      const std::vector<Evicted>& evicted) {
  std::size_t bytes = RoundUp(sizeof(pat_page) + tokens.size() * sizeof(pat_token*));
  for (std::size_t i = 0; i < tokens.size(); ++i) bytes += TokenBytes(tokens[i], Of(evicted, i));
  return bytes + TextBytes(next);
}

pat_page* PlacePage(const std::vector<Token>& tokens, const std::string& next, void* at,
                    const std::vector<Evicted>& evicted) {
  auto* const out = new (at) pat_page{};
  auto* const list = reinterpret_cast<const pat_token**>(out + 1);
  char* place =
      static_cast<char*>(at) + RoundUp(sizeof(pat_page) + tokens.size() * sizeof(pat_token*));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    list[out->count++] = PlaceToken(tokens[i], place, Of(evicted, i));
    place += TokenBytes(tokens[i], Of(evicted, i));
  }
  out->size = sizeof(pat_page);
  out->tokens = list;
  out->next = Writer(place).Text(next);
  return out;
}

}  // namespace pat::capi

void pat_token_free(pat_token* token) { pat::capi::FreeBlock()(token); }
void pat_page_free(pat_page* page) { pat::capi::FreeBlock()(page); }
