// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/last_used.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lib/lmdb_files.h"

namespace pat {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file is little-endian");

constexpr const char* kName = "lastuse.map";
constexpr const char* kNewName = "lastuse.map.new";
constexpr char kMagic[8] = {'p', 'a', 't', 'u', 's', 'e', '\0', '\1'};
constexpr std::uint64_t kMostIds = std::uint64_t{1} << 32;

// A wrong next id in the store must not take the whole disk: one step makes room for this much.
constexpr std::uint64_t kMaxStepBytes = std::uint64_t{64} << 20;

// One process at a time changes the file's size. Held by the open file, not by the process.
class FileLock {
 public:
  explicit FileLock(int fd) : fd_(fd) {
    while (flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~FileLock() { flock(fd_, LOCK_UN); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_;
};

std::uint64_t FileBytes(int fd) noexcept {
  struct stat info {};
  return fstat(fd, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

}  // namespace

struct LastUsed::Header {
  char magic[sizeof kMagic];
  std::uint64_t ids;  // room for ids below this; only read and written with __atomic_*
};

LastUsed::~LastUsed() {
  if (map_ != nullptr) munmap(map_, map_bytes_);
}

void LastUsed::Open(const StoreDirectory& directory) {
  if (directory.copy_on_write()) return;
  if (!Adopt(directory) && !Create(directory)) return;
  const FileLock lock(file_.fd());
  if (!Map()) return;
  std::uint64_t bytes = FileBytes(file_.fd());
  if (AllocateFile(file_.fd(), 0, static_cast<std::int64_t>(bytes)) != 0) {
    // Holes (a sparse copy) and no disk to fill them: use what is in front of the first.
    const off_t hole = lseek(file_.fd(), 0, SEEK_HOLE);
    bytes = std::min(bytes, hole < 0 ? 0 : static_cast<std::uint64_t>(hole));
    limit_ = std::min(limit_, bytes < kHeaderBytes ? 0 : (bytes - kHeaderBytes) / 4);
  }
  if (bytes < kHeaderBytes) return;
  const std::uint64_t ids = (bytes - kHeaderBytes) / 4;
  __atomic_store_n(&reinterpret_cast<Header*>(map_)->ids, ids, __ATOMIC_RELEASE);
  promised_.store(ids, std::memory_order_relaxed);
  room_.store(std::min(ids, limit_), std::memory_order_release);
}

// Takes the file that is there, if it is one of ours.
bool LastUsed::Adopt(const StoreDirectory& directory) {
  File file(openat(directory.fd(), kName, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  char magic[sizeof kMagic];
  if (!file || fstat(file.fd(), &info) != 0 || !directory.IsPrivate(info) ||
      info.st_size < static_cast<off_t>(kHeaderBytes) ||
      pread(file.fd(), magic, sizeof magic, 0) != static_cast<ssize_t>(sizeof magic) ||
      std::memcmp(magic, kMagic, sizeof magic) != 0) {
    return false;
  }
  file_ = std::move(file);
  return true;
}

bool LastUsed::Create(const StoreDirectory& directory) {
  unlinkat(directory.fd(), kNewName, 0);
  File file = directory.CreateFile(kNewName);
  if (!file) return false;
  if (AllocateFile(file.fd(), 0, static_cast<std::int64_t>(kHeaderBytes + kBlockBytes)) != 0 ||
      pwrite(file.fd(), kMagic, sizeof kMagic, 0) != static_cast<ssize_t>(sizeof kMagic) ||
      renameat(directory.fd(), kNewName, directory.fd(), kName) != 0) {
    unlinkat(directory.fd(), kNewName, 0);
    return false;
  }
  file_ = std::move(file);
  return true;
}

// Reserves addresses far beyond the file's end once, so that growing needs no new mapping.
bool LastUsed::Map() {
  for (std::uint64_t ids = kMostIds; ids >= kBlockBytes / 4; ids /= 2) {
    map_bytes_ = static_cast<std::size_t>(kHeaderBytes + 4 * ids);
    void* map = mmap(nullptr, map_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                     file_.fd(), 0);
    if (map == MAP_FAILED) continue;
    map_ = static_cast<unsigned char*>(map);
    limit_ = ids;
    return true;
  }
  map_bytes_ = 0;
  return false;
}

std::uint32_t* LastUsed::Word(std::uint64_t id) const noexcept {
  if (id >= room_.load(std::memory_order_acquire) && id >= Refresh()) return nullptr;
  return reinterpret_cast<std::uint32_t*>(map_ + kHeaderBytes) + id;
}

std::uint64_t LastUsed::Refresh() const noexcept {
  std::uint64_t room = room_.load(std::memory_order_acquire);
  if (room == 0 || room >= limit_) return room;
  const std::uint64_t promised =
      __atomic_load_n(&reinterpret_cast<const Header*>(map_)->ids, __ATOMIC_ACQUIRE);
  if (promised == promised_.load(std::memory_order_relaxed)) return room;
  // Another process has made room, or somebody has edited the header: only the file's size counts.
  const std::uint64_t bytes = FileBytes(file_.fd());
  const std::uint64_t there = bytes < kHeaderBytes ? 0 : (bytes - kHeaderBytes) / 4;
  const std::uint64_t found = std::min({promised, there, limit_});
  while (room < found && !room_.compare_exchange_weak(room, found, std::memory_order_acq_rel)) {
  }
  promised_.store(promised, std::memory_order_relaxed);
  return std::max(room, found);
}

LastUsed::Noted LastUsed::Note(std::uint64_t id, std::uint32_t unix_s) noexcept {
  std::uint32_t* word = Word(id);
  if (word == nullptr) return Noted::kNoRoom;
  std::uint32_t noted = __atomic_load_n(word, __ATOMIC_RELAXED);
  do {
    if (IsRecent(noted, unix_s)) return Noted::kRecent;
  } while (!__atomic_compare_exchange_n(word, &noted, unix_s, /*weak=*/true, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
  return Noted::kNoted;
}

std::uint32_t LastUsed::Read(std::uint64_t id) const noexcept {
  const std::uint32_t* word = Word(id);
  return word == nullptr ? 0 : __atomic_load_n(word, __ATOMIC_RELAXED);
}

void LastUsed::Forget(std::uint64_t id) noexcept {
  if (std::uint32_t* word = Word(id); word != nullptr) {
    __atomic_store_n(word, 0U, __ATOMIC_RELAXED);
  }
}

void LastUsed::Reserve(std::uint64_t end) {
  end = std::min(end, limit_);
  if (map_ == nullptr || end <= room_.load(std::memory_order_acquire)) return;
  const std::lock_guard<std::mutex> guard(growing_);
  const FileLock lock(file_.fd());
  const std::uint64_t bytes = FileBytes(file_.fd());
  const std::uint64_t wanted = kHeaderBytes + 4 * end;
  if (bytes < kHeaderBytes) return;
  std::uint64_t grown = bytes;  // if another process was faster
  if (wanted > bytes) {
    grown +=
        std::min((wanted - bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes, kMaxStepBytes);
  }
  // From the start: what is published must have no holes.
  if (AllocateFile(file_.fd(), 0, static_cast<std::int64_t>(grown)) != 0) return;
  __atomic_store_n(&reinterpret_cast<Header*>(map_)->ids, (grown - kHeaderBytes) / 4,
                   __ATOMIC_RELEASE);
}

std::uint64_t LastUsed::bytes() const { return file_ ? FileBytes(file_.fd()) : 0; }

}  // namespace pat
