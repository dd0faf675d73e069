// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// After use no secret is left in this process's memory: heap, stack and all else that can be
// written is searched for tokens' secrets and for the keyring's, and so is a core of the process as
// it runs, which has not even the keys in use. The test itself keeps them masked.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/key_set.h"
#include "lib/keyring_source.h"
#include "pat/pat.h"
#include "tests/issued_secrets.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

constexpr unsigned char kMask = 0xA7;
constexpr std::size_t kPart = 16;  // a stretch of a secret that must not be found

void Mask(char* bytes, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(bytes[i] ^ kMask);
}

// Byte by byte: what goes through a wide register may be spilled to the stack.
void MaskInto(const volatile char* from, std::size_t size, volatile char* to) {
  for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<char>(from[i] ^ kMask);
}

/// A secret that is kept masked.
class Masked {
 public:
  explicit Masked(std::string_view secret) : size_(secret.size()) {
    MaskInto(secret.data(), size_, bytes_.data());
  }
  std::string_view masked() const { return {bytes_.data(), size_}; }

  /// Calls `use` with the secret, which is gone afterwards.
  template <typename Use>
  void Reveal(Use use) const {
    std::array<char, 128> plain;
    MaskInto(bytes_.data(), size_, plain.data());
    use(std::string_view(plain.data(), size_));
    explicit_bzero(plain.data(), plain.size());
  }

 private:
  std::array<char, 128> bytes_{};
  std::size_t size_;
};

/// Searches this process's writable memory, and cores of it.
class Memory {
 public:
  Memory()
      : buffer_(static_cast<char*>(
            mmap(nullptr, kBuffer, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))),
        fd_(open("/proc/self/mem", O_RDONLY | O_CLOEXEC)) {
    EXPECT_NE(static_cast<void*>(buffer_), MAP_FAILED);
    EXPECT_EQ(madvise(buffer_, kBuffer, MADV_DONTDUMP), 0);  // what is masked stands plain in it
    EXPECT_GE(fd_, 0);
  }
  ~Memory() {
    munmap(buffer_, kBuffer);
    close(fd_);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// How many stretches of the secret are there.
  int Count(const Masked& secret) {
    int found = 0;
    searched_ = 0;
    std::FILE* const maps = std::fopen("/proc/self/maps", "re");
    std::array<char, 512> line;
    while (std::fgets(line.data(), line.size(), maps) != nullptr) {
      std::uint64_t begin = 0;
      std::uint64_t end = 0;
      std::array<char, 5> mode{};
      if (std::sscanf(line.data(), "%" SCNx64 "-%" SCNx64 " %4s", &begin, &end, mode.data()) != 3 ||
          mode[1] != 'w') {
        continue;
      }
      found += CountIn(fd_, begin, end, secret.masked());
    }
    std::fclose(maps);
    EXPECT_GT(searched_, 100'000U);
    return found;
  }

  /// Likewise in a file.
  int CountInFile(const std::string& path, const Masked& secret) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    EXPECT_GE(fd, 0);
    searched_ = 0;
    const int found =
        CountIn(fd, 0, static_cast<std::uint64_t>(lseek(fd, 0, SEEK_END)), secret.masked());
    close(fd);
    EXPECT_GT(searched_, 100'000U);
    return found;
  }

 private:
  static constexpr std::size_t kBuffer = std::size_t{1} << 20U;

  int CountIn(int fd, std::uint64_t begin, std::uint64_t end, std::string_view masked) {
    const std::uint64_t own = fd == fd_ ? reinterpret_cast<std::uint64_t>(buffer_) : 0;
    int found = 0;
    while (begin < end) {
      const std::size_t size = std::min<std::uint64_t>(kBuffer, end - begin);
      const bool mine = own != 0 && begin < own + kBuffer && own < begin + size;
      const ssize_t got = mine ? 0 : pread(fd, buffer_, size, static_cast<off_t>(begin));
      if (got <= 0) {  // the buffer itself, or pages that are not there
        begin += mine ? 4096 : size;
        continue;
      }
      const auto here = static_cast<std::size_t>(got);
      searched_ += here;
      Mask(buffer_, here);
      for (std::size_t at = 0; at + kPart <= masked.size(); ++at) {
        found += memmem(buffer_, here, masked.data() + at, kPart) != nullptr ? 1 : 0;
      }
      begin += here < size || size < kBuffer ? here : here - kPart;  // what lies across is seen too
    }
    return found;
  }

  char* buffer_;
  int fd_;
  std::size_t searched_ = 0;
};

class SecretMemory : public testing::Test {
 protected:
  static constexpr std::string_view kPrefix = "acme_pat_";

  // Last, since this leaves copies.
  void TearDown() override {
    for (const Masked& secret : made_) secret.Reveal(RecordIssuedSecret);
  }

  void Open() {
    LmdbOptions lmdb;
    lmdb.create_if_missing = true;
    lmdb.map_bytes = std::size_t{1} << 26U;
    AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {std::string(kPrefix)};
    auto store = OpenLmdbStore(folder_ / "store", lmdb);
    ASSERT_TRUE(store.ok()) << store.status();
    auto authority =
        Authority::Open(*std::move(store), Keyring::File(folder_ / "keyring"), options);
    ASSERT_TRUE(authority.ok()) << authority.status();
    authority_ = *std::move(authority);
  }

  // The token's text, masked; the object that held it is gone.
  Masked Issue(Origin origin) {
    IssueRequest request;
    request.account = "alice";
    request.description = "laptop";
    request.scopes = {"repo:read"};
    request.origin = origin;
    absl::StatusOr<Issued> issued = authority_->Issue(request);
    EXPECT_TRUE(issued.ok()) << issued.status();
    ids_.push_back(issued->token.id);
    made_.emplace_back(issued->text.Reveal());
    return made_.back();
  }

  // Only the secret's own 27 characters: what stands around them is no secret.
  static Masked SecretOf(const Masked& text) {
    Masked secret("");
    text.Reveal([&](std::string_view plain) {
      secret = Masked(plain.substr(kPrefix.size() + kSelectorLength, kSecretLength));
    });
    return secret;
  }

  struct KeyringSecret {
    Masked hex;
    Masked bytes;
  };

  // The file's last 64 digits: the newest seal secret.
  KeyringSecret NewestSeal() {
    std::array<char, 4096> text;
    const int fd = open((folder_ / "keyring").c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t size = read(fd, text.data(), text.size());
    close(fd);
    EXPECT_GT(size, 150);
    const std::string_view digits(text.data() + size - 65, 64);
    made_.emplace_back(digits);
    std::array<char, 32> raw;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      const auto value = [&](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
      raw[i] = static_cast<char>(value(digits[2 * i]) * 16 + value(digits[2 * i + 1]));
    }
    KeyringSecret newest{made_.back(), Masked({raw.data(), raw.size()})};
    explicit_bzero(raw.data(), raw.size());
    explicit_bzero(text.data(), text.size());
    return newest;
  }

#ifdef PAT_GDB
  // The working key that opens selectors.
  Masked KeyInUse() {
    std::array<char, 4096> text;
    const int fd = open((folder_ / "keyring").c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t size = read(fd, text.data(), text.size());
    close(fd);
    const auto keyring = KeyringSource::Parse({text.data(), static_cast<std::size_t>(size)});
    explicit_bzero(text.data(), text.size());
    EXPECT_TRUE(keyring.ok());
    const auto keys = KeySet::Derive(*keyring);
    EXPECT_TRUE(keys.ok());
    const auto& schedule = keys->selector(0).encrypt.schedule;
    return Masked(std::string_view(reinterpret_cast<const char*>(schedule.data()), kPart));
  }

  // A core of this process as it runs, written by gdb as gcore does.
  std::string Core() {
    const std::string path = folder_ / ("core" + std::to_string(cores_++));
    const std::string command = "generate-core-file " + path;
    const std::string self = std::to_string(getpid());
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    const char* const argv[] = {PAT_GDB,      "-nx", "-batch",        "-p",
                                self.c_str(), "-ex", command.c_str(), nullptr};
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    pid_t pid = 0;
    EXPECT_EQ(posix_spawn(&pid, argv[0], &quiet, nullptr, const_cast<char**>(argv), environ), 0);
    posix_spawn_file_actions_destroy(&quiet);
    int status = -1;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
    return path;
  }
#endif

  TempDir folder_;
  int cores_ = 0;
  std::unique_ptr<Authority> authority_;
  std::vector<std::uint64_t> ids_;
  std::vector<Masked> made_;
  Memory memory_;
};

TEST_F(SecretMemory, NoTokenIsLeftAfterUse) {
  Open();
  std::vector<Masked> texts;
  for (int i = 0; i < 8; ++i) texts.push_back(Issue(i % 2 == 0 ? Origin::kManual : Origin::kAuto));
  for (const Masked& text : texts) {
    text.Reveal([&](std::string_view plain) {
      (void)authority_->Verify(plain);
      (void)authority_->Authenticate(plain, {}, false, [](std::string_view) { return false; });
      std::array<char, 128> mistyped;
      std::copy(plain.begin(), plain.end(), mistyped.begin());
      mistyped[plain.size() - 1] = '!';
      (void)authority_->Verify({mistyped.data(), plain.size()});
      explicit_bzero(mistyped.data(), mistyped.size());
    });
  }
  ASSERT_TRUE(authority_->Deactivate(ids_[0]).ok());
  ASSERT_TRUE(authority_->List("alice").ok());
  ASSERT_TRUE(authority_->Flush().ok());
  for (const Masked& text : texts) EXPECT_EQ(memory_.Count(SecretOf(text)), 0);
  authority_.reset();
  for (const Masked& text : texts) EXPECT_EQ(memory_.Count(SecretOf(text)), 0);
}

TEST_F(SecretMemory, NothingOfTheKeyringIsLeftAfterOpening) {
  for (int opened = 0; opened < 2; ++opened) {  // made; then read
    Open();
    const KeyringSecret newest = NewestSeal();
    EXPECT_EQ(memory_.Count(newest.hex), 0) << "in hexadecimal";
    EXPECT_EQ(memory_.Count(newest.bytes), 0) << "as bytes";
    authority_.reset();
  }
}

#ifdef PAT_GDB
TEST_F(SecretMemory, NothingIsInACore) {
  Open();
  const Masked text = Issue(Origin::kManual);
  text.Reveal([&](std::string_view plain) { (void)authority_->Verify(plain); });
  const Masked secret = SecretOf(text);
  const KeyringSecret newest = NewestSeal();
  const Masked key = KeyInUse();
  ASSERT_GT(memory_.Count(key), 0) << "a key that is in use is in memory";
  const std::string core = Core();
  for (const Masked* none : {&secret, &newest.hex, &newest.bytes, &key}) {
    EXPECT_EQ(memory_.CountInFile(core, *none), 0);
  }
  // The same search does find what is planted.
  std::array<std::string, 2> planted;
  secret.Reveal([&](std::string_view plain) { planted[0] = plain; });
  key.Reveal([&](std::string_view plain) { planted[1] = std::string(64, '-').append(plain); });
  const std::string another = Core();
  EXPECT_GT(memory_.CountInFile(another, secret), 0);
  EXPECT_GT(memory_.CountInFile(another, key), 0);
  for (std::string& one : planted) explicit_bzero(one.data(), one.size());
}
#endif

// What the searches above would not see proves nothing.
TEST_F(SecretMemory, ControlAPlantedSecretIsFound) {
  Open();
  const Masked text = Issue(Origin::kManual);
  const Masked secret = SecretOf(text);
  ASSERT_EQ(memory_.Count(secret), 0);
  std::unique_ptr<std::string> on_heap;
  secret.Reveal([&](std::string_view plain) { on_heap = std::make_unique<std::string>(plain); });
  EXPECT_GT(memory_.Count(secret), 0);
  explicit_bzero(on_heap->data(), on_heap->size());
  EXPECT_EQ(memory_.Count(secret), 0);
  std::array<char, kPart> on_stack;
  secret.Reveal([&](std::string_view plain) { plain.copy(on_stack.data(), kPart, 5); });
  EXPECT_GT(memory_.Count(secret), 0);
  explicit_bzero(on_stack.data(), on_stack.size());
}

}  // namespace
}  // namespace pat
