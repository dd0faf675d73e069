// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Memory that runs out while something is opened or made: stores, authorities, keyrings. And in
// what has no status to say so with, where std::bad_alloc gets out: a store's own methods, the
// model's values.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "pat/pat.h"
#include "tests/issued_secrets.h"
#include "tests/memory/exhaust.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

std::string Check(
    const std::function<absl::Status()>& call, const std::function<void()>& prepare = [] {},
    const std::function<std::string()>& after = [] { return std::string(); }) {
  Exhaust exhaust;
  exhaust.call = call;
  exhaust.prepare = prepare;
  exhaust.after = after;
  return exhaust.Run();
}

LmdbOptions Small() {
  LmdbOptions options;
  options.create_if_missing = true;
  options.map_bytes = std::size_t{16} << 20;
  options.concurrent_reads = 2;
  options.reserve_bytes = 0;
  return options;
}

class OpenMemoryTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Authority>> Open() {
    auto store = OpenLmdbStore(store_path_, Small());
    if (!store.ok()) return store.status();
    return Authority::Open(*std::move(store), keyring_, options_);
  }
  absl::StatusOr<std::unique_ptr<Authority>> OpenInMemory() {
    return Authority::Open(NewMemoryStore(), Keyring::Bytes(text_), options_);
  }
  void SetUp() override {
    options_.create_if_missing = true;
    options_.prefixes = {"acme_pat_", "another_prefix_pat_"};
    const auto text = Keyring::Generate();
    ASSERT_TRUE(text.ok());
    text_ = *text;
    Note(text_);
  }
  static void Note(const std::string& text) {  // the secrets of a keyring
    for (std::size_t at = 0; (at = text.find(' ', at)) != text.npos; ++at) {
      const std::size_t end = text.find_first_of(" \n", at + 1);
      if (end - at == 65) RecordIssuedSecret(text.substr(at + 1, 64));
    }
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::recursive_directory_iterator(dir_.path())) {
      names.push_back(file.path().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  const TempDir dir_ = TempDir::InMemory();
  const std::string store_path_ = dir_ / "store";
  const Keyring keyring_ = Keyring::File(dir_ / "keyring");
  AuthorityOptions options_;
  std::string text_;
};

// The store that is there. (Its thread runs meanwhile.)
TEST_F(OpenMemoryTest, AStoreThatIsThere) {
  ASSERT_TRUE(Open().ok());
  const std::vector<std::string> names = Names();
  const auto same = [&] { return Names() == names ? std::string() : "other files are there"; };
  EXPECT_EQ(Check([&] { return OpenLmdbStore(store_path_, Small()).status(); }, [] {}, same), "");
  EXPECT_EQ(Check([&] { return Open().status(); }, [] {}, same), "");
  LmdbOptions alone = Small();
  alone.exclusive = true;  // whatever of the store is left open anywhere would be in its way
  EXPECT_EQ(Check([&] { return OpenLmdbStore(store_path_, Small()).status(); }, [] {},
                  [&] { return OpenLmdbStore(store_path_, alone).ok() ? "" : "left open"; }),
            "");
  // One that is open already is shared: this one's part in it must not stay.
  const auto open = OpenLmdbStore(store_path_, Small());
  ASSERT_TRUE(open.ok());
  EXPECT_EQ(Check([&] { return OpenLmdbStore(store_path_, Small()).status(); }), "");
  EXPECT_TRUE((*open)->Close().ok());
  EXPECT_TRUE(OpenLmdbStore(store_path_, alone).ok());
}

// A store that is made: whatever is left of the first try, the next one works, and leaves nothing
// but the store and its keyring.
TEST_F(OpenMemoryTest, ANewStore) {
  const auto remove = [&] {
    std::filesystem::remove_all(store_path_);
    std::filesystem::remove(dir_ / "keyring");
  };
  std::vector<std::string> names;
  EXPECT_EQ(Check([&] { return Open().status(); }, remove,
                  [&]() -> std::string {
                    if (absl::Status s = Open().status(); !s.ok()) return s.ToString();
                    if (names.empty()) names = Names();
                    std::ifstream file(dir_ / "keyring");
                    Note({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
                    return Names() == names ? "" : "files are left over";
                  }),
            "");
}

TEST_F(OpenMemoryTest, AStoreInMemory) {
  EXPECT_EQ(Check([&] { return Thrown([&] { return OpenInMemory().status(); }); }), "");
}

TEST_F(OpenMemoryTest, Keyrings) {
  std::string made;
  const auto take = [&](absl::StatusOr<std::string> text) {
    if (text.ok()) made.swap(*text);
    return text.status();
  };
  const auto note = [&]() -> std::string {
    Note(made);
    return {};
  };
  const auto forget = [&] { std::string().swap(made); };
  EXPECT_EQ(Check([&] { return take(Keyring::Generate()); }, forget, note), "");
  EXPECT_EQ(Check([&] { return take(Keyring::AddKey(text_, KeyKind::kSeal)); }, forget, note), "");
  const std::string two = made;
  EXPECT_EQ(Check([&] { return Keyring::RemoveKey(two, KeyKind::kSeal, 1).status(); }), "");
  EXPECT_EQ(Check([&] {
              return Thrown([&] {
                const Keyring file = Keyring::File("the name of a file that is long enough");
                const Keyring bytes = Keyring::Bytes(text_);
                const Keyring callback = Keyring::Callback([text = text_] { return text; });
                return absl::OkStatus();
              });
            }),
            "");
}

TEST_F(OpenMemoryTest, Declarations) {
  const ScopeSet hub = ScopeSet::DockerHub();
  const Permission more[] = {{"a permission", -1}, {"team:manage_members", 7}};
  EXPECT_EQ(Check([&] {
              return Thrown([&] {
                const auto mine = ScopeSet::Create({&more[1], 1}, {{"team:everything", {more[1]}}});
                if (!mine.ok()) return mine.status();
                const auto both = ScopeSet::DockerHub().ExtendedBy(*mine);
                if (!both.ok()) return both.status();
                if (ScopeSet::Create(more, {}).ok()) return absl::UnknownError("a bad name");
                const auto granted = hub.Grant(std::vector<std::string>{"repo:public_read"});
                if (!granted.ok()) return granted.status();
                return both->Need("team:manage_members").status();
              });
            }),
            "");
  const std::vector<std::string> prefixes = {"acme_pat_"};
  const TokenText composed = ComposeTokenText("acme_pat_", Selector{}, std::string(27, 'x'));
  EXPECT_EQ(Check([&] {
              return Thrown([&] {
                ParsedToken parsed;
                TokenText text =
                    ComposeTokenText("acme_pat_", Selector{}, composed.Reveal().substr(31, 27));
                if (ParseTokenText(text.Reveal(), prefixes, &parsed) != ParseResult::kOk) {
                  return absl::UnknownError("not parsed");
                }
                if (TokenTextRegex("acme_pat_").empty()) return absl::UnknownError("no text");
                if (ValidatePrefix("bad").ok()) return absl::UnknownError("a bad prefix");
                if (ValidateDescription("").ok()) return absl::UnknownError("no description");
                return ValidateAttributes({{"name", "a value that is long enough for the heap"}});
              });
            }),
            "");
}

// The methods of a store may throw std::bad_alloc, but for Close; a batch happens or not.
class StoreMemoryTest : public testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<Store> NewStore() {
    if (!GetParam()) return NewMemoryStore();
    LmdbOptions options = Small();
    options.flush_interval = absl::ZeroDuration();
    options.concurrent_reads = 1;
    auto store = OpenLmdbStore(dir_ / "store", options);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  // Everything a batch can hold; `i` makes the values others.
  static Batch Whole(int i) {
    const std::string value = "a value that is long enough to be on the heap " + std::to_string(i);
    Batch batch;
    for (const std::uint64_t id : {1U, 2U, 1000U}) {
      TokenRecord record;
      record.bytes.fill(static_cast<unsigned char>(1 + i % 250));
      batch.tokens.push_back({id, record});
      batch.metadata.push_back({1, id, value});
    }
    batch.accounts.push_back({"an account", 1, value});
    batch.meta.push_back({"header", value});
    return batch;
  }
  std::string Rows() const {
    std::string rows = store_->ReadMeta("header").value_or("none");
    const auto account = store_->ReadAccount("an account");
    if (account.ok()) rows += account->view();
    const auto page = store_->Page(1, 0, 100);
    for (const TokenRow& row : *page) {
      rows += std::to_string(row.id) + row.metadata;
      rows.append(reinterpret_cast<const char*>(row.record.bytes.data()), row.record.bytes.size());
    }
    return rows;
  }

  const TempDir dir_ = TempDir::InMemory();
  std::unique_ptr<Store> store_ = NewStore();
};

TEST_P(StoreMemoryTest, Reading) {
  ASSERT_TRUE(store_->Apply(Whole(0)).ok());
  store_->RecordUse(1, 1000, "2001:db8:0:0:0:0:0:0001", "a browser of a long name");
  const std::vector<std::function<absl::Status()>> calls = {
      [&] { return store_->ReadUse(1).status(); },
      [&] { return store_->ReadAccount("an account").status(); },
      [&] { return store_->ReadMetadata(1, 2).status(); },
      [&] { return store_->Page(1, 0, 10).status(); },
      [&] { return store_->Scan(1, 10).status(); },
      [&] { return store_->NextAccount(1).status(); },
      [&] { return store_->ReadMeta("header").status(); },
      [&] { return store_->Stats().status(); },
      [&] { return store_->Health(); },
  };
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(Check([&] { return Thrown(calls[i]); }), "") << i;
  }
}

TEST_P(StoreMemoryTest, Writing) {
  int turn = 0;
  Batch batch;
  Exhaust exhaust;
  exhaust.prepare = [&] { batch = Whole(turn); };
  exhaust.state = [this] { return Rows(); };
  exhaust.call = [&] {
    absl::Status status = Thrown([&] { return store_->Apply(batch); });
    turn += status.ok() ? 1 : 0;
    return status;
  };
  EXPECT_EQ(exhaust.Run(), "") << "apply";
  EXPECT_EQ(Check([&] { return Thrown([&] { return store_->ReserveTokenIds(300).status(); }); }),
            "");
  EXPECT_EQ(Check([&] { return Thrown([&] { return store_->ReserveAccountNumber().status(); }); }),
            "");
  std::uint32_t now = 1000;
  EXPECT_EQ(Check([&] { return Thrown([&] { return store_->Flush(); }); },
                  [&] { store_->RecordUse(1, now += 60, "192.0.2.1", "a browser"); }),
            "");
}

// However it ends, it is closed: what was noted is lost at most.
TEST_P(StoreMemoryTest, Closing) {
  std::uint32_t now = 1000;
  Exhaust exhaust;
  exhaust.keeps = true;  // less than before
  exhaust.call = [&] { return store_->Close(); };
  exhaust.prepare = [&] {
    store_.reset();
    store_ = NewStore();
    ASSERT_TRUE(store_->Apply(Whole(0)).ok());
    store_->RecordUse(1, now += 60, "192.0.2.1", "a browser");
  };
  exhaust.after = [&]() -> std::string {
    return store_->ReadMeta("header").ok() ? "it is still open" : "";
  };
  EXPECT_EQ(exhaust.Run(), "");
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreMemoryTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Lmdb" : "Memory"; });

}  // namespace
}  // namespace pat
