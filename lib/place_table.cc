// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/place_table.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <thread>

#include "pat/token.h"

namespace pat {
namespace {

// Bytes of the UTF-8 character at the start of `text`; 0 if there is none.
std::size_t CharacterBytes(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text[0]);
  std::size_t bytes = 1;
  if (lead >= 0xF0) {
    bytes = 4;
  } else if (lead >= 0xE0) {
    bytes = 3;
  } else if (lead >= 0xC0) {
    bytes = 2;
  }
  if (lead == 0 || bytes > text.size() || !CountUtf8(text.substr(0, bytes)).has_value()) return 0;
  return bytes;
}

std::uint8_t CopyText(std::string_view text, std::size_t limit, char* out) noexcept {
  std::size_t size = 0;
  text = text.substr(0, 4 * limit);  // so that a megabyte of rubbish costs no more than a little
  while (!text.empty()) {
    const std::size_t bytes = CharacterBytes(text);
    if (size + bytes > limit) break;
    std::memcpy(out + size, text.data(), bytes);
    size += bytes;
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return static_cast<std::uint8_t>(size);
}

// Holds an entry, if nobody else does.
class Hold {
 public:
  explicit Hold(std::atomic<bool>& busy)
      : busy_(busy), held_(!busy.exchange(true, std::memory_order_acquire)) {}
  ~Hold() {
    if (held_) busy_.store(false, std::memory_order_release);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  explicit operator bool() const { return held_; }

  // For those who may wait: an entry is held for the time of a copy.
  void Wait() {
    while (!held_) {
      std::this_thread::yield();
      held_ = !busy_.exchange(true, std::memory_order_acquire);
    }
  }

 private:
  std::atomic<bool>& busy_;
  bool held_;
};

}  // namespace

Place::Place(std::string_view ip, std::string_view user_agent) noexcept
    : ip_size_(CopyText(ip, kMaxIpBytes, ip_.data())),
      user_agent_size_(CopyText(user_agent, kMaxUserAgentBytes, user_agent_.data())) {}

// Zero bytes are entries that are free. Memory comes as it is touched, so a program that is done
// soon pays for none of it.
PlaceTable::PlaceTable(std::size_t entries)
    : mask_(entries - 1),
      entries_(static_cast<Entry*>(mmap(nullptr, entries * sizeof(Entry), PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
  if (entries_ == MAP_FAILED) throw std::bad_alloc();
}

PlaceTable::~PlaceTable() { munmap(entries_, (mask_ + 1) * sizeof(Entry)); }

std::size_t PlaceTable::Home(std::uint64_t id) const {
  return static_cast<std::size_t>((id * 0x9E3779B97F4A7C15U) >> 32) & mask_;
}

void PlaceTable::Note(std::uint64_t id, std::uint32_t unix_s, const Place& place,
                      bool sparse) noexcept {
  const std::size_t home = Home(id);
  for (const std::uint64_t wanted : {id, std::uint64_t{0}}) {
    for (std::size_t i = 0; i < kProbe; ++i) {
      Entry& entry = At(home, i);
      if (entry.id.load(std::memory_order_relaxed) != wanted) continue;
      const Hold hold(entry.busy);
      if (!hold) {
        if (wanted == 0) continue;
        break;  // another thread is at this token: keep both, the newer counts
      }
      const std::uint64_t found = entry.id.load(std::memory_order_relaxed);
      if (found != id && found != 0) continue;
      if (found == id) {
        const std::uint64_t due = std::uint64_t{entry.unix_s} + (sparse ? 60 : 0);
        if (unix_s < due) return;
      }
      entry.unix_s = unix_s;
      // A use from nowhere in particular leaves the place of the one before.
      if (found != id || !place.empty()) entry.place = place;
      entry.id.store(id, std::memory_order_relaxed);
      noted_.store(true, std::memory_order_relaxed);
      return;
    }
  }
  dropped_.fetch_add(1, std::memory_order_relaxed);
}

std::optional<PlaceTable::Use> PlaceTable::Find(std::uint64_t id) const {
  std::optional<Use> newest;
  const std::size_t home = Home(id);
  for (std::size_t i = 0; i < kProbe; ++i) {
    Entry& entry = At(home, i);
    if (entry.id.load(std::memory_order_relaxed) != id) continue;
    Hold hold(entry.busy);
    hold.Wait();
    if (entry.id.load(std::memory_order_relaxed) != id) continue;
    if (!newest.has_value() || newest->unix_s <= entry.unix_s) {
      newest = Use{id, entry.unix_s, entry.place};
    }
  }
  return newest;
}

std::vector<PlaceTable::Use> PlaceTable::Collect(std::size_t n) const {
  std::vector<Use> uses;
  if (!noted_.load(std::memory_order_relaxed)) return uses;
  for (std::size_t i = 0; i <= mask_ && uses.size() < n; ++i) {
    Entry& entry = entries_[i];
    if (entry.id.load(std::memory_order_relaxed) == 0) continue;
    Hold hold(entry.busy);
    hold.Wait();
    const std::uint64_t id = entry.id.load(std::memory_order_relaxed);
    if (id != 0) uses.push_back(Use{id, entry.unix_s, entry.place});
  }
  return uses;
}

void PlaceTable::Forget(std::uint64_t id, std::uint32_t unix_s) {
  const std::size_t home = Home(id);
  for (std::size_t i = 0; i < kProbe; ++i) {
    Entry& entry = At(home, i);
    if (entry.id.load(std::memory_order_relaxed) != id) continue;
    Hold hold(entry.busy);
    hold.Wait();
    if (entry.id.load(std::memory_order_relaxed) == id && entry.unix_s <= unix_s) {
      entry.id.store(0, std::memory_order_relaxed);
    }
  }
}

}  // namespace pat
