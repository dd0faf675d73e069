// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// A look-up in Redis by hiredis, over the unix socket that PAT_BENCH_REDIS_SOCKET names.
#include <hiredis/hiredis.h>

#include <cstdlib>
#include <string>

#include "bench/peer.h"
#include "bench/peer_rows.h"

namespace pat::bench {
namespace {

class Redis final : public Peer {
 public:
  Redis(redisContext* context, std::size_t count) : context_(context), count_(count) {}
  ~Redis() override { redisFree(context_); }

  // Rows of different sizes live in databases of their own.
  bool Fill(int database) {
    if (!Run(redisCommand(context_, "SELECT %d", database))) return false;
    constexpr std::size_t kPipelined = 1000;
    std::size_t pending = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const RowKey key = KeyOf(RowToken(i));
      const std::string value = std::to_string(i + 1) + " 7 1 4102444800 " + AccountOfRow(i);
      redisAppendCommand(context_, "SET %b %b", key.data(), key.size(), value.data(), value.size());
      if (++pending < kPipelined && i + 1 < count_) continue;
      for (; pending > 0; --pending) {
        void* reply = nullptr;
        if (redisGetReply(context_, &reply) != REDIS_OK || !Run(reply)) return false;
      }
    }
    return true;
  }

  std::size_t size() const override { return count_; }

  std::uint64_t Verify(std::size_t i) override {
    const RowKey key = KeyOf(RowToken(ShuffledRow(i, count_)));
    auto* reply =
        static_cast<redisReply*>(redisCommand(context_, "GET %b", key.data(), key.size()));
    std::uint64_t sum = 0;
    if (reply != nullptr && reply->type == REDIS_REPLY_STRING) {
      TokenRowRead row;
      char* at = reply->str;
      row.id = std::strtoull(at, &at, 10);
      row.rights = std::strtoull(at, &at, 10);
      row.active = std::strtoull(at, &at, 10) == 1;
      row.expires_unix_s = std::strtoll(at, &at, 10);
      if (*at == ' ') row.account = at + 1;
      sum = row.Sum();
    }
    if (reply != nullptr) freeReplyObject(reply);
    return sum;
  }

 private:
  static bool Run(void* answer) {
    auto* reply = static_cast<redisReply*>(answer);
    const bool done = reply != nullptr && reply->type != REDIS_REPLY_ERROR;
    if (reply != nullptr) freeReplyObject(reply);
    return done;
  }
  redisContext* context_;
  std::size_t count_;
};

}  // namespace

std::unique_ptr<Peer> OpenRedis(std::int64_t tokens) {
  static int databases = 0;
  const char* socket = std::getenv("PAT_BENCH_REDIS_SOCKET");
  if (socket == nullptr) return nullptr;
  redisContext* context = redisConnectUnix(socket);
  if (context == nullptr || context->err != 0) return nullptr;
  auto peer = std::make_unique<Redis>(context, static_cast<std::size_t>(tokens));
  if (!peer->Fill(databases++)) return nullptr;
  return peer;
}

}  // namespace pat::bench
