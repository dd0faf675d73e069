// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Macaroons by libmacaroons: read the text, check the chain of HMACs and the three caveats.
#include <macaroons.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "bench/peer.h"

namespace pat::bench {
namespace {

constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// What the caveats said.
struct Facts {
  std::uint64_t account = 0;
  std::uint64_t rights = 0;
  bool current = false;
};

int TakeCaveat(void* to, const unsigned char* predicate, std::size_t size) {
  auto* facts = static_cast<Facts*>(to);
  const std::string_view text(reinterpret_cast<const char*>(predicate), size);
  if (text.substr(0, 10) == "account = ") {
    facts->account = static_cast<unsigned char>(text.back());
  } else if (text.substr(0, 8) == "scope = ") {
    facts->rights = text.find("repo:write") != std::string_view::npos ? 2 : 1;
  } else if (text.substr(0, 7) == "time < ") {
    facts->current = std::strtoll(text.data() + 7, nullptr, 10) > std::time(nullptr);
    return facts->current ? 0 : -1;
  } else {
    return -1;
  }
  return 0;
}

std::string Make(std::size_t i) {
  macaroon_returncode code = MACAROON_SUCCESS;
  const std::string id = std::to_string(i + 1);
  constexpr std::string_view kLocation = "https://auth.example.com";
  macaroon* made = macaroon_create(Bytes(kLocation), kLocation.size(), Bytes(kKey), kKey.size(),
                                   Bytes(id), id.size(), &code);
  for (const std::string& caveat :
       {"account = " + AccountOfRow(i), std::string("scope = repo:read repo:write"),
        std::string("time < 4102444800")}) {
    macaroon* more = macaroon_add_first_party_caveat(made, Bytes(caveat), caveat.size(), &code);
    macaroon_destroy(made);
    made = more;
  }
  std::string text(macaroon_serialize_size_hint(made), '\0');
  macaroon_serialize(made, text.data(), text.size(), &code);
  macaroon_destroy(made);
  text.resize(std::strlen(text.c_str()));
  return text;
}

class Macaroons final : public Peer {
 public:
  explicit Macaroons(std::size_t count) : verifier_(macaroon_verifier_create()) {
    macaroon_returncode code = MACAROON_SUCCESS;
    macaroon_verifier_satisfy_general(verifier_, TakeCaveat, &facts_, &code);
    for (std::size_t i = 0; i < count; ++i) texts_.push_back(Make(ShuffledRow(i, count)));
  }
  ~Macaroons() override { macaroon_verifier_destroy(verifier_); }

  std::size_t size() const override { return texts_.size(); }

  std::uint64_t Verify(std::size_t i) override {
    macaroon_returncode code = MACAROON_SUCCESS;
    macaroon* presented = macaroon_deserialize(texts_[i].c_str(), &code);
    if (presented == nullptr) return 0;
    facts_ = {};
    std::uint64_t sum = 0;
    if (macaroon_verify(verifier_, presented, Bytes(kKey), kKey.size(), nullptr, 0, &code) == 0 &&
        facts_.current && facts_.account != 0 && facts_.rights != 0) {
      const unsigned char* id = nullptr;
      std::size_t id_size = 0;
      macaroon_identifier(presented, &id, &id_size);
      sum = facts_.account + facts_.rights + id[id_size - 1];
    }
    macaroon_destroy(presented);
    return sum;
  }

 private:
  Facts facts_;
  macaroon_verifier* verifier_;
  std::vector<std::string> texts_;
};

}  // namespace

std::unique_ptr<Peer> OpenMacaroons(std::int64_t tokens) {
  constexpr std::int64_t kMost = 100'000;  // bound by arithmetic, not by memory
  return std::make_unique<Macaroons>(static_cast<std::size_t>(std::min(tokens, kMost)));
}

}  // namespace pat::bench
