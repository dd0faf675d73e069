// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_PLACE_TABLE_H_
#define PAT_LIB_PLACE_TABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace pat {

/// From where a token was used: always valid UTF-8 without NUL, of bounded size, held inline.
class Place {
 public:
  static constexpr std::size_t kMaxIpBytes = 45;
  static constexpr std::size_t kMaxUserAgentBytes = 128;

  Place() = default;

  /// Cuts each text to its limit between two characters; leaves out NULs and bytes that are not
  /// UTF-8. Allocates nothing; its time is bounded whatever the texts.
  Place(std::string_view ip, std::string_view user_agent) noexcept;

  std::string_view ip() const { return {ip_.data(), ip_size_}; }
  std::string_view user_agent() const { return {user_agent_.data(), user_agent_size_}; }
  bool empty() const { return ip_size_ == 0 && user_agent_size_ == 0; }

 private:
  std::array<char, kMaxIpBytes> ip_{};
  std::array<char, kMaxUserAgentBytes> user_agent_{};
  std::uint8_t ip_size_ = 0;
  std::uint8_t user_agent_size_ = 0;
};

/// Uses of tokens that still have to be written: the newest of each, in a table of fixed size.
/// Noting one never waits, never allocates and makes no system call; what finds no room, or meets
/// another thread on the same entry, is dropped and counted.
class PlaceTable {
 public:
  struct Use {
    std::uint64_t id = 0;
    std::uint32_t unix_s = 0;
    Place place;
  };

  /// Room for `entries` tokens: a power of two, at least kProbe.
  explicit PlaceTable(std::size_t entries = 4096);
  ~PlaceTable();
  PlaceTable(const PlaceTable&) = delete;
  PlaceTable& operator=(const PlaceTable&) = delete;

  /// Keeps the use if it is newer than what is kept for the token. `sparse`: also only if it is a
  /// minute newer (for uses whose time no other place keeps).
  void Note(std::uint64_t id, std::uint32_t unix_s, const Place& place, bool sparse) noexcept;

  /// The newest use kept for the token.
  std::optional<Use> Find(std::uint64_t id) const;

  /// Up to `n` kept uses. They stay until Forget.
  std::vector<Use> Collect(std::size_t n) const;

  /// Takes out uses of that token up to that time: they are written, or the token is gone.
  void Forget(std::uint64_t id, std::uint32_t unix_s);

  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kProbe = 8;  // entries a token may stand in

  // One cache line would not do: 64-byte alignment keeps neighbours' flags apart.
  struct alignas(64) Entry {
    std::atomic<bool> busy{false};
    std::atomic<std::uint64_t> id{0};  // 0: free. Written only while busy.
    std::uint32_t unix_s = 0;          // the rest is read and written only while busy
    Place place;
  };

  std::size_t Home(std::uint64_t id) const;
  Entry& At(std::size_t home, std::size_t i) const { return entries_[(home + i) & mask_]; }

  const std::size_t mask_;
  Entry* const entries_;
  std::atomic<bool> noted_{false};  // anything, ever
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace pat

#endif  // PAT_LIB_PLACE_TABLE_H_
