// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "bench/peer_jwt_tokens.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>

#include "bench/peer.h"

namespace pat::bench {
namespace {

constexpr std::size_t kBlock = SHA256_CBLOCK;

std::array<std::uint32_t, 8> StateAfter(const std::array<unsigned char, kBlock>& block) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Transform(&context, block.data());
  std::array<std::uint32_t, 8> state;
  std::copy_n(context.h, state.size(), state.begin());
  return state;
}

// Ends a message whose first block is in `state` already.
Hs256Key::Mac Finish(std::array<std::uint32_t, 8> state, std::string_view message) {
  const std::size_t whole = message.size() / kBlock;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(message.data());
  if (whole > 0) SHA256_TransformBlocks(state.data(), bytes, whole);  // it takes 0 for many
  std::array<unsigned char, 2 * kBlock> end{};
  const std::size_t rest = message.size() - whole * kBlock;
  std::memcpy(end.data(), bytes + whole * kBlock, rest);
  end[rest] = 0x80;
  const std::size_t blocks = rest + 9 <= kBlock ? 1 : 2;
  const std::uint64_t bits = __builtin_bswap64((message.size() + kBlock) * 8);
  std::memcpy(end.data() + blocks * kBlock - sizeof bits, &bits, sizeof bits);
  SHA256_TransformBlocks(state.data(), end.data(), blocks);
  Hs256Key::Mac mac;
  for (std::size_t i = 0; i < state.size(); ++i) {
    const std::uint32_t word = __builtin_bswap32(state[i]);
    std::memcpy(mac.data() + i * sizeof word, &word, sizeof word);
  }
  return mac;
}

}  // namespace

std::string JwtClaims(std::size_t i) {
  char text[256];
  std::snprintf(text, sizeof text,
                R"({"iss":"%s","sub":"user-%07zu","jti":"%010zu","scope":"repo:read repo:write",)"
                R"("iat":1767225600,"exp":4102444800})",
                kJwtIssuer, i / 20, i + 1);
  return text;
}

std::string Base64Url(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) text += kDigits[bits >> (held - 6) & 63U];
  }
  if (held > 0) text += kDigits[bits << (6 - held) & 63U];
  return text;
}

Hs256Key::Hs256Key(std::string_view key) {
  std::array<unsigned char, kBlock> inner;
  std::array<unsigned char, kBlock> outer;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const auto byte = static_cast<unsigned char>(i < key.size() ? key[i] : 0);
    inner[i] = byte ^ 0x36U;
    outer[i] = byte ^ 0x5CU;
  }
  inner_ = StateAfter(inner);
  outer_ = StateAfter(outer);
}

Hs256Key::Mac Hs256Key::Of(std::string_view message) const {
  const Mac inner = Finish(inner_, message);
  return Finish(outer_, {reinterpret_cast<const char*>(inner.data()), inner.size()});
}

const Hs256Tokens& Hs256Tokens::Of(std::int64_t tokens) {
  static auto* const all = new std::map<std::int64_t, std::unique_ptr<Hs256Tokens>>;
  std::unique_ptr<Hs256Tokens>& one = (*all)[tokens];
  if (one == nullptr) one.reset(new Hs256Tokens(static_cast<std::size_t>(tokens)));
  return *one;
}

Hs256Tokens::Hs256Tokens(std::size_t count) : count_(count) {
  const Hs256Key key(kJwtKey);
  for (std::size_t i = 0; i < count; ++i) {
    std::string token =
        std::string(kHs256Header) + "." + Base64Url(JwtClaims(ShuffledRow(i, count)));
    const Hs256Key::Mac mac = key.Of(token);
    token += "." + Base64Url({reinterpret_cast<const char*>(mac.data()), mac.size()});
    if (i == 0) {
      token_size_ = token.size();
      stride_ = (token_size_ + kBlock) / kBlock * kBlock;
      bytes_.resize(count * stride_);
    }
    std::copy(token.begin(), token.end(),
              bytes_.begin() + static_cast<std::ptrdiff_t>(i * stride_));
  }
}

}  // namespace pat::bench
