// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
// Opening a directory: what is taken for a store, what is refused, what is created.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/lmdb_files.h"
#include "pat/lmdb_store.h"
#include "pat/version.h"
#include "tests/raw_lmdb.h"
#include "tests/temp_dir.h"

// What every directory is said to lie on, if not 0. Takes the place of the C library's call.
static std::uint32_t pretended_file_system = 0;
extern "C" int fstatfs(int fd, struct statfs* out) noexcept {
  const auto rc = static_cast<int>(syscall(SYS_fstatfs, fd, out));
  if (rc == 0 && pretended_file_system != 0) out->f_type = pretended_file_system;
  return rc;
}

namespace pat {
namespace {

using testing::HasSubstr;

LmdbOptions Creating() {
  LmdbOptions options;
  options.create_if_missing = true;
  return options;
}

absl::Status TryOpen(const std::string& directory, const LmdbOptions& options = {}) {
  return OpenLmdbStore(directory, options).status();
}

std::unique_ptr<Store> MustOpen(const std::string& directory,
                                const LmdbOptions& options = Creating()) {
  absl::StatusOr<std::unique_ptr<Store>> store = OpenLmdbStore(directory, options);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

mode_t ModeOf(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  std::filesystem::permissions(path, std::filesystem::perms(0600));
}

std::vector<std::string> Names(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path().filename());
  }
  return names;
}

// A store with token 1, closed.
void MakeStore(const std::string& directory) {
  const std::unique_ptr<Store> store = MustOpen(directory);
  Batch batch;
  TokenRecord record;
  record.bytes[0] = 1;
  batch.tokens.push_back({1, record});
  batch.metadata.push_back({1, 1, "m"});
  batch.accounts.push_back({"a", 1, "row"});
  ASSERT_TRUE(store->ReserveTokenIds(1).ok());
  ASSERT_TRUE(store->Apply(batch).ok());
}

TEST(LmdbOpen, MissingStoreIsNotFoundAndNothingIsCreated) {
  const TempDir dir;
  EXPECT_TRUE(absl::IsNotFound(TryOpen(dir / "no")));
  EXPECT_FALSE(std::filesystem::exists(dir / "no"));
  EXPECT_TRUE(absl::IsNotFound(TryOpen(dir.path())));
  EXPECT_TRUE(Names(dir.path()).empty());
  WriteFile(dir / "data.mdb", "");  // where a creation was cut off
  EXPECT_TRUE(absl::IsNotFound(TryOpen(dir.path())));
  EXPECT_THAT(Names(dir.path()), testing::ElementsAre("data.mdb"));
  EXPECT_TRUE(TryOpen(dir.path(), Creating()).ok());
  EXPECT_TRUE(TryOpen(dir.path()).ok());
}

TEST(LmdbOpen, ParentsAreNotCreated) {
  const TempDir dir;
  EXPECT_TRUE(absl::IsNotFound(TryOpen(dir / "no/store")));
  EXPECT_FALSE(TryOpen(dir / "no/store", Creating()).ok());
  EXPECT_TRUE(Names(dir.path()).empty());
}

TEST(LmdbOpen, CreatesOnlyWhatTheOwnerCanRead) {
  const TempDir dir;
  const mode_t before = umask(0);
  const std::unique_ptr<Store> store = MustOpen(dir / "store");
  umask(before);
  EXPECT_EQ(ModeOf(dir / "store"), 0700U);
  for (const char* name : {"data.mdb", "lock.mdb", "write.lock", "lastuse.map"}) {
    EXPECT_EQ(ModeOf(dir / "store/" + name), 0600U) << name;
  }
  EXPECT_EQ(Names(dir / "store").size(), 4U);
}

TEST(LmdbOpen, RefusesWhatIsNoDirectory) {
  const TempDir dir;
  WriteFile(dir / "file", "x");
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(dir / "file", Creating())));
  EXPECT_TRUE(absl::IsInvalidArgument(TryOpen("", Creating())));
  EXPECT_TRUE(absl::IsInvalidArgument(TryOpen(std::string("/tmp\0/x", 7), Creating())));
}

TEST(LmdbOpen, RefusesImpossibleOptions) {
  const TempDir dir;
  const auto refused = [&](auto change) {
    LmdbOptions options = Creating();
    change(options);
    return absl::IsInvalidArgument(TryOpen(dir / "store", options));
  };
  EXPECT_TRUE(refused([](LmdbOptions& o) { o.concurrent_reads = 0; }));
  EXPECT_TRUE(refused([](LmdbOptions& o) { o.concurrent_reads = -1; }));
  EXPECT_TRUE(refused([](LmdbOptions& o) { o.concurrent_reads = 1025; }));
  EXPECT_TRUE(refused([](LmdbOptions& o) { o.max_readers = 0; }));
  EXPECT_TRUE(refused([](LmdbOptions& o) { o.max_readers = ~0U; }));
  EXPECT_TRUE(refused([](LmdbOptions& o) { o.map_bytes = 0; }));
  EXPECT_TRUE(refused([](LmdbOptions& o) { o.flush_interval = absl::Seconds(-1); }));
  EXPECT_TRUE(Names(dir.path()).empty());
  LmdbOptions options = Creating();
  options.flush_interval = absl::InfiniteDuration();
  EXPECT_TRUE(TryOpen(dir / "store", options).ok());
}

TEST(LmdbOpen, RefusesForeignFiles) {
  for (const std::string& bytes : {std::string("hello"), std::string(100, '\0'),
                                   std::string(1 << 20, 'x'), std::string(1 << 20, '\0')}) {
    const TempDir dir;
    WriteFile(dir / "data.mdb", bytes);
    EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(dir.path(), Creating()))) << bytes.size();
    EXPECT_EQ(std::filesystem::file_size(dir / "data.mdb"), bytes.size()) << "left as it is";
  }
}

TEST(LmdbOpen, RefusesForeignEnvironments) {
  const TempDir named;
  RawLmdb(named.path()).Put("things", "key", "value");
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(named.path(), Creating())));
  const TempDir unnamed;
  RawLmdb(unnamed.path()).Put(nullptr, "key", "value");
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(unnamed.path(), Creating())));
  const TempDir meta;
  RawLmdb(meta.path()).Put("meta", "key", "value");
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(meta.path(), Creating())));
  // A row of the unnamed table where a table should be.
  const TempDir row;
  RawLmdb(row.path()).Put(nullptr, "meta", "value");
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(row.path(), Creating())));
}

TEST(LmdbOpen, RefusesTablesOfAnotherKind) {
  const TempDir dir;
  {
    RawLmdb raw(dir.path());
    raw.Put("meta", "format", std::string(4, '\0'));
    raw.Put("hot", "key", "value");  // not of integer keys
    for (const char* table : {"acct", "name"}) raw.Put(table, "key", "value");
    raw.Put("place", RawLmdb::Native(1), "value", MDB_INTEGERKEY | MDB_DUPSORT);
  }
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(dir.path(), Creating())));
}

TEST(LmdbOpen, EmptyEnvironmentIsNoStoreUntilCreated) {
  const TempDir dir;
  { const RawLmdb raw(dir.path()); }
  WriteFile(dir / "lock.mdb", "");
  EXPECT_TRUE(absl::IsNotFound(TryOpen(dir.path())));
  EXPECT_TRUE(TryOpen(dir.path(), Creating()).ok());
}

TEST(LmdbOpen, NamesTheFormatOfANewerStore) {
  const TempDir dir;
  MakeStore(dir.path());
  const auto set = [&](const std::string& value) {
    RawLmdb(dir.path()).Put("meta", "format", value);
  };
  set(std::string("\x07\0\0\0", 4));
  const absl::Status status = TryOpen(dir.path());
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("newer libpat"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("format 7"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("reads " + std::to_string(kStoreFormat)));
  set("\xFF\xFF\xFF\xFF");
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(dir.path(), Creating())));
  for (const std::string& damaged : {std::string(), std::string(3, '\0'), std::string(8, '\0')}) {
    set(damaged);
    EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(dir.path())));
  }
  set(std::string(4, '\0'));
  EXPECT_TRUE(TryOpen(dir.path()).ok());
}

TEST(LmdbOpen, NewerFormatIsNamedEvenIfItsTablesDiffer) {
  const TempDir dir;
  RawLmdb(dir.path()).Put("meta", "format", std::string("\x02\0\0\0", 4));
  EXPECT_THAT(std::string(TryOpen(dir.path()).message()), HasSubstr("newer libpat"));
}

TEST(LmdbOpen, RefusesFilesOthersCanReadOrWrite) {
  const TempDir dir;
  MakeStore(dir.path());
  for (const char* name : {"data.mdb", "lock.mdb", "write.lock"}) {
    for (const int mode : {0640, 0604, 0620, 0602, 0666}) {
      std::filesystem::permissions(dir / name, static_cast<std::filesystem::perms>(mode));
      const absl::Status status = TryOpen(dir.path(), Creating());
      EXPECT_TRUE(absl::IsFailedPrecondition(status)) << name << " " << mode;
      EXPECT_THAT(std::string(status.message()), HasSubstr(name));
    }
    std::filesystem::permissions(dir / name, std::filesystem::perms(0600));
    EXPECT_TRUE(TryOpen(dir.path()).ok());
  }
}

TEST(LmdbOpen, RefusesADirectoryOthersCanWriteTo) {
  const TempDir dir;
  MakeStore(dir.path());
  for (const int mode : {0777, 0770, 0702, 01777}) {
    std::filesystem::permissions(dir.path(), static_cast<std::filesystem::perms>(mode));
    EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(dir.path(), Creating()))) << mode;
  }
  std::filesystem::permissions(dir.path(), std::filesystem::perms(0755));
  EXPECT_TRUE(TryOpen(dir.path()).ok());
}

TEST(LmdbOpen, RefusesSymlinksInPlaceOfFiles) {
  for (const std::string name : {"data.mdb", "lock.mdb", "write.lock"}) {
    const TempDir dir;
    MakeStore(dir.path());
    std::filesystem::rename(dir / name, dir / "elsewhere");
    std::filesystem::create_symlink("elsewhere", dir / name);
    EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(dir.path(), Creating()))) << name;
    std::filesystem::remove(dir / name);
    std::filesystem::create_directory(dir / name);
    EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(dir.path(), Creating()))) << name;
  }
}

TEST(LmdbOpen, RootKeepsTheDirectorysOwner) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const TempDir dir;
  ASSERT_EQ(chown(dir.path().c_str(), 12345, 54321), 0);
  MakeStore(dir.path());
  for (const char* name : {"data.mdb", "lock.mdb", "write.lock", "lastuse.map"}) {
    struct stat info {};
    ASSERT_EQ(lstat((dir / name).c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 12345U) << name;
    EXPECT_EQ(info.st_gid, 54321U) << name;
  }
  EXPECT_TRUE(TryOpen(dir.path()).ok());
}

TEST(LmdbOpen, RefusesFilesOfAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const TempDir dir;
  MakeStore(dir.path());
  ASSERT_EQ(chown((dir / "data.mdb").c_str(), 12345, 54321), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(dir.path(), Creating())));
}

TEST(LmdbOpen, KnowsNetworkFileSystems) {
  for (const std::uint64_t type : {0x6969U, 0x517BU, 0xFF534D42U, 0xFE534D42U, 0x00C36400U}) {
    EXPECT_TRUE(IsNetworkFileSystem(type));
    EXPECT_TRUE(IsNetworkFileSystem(type | 0xFFFFFFFF00000000U)) << "as a negative number";
  }
  for (const std::uint64_t type : {0xEF53U, 0x01021994U, 0x58465342U, 0x794C7630U, 0x9123683EU}) {
    EXPECT_FALSE(IsNetworkFileSystem(type));
  }
  EXPECT_TRUE(IsCopyOnWriteFileSystem(0x9123683E));
  EXPECT_FALSE(IsCopyOnWriteFileSystem(0xEF53));
}

TEST(LmdbOpen, RefusesNetworkFileSystems) {
  const TempDir dir;
  MakeStore(dir / "there");
  for (const std::uint32_t type : {0x6969U, 0xFF534D42U}) {
    pretended_file_system = type;
    for (const char* name : {"there", "new"}) {
      const absl::Status status = TryOpen(dir / name, Creating());
      EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr("network file system"));
    }
  }
  EXPECT_TRUE(Names(dir / "new").empty()) << "and nothing is made there";
  pretended_file_system = 0xEF53;  // the control: any other will do
  EXPECT_TRUE(TryOpen(dir / "there").ok());
  pretended_file_system = 0;
}

TEST(LmdbOpen, SpoiledLockFileIsMadeAnewByTheOnlyUser) {
  const TempDir dir;
  MakeStore(dir.path());
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string(300000, 'x'), std::string(300000, '\0')}) {
    WriteFile(dir / "lock.mdb", bytes);
    const std::unique_ptr<Store> store = MustOpen(dir.path());
    TokenRecord record;
    ASSERT_EQ(store->Find(1, &record), Store::Lookup::kFound);
    EXPECT_TRUE(store->ReserveAccountNumber().ok());
  }
}

TEST(LmdbOpen, LockFileHasItsBlocksSoThatAFullDiskIsNoCrash) {
  const TempDir dir;
  MakeStore(dir.path());
  struct stat info {};
  ASSERT_EQ(stat((dir / "lock.mdb").c_str(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, info.st_size);
  ASSERT_EQ(stat((dir / "lastuse.map").c_str(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, info.st_size);
}

TEST(LmdbOpen, MapIsHalvedUntilTheSystemGrantsIt) {
  const TempDir dir;
  LmdbOptions options = Creating();
  options.map_bytes = std::size_t{1} << 46;  // of 2^47 that a process has at all
  const std::unique_ptr<Store> first = MustOpen(dir / "a", options);
  const std::unique_ptr<Store> second = MustOpen(dir / "b", options);
  const std::unique_ptr<Store> third = MustOpen(dir / "c", options);
  options.map_bytes = ~std::size_t{0} / 2;
  const std::unique_ptr<Store> fourth = MustOpen(dir / "d", options);
  for (const auto* store : {&first, &second, &third, &fourth}) {
    ASSERT_NE(*store, nullptr);
    EXPECT_TRUE((*store)->ReserveTokenIds(1).ok());
  }
}

TEST(LmdbOpen, TwoStoresOfADirectoryShareOneEnvironment) {
  const TempDir dir;
  MakeStore(dir.path());
  const std::unique_ptr<Store> first = MustOpen(dir.path());
  const std::unique_ptr<Store> second =
      MustOpen(dir / "." + "/../" + std::filesystem::path(dir.path()).filename().string());
  // What LMDB maps shows how often it is open.
  std::ifstream maps("/proc/self/maps");
  int mapped = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(dir / "data.mdb") != std::string::npos) ++mapped;
  }
  EXPECT_EQ(mapped, 1);
  first->RecordUse(1, 1000, "192.0.2.1", "agent");
  EXPECT_EQ(second->ReadUse(1)->ip, "192.0.2.1") << "places not yet flushed are shared, too";

  TokenRecord record;
  EXPECT_TRUE(first->Close().ok());
  EXPECT_EQ(first->Find(1, &record), Store::Lookup::kUnavailable);
  EXPECT_EQ(second->Find(1, &record), Store::Lookup::kFound);
  EXPECT_TRUE(second->ReserveTokenIds(1).ok());
  EXPECT_TRUE(second->Close().ok());
  const std::unique_ptr<Store> third = MustOpen(dir.path());
  EXPECT_EQ(third->Find(1, &record), Store::Lookup::kFound);
  EXPECT_EQ(second->Find(1, &record), Store::Lookup::kUnavailable);
}

TEST(LmdbOpen, LastCloseLetsGoOfAllFiles) {
  const TempDir dir;
  MakeStore(dir.path());
  const auto open_files = [] { return Names("/proc/self/fd").size(); };
  const std::size_t before = open_files();
  for (int i = 0; i < 3; ++i) {
    std::unique_ptr<Store> first = MustOpen(dir.path());
    std::unique_ptr<Store> second = MustOpen(dir.path());
    EXPECT_GT(open_files(), before);
    EXPECT_FALSE(TryOpen(dir / "no").ok());
  }
  EXPECT_EQ(open_files(), before);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) EXPECT_THAT(line, Not(HasSubstr(dir.path())));
}

TEST(LmdbOpen, ReplacedDataIsNotedNotServedAsTheOld) {
  const TempDir dir;
  MakeStore(dir / "a");
  MakeStore(dir / "b");
  const std::unique_ptr<Store> store = MustOpen(dir / "a");
  EXPECT_TRUE(store->Health().ok());
  std::filesystem::rename(dir / "b/data.mdb", dir / "a/data.mdb");
  EXPECT_TRUE(absl::IsUnavailable(store->Health()));
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen(dir / "a")));
  EXPECT_TRUE(store->Close().ok());
  EXPECT_TRUE(TryOpen(dir / "a").ok());
}

// ---- lastuse.map: no damage to it stops a store

class LastUseFile : public testing::TestWithParam<int> {};

TEST_P(LastUseFile, DamageToItLosesTimesAtMost) {
  const TempDir dir;
  MakeStore(dir.path());
  const std::string path = dir / "lastuse.map";
  const auto poke = [&](std::int64_t at, const std::string& bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << bytes;
  };
  switch (GetParam()) {
    case 0: std::filesystem::remove(path); break;
    case 1: WriteFile(path, ""); break;
    case 2: WriteFile(path, "x"); break;
    case 3: poke(0, "x"); break;
    case 4: poke(8, std::string(8, '\xFF')); break;           // promises far too much
    case 5: poke(8, std::string(8, '\0')); break;             // promises nothing
    case 6: std::filesystem::resize_file(path, 4096); break;  // shorter than it promises
    case 7: std::filesystem::resize_file(path, 4097); break;
    case 8: std::filesystem::resize_file(path, 5000); break;
    case 9: std::filesystem::resize_file(path, 1 << 20); break;  // with a hole
    case 10: std::filesystem::permissions(path, std::filesystem::perms(0666)); break;
    case 11:
      std::filesystem::rename(path, dir / "elsewhere");
      std::filesystem::create_symlink("elsewhere", path);
      break;
    case 12:
      std::filesystem::remove(path);
      std::filesystem::create_directory(path);
      break;
    case 13:
      std::filesystem::remove(path);
      ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
      break;
    default: poke(4096, std::string(4000, '\xFF')); break;  // all used at the end of time
  }
  LmdbOptions options;
  options.flush_interval = absl::ZeroDuration();
  const std::unique_ptr<Store> store = MustOpen(dir.path(), options);
  ASSERT_NE(store, nullptr);
  TokenRecord record;
  ASSERT_EQ(store->Find(1, &record), Store::Lookup::kFound);
  for (std::uint32_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(store->ReserveTokenIds(65536).ok());
    for (const std::uint64_t id : {1U, 200U, 65537U, 65536U * i, 400000U}) {
      store->RecordUse(id, 1000 * i, "192.0.2.1", "agent");
    }
  }
  EXPECT_GE(store->ReadUse(1)->unix_s, 5000U) << "the place table keeps it if nothing else does";
  EXPECT_TRUE(store->Flush().ok());
  EXPECT_GE(store->ReadUse(1)->unix_s, 5000U);
  EXPECT_TRUE(store->Close().ok());
}

INSTANTIATE_TEST_SUITE_P(Damage, LastUseFile, testing::Range(0, 15));

}  // namespace
}  // namespace pat
