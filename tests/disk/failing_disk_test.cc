// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The LMDB store on a disk that fails: at each of its system calls in turn, once and for good. An
// error must be clean, what it left the state before, or else said to be unknown and settled by the
// next write; and a disk that works again means a store that works again.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pat/lmdb_store.h"
#include "tests/disk/disk.h"
#include "tests/forwarding_store.h"
#include "tests/store_conformance.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

LmdbOptions Quiet() {
  LmdbOptions options;
  options.create_if_missing = true;
  options.flush_interval = absl::ZeroDuration();
  options.concurrent_reads = 4;
  options.max_readers = 32;
  options.map_bytes = std::size_t{64} << 20;
  options.reserve_bytes = std::size_t{1} << 16;
  return options;
}

std::unique_ptr<Store> MustOpen(const std::string& directory) {
  absl::StatusOr<std::unique_ptr<Store>> store = OpenLmdbStore(directory, Quiet());
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

// The codes of pat/store.h for what is not the caller's fault.
bool IsClean(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
         absl::IsUnknown(status);
}

// ---- The conformance suite, with each call failing a little later than the one before

class FailingNowAndThen final : public ForwardingStore {
 public:
  FailingNowAndThen(std::string directory, std::shared_ptr<Store> inner)
      : ForwardingStore(inner), directory_(std::move(directory)), inner_(std::move(inner)) {}
  ~FailingNowAndThen() override { disk::Heal(); }

  absl::StatusOr<std::uint64_t> ReserveTokenIds(std::uint32_t n) override {
    return Try([&] { return inner_->ReserveTokenIds(n); });
  }
  absl::StatusOr<std::uint32_t> ReserveAccountNumber() override {
    return Try([&] { return inner_->ReserveAccountNumber(); });
  }
  absl::Status Apply(const Batch& batch) override {
    return Try([&] { return inner_->Apply(batch); });
  }
  absl::Status Flush() override {
    return Try([&] { return inner_->Flush(); });
  }
  absl::Status Close() override { return inner_->Close(); }

  static std::atomic<int> failures;

 private:
  static const absl::Status& StatusOf(const absl::Status& status) { return status; }
  template <typename T>
  static const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
    return result.status();
  }

  // With a call that fails once; if that (or the failure that another thread ordered meanwhile)
  // made it an error, again without.
  template <typename Call>
  auto Try(Call call) -> decltype(call()) {
    const int turn = turn_++;
    const int faults = static_cast<int>(std::size(disk::kFaults));
    disk::FailCalls(directory_, disk::kFaults[turn % faults], 1 + turn / faults % 8, 1);
    auto result = call();
    failures += disk::Heal();
    for (int i = 0; i < 100 && IsClean(StatusOf(result)); ++i) result = call();
    return result;
  }

  const std::string directory_;
  const std::shared_ptr<Store> inner_;
  std::atomic<int> turn_{0};
};

std::atomic<int> FailingNowAndThen::failures{0};

StoreUnderTest OnAFailingDisk() {
  const auto directory = std::make_shared<std::unique_ptr<TempDir>>();
  const auto open = [directory]() -> std::unique_ptr<Store> {
    const std::string path = (*directory)->path();
    return std::make_unique<FailingNowAndThen>(path, MustOpen(path));
  };
  return {"lmdb_on_a_failing_disk",
          [directory, open] {
            directory->reset(new TempDir(TempDir::InMemory()));
            return open();
          },
          [open](std::unique_ptr<Store> store) {
            EXPECT_TRUE(store->Close().ok());
            store.reset();
            return open();
          }};
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreConformance, testing::Values(OnAFailingDisk()),
                         [](const auto& info) { return info.param.name; });

TEST(FailingNowAndThen, Fails) {
  const TempDir dir = TempDir::InMemory();
  FailingNowAndThen store(dir.path(), MustOpen(dir.path()));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(store.ReserveTokenIds(1000).ok());
  EXPECT_GT(FailingNowAndThen::failures, 20);
}

// ---- Each operation, with a failure at each of its calls

struct Operation {
  const char* name;
  std::function<absl::Status(Store*)> run;
};

Batch Change(unsigned char fill, bool revocation) {
  Batch batch;
  TokenRecord record;
  record.bytes.fill(fill);
  batch.tokens.push_back({1, record});
  batch.metadata.push_back({1, 1, std::string(3000, static_cast<char>(fill))});
  batch.revocation = revocation;
  if (!revocation) {  // takes room: a page for another record, a new account
    batch.tokens.push_back({200, record});
    batch.accounts.push_back({"b", 2, "row"});
    batch.meta.push_back({"header", "value"});
  }
  return batch;
}

// All that it holds, as text.
std::string Dump(Store* store) {
  std::string all;
  const auto rows = store->Scan(0, 1000);
  if (!rows.ok()) return "scan: " + rows.status().ToString();
  for (const TokenRow& row : *rows) {
    all += std::to_string(row.id) + ":" + static_cast<char>('0' + row.record.bytes[7]) + " ";
  }
  for (const std::uint32_t number : {1U, 2U}) {
    const auto page = store->Page(number, 0, 100);
    if (!page.ok()) return "page: " + page.status().ToString();
    for (const TokenRow& row : *page) all += std::to_string(row.id) + row.metadata + " ";
  }
  for (const char* account : {"a", "b"}) {
    const auto row = store->ReadAccount(account);
    all += row.ok() ? std::string(row->view()) : std::string("-");
  }
  const auto header = store->ReadMeta("header");
  return all + (header.ok() ? *header : std::string("-"));
}

class FailingDisk : public testing::Test {
 protected:
  void SetUp() override {
    const std::unique_ptr<Store> store = MustOpen(made_.path());
    Batch batch = Change(1, /*revocation=*/true);
    batch.accounts.push_back({"a", 1, "row"});
    ASSERT_TRUE(store->Apply(batch).ok());
    ASSERT_TRUE(store->Close().ok());
  }

  std::unique_ptr<Store> OpenCopy(const std::string& directory) {
    std::filesystem::remove_all(directory);
    std::filesystem::copy(made_.path(), directory, std::filesystem::copy_options::recursive);
    std::filesystem::permissions(directory, std::filesystem::perms(0700));
    return MustOpen(directory);
  }

  // Runs it with the nth call failing; false if it has fewer. Complaints go into wrong_.
  bool FailAt(const Operation& operation, disk::Fault fault, int first, int n) {
    const std::string where = dir_ / "store";
    std::unique_ptr<Store> store = OpenCopy(where);
    const std::string before = Dump(store.get());
    disk::FailCalls(where, fault, first, n);
    absl::Status status = operation.run(store.get());
    const std::string told = std::string(operation.name) + ", " + disk::ToString(fault) +
                             (n == 1 ? " once" : " for good") + " at call " +
                             std::to_string(first) + ": " + status.ToString() + ": ";
    TokenRecord record;
    if (store->Find(1, &record) != Store::Lookup::kFound && n == 1) Complain(told + "no reads");
    if (disk::Heal() == 0) return false;
    ++points_;
    unknown_ += absl::IsUnknown(status) ? 1 : 0;
    if (lying_) status = absl::OkStatus();
    if (!status.ok() && !IsClean(status)) Complain(told + "not a clean error");
    if (n == 1 && absl::IsUnknown(status)) Complain(told + "not settled");
    const std::string now = Dump(store.get());
    if (!status.ok() && !absl::IsUnknown(status) && now != before) Complain(told + "has changed");
    const bool acknowledged = status.ok();
    if (!acknowledged) status = operation.run(store.get());
    if (!status.ok()) Complain(told + "and healed: " + status.ToString());
    const std::string after = Dump(store.get());
    if (acknowledged && after != now) Complain(told + "changed by itself");
    if (after != Expected(operation)) Complain(told + "is not what it should be");
    store->Close().IgnoreError();
    store = MustOpen(where);
    if (Dump(store.get()) != after) Complain(told + "is not there after opening anew");
    return true;
  }

  std::string Expected(const Operation& operation) {
    const std::string where = dir_ / "expected";
    const std::unique_ptr<Store> store = OpenCopy(where);
    EXPECT_TRUE(operation.run(store.get()).ok());
    return Dump(store.get());
  }

  void Complain(const std::string& what) {
    if (wrong_++ < 10 && !lying_) ADD_FAILURE() << what;
  }

  const TempDir made_ = TempDir::InMemory();
  const TempDir dir_ = TempDir::InMemory();
  bool lying_ = false;
  int wrong_ = 0;
  int points_ = 0;
  int unknown_ = 0;
};

const std::vector<Operation>& Operations() {
  static const auto* const all = new std::vector<Operation>{
      {"apply", [](Store* store) { return store->Apply(Change(2, false)); }},
      {"revoke", [](Store* store) { return store->Apply(Change(3, true)); }},
      {"reserve", [](Store* store) { return store->ReserveTokenIds(300).status(); }},
      {"flush",
       [](Store* store) {
         store->RecordUse(1, 1000, "192.0.2.1", "agent");
         return store->Flush();
       }},
  };
  return *all;
}

TEST_F(FailingDisk, EachCallOfEachOperationMayFail) {
  for (const Operation& operation : Operations()) {
    for (const disk::Fault fault : disk::kFaults) {
      for (const int n : {1, 2, disk::kForGood}) {
        for (int first = 1; FailAt(operation, fault, first, n); ++first) {
        }
      }
    }
  }
  EXPECT_EQ(wrong_, 0);
  EXPECT_GT(points_, 100);
  EXPECT_GT(unknown_, 0) << "no commit was left unknown: not much of a disk failure";
  std::cout << points_ << " failures, " << unknown_ << " of them left a commit unknown\n";
}

TEST_F(FailingDisk, ControlALieIsNoticed) {
  lying_ = true;
  FailAt(Operations()[0], disk::Fault::kInputOutput, 1, disk::kForGood);
  FailAt(Operations()[1], disk::Fault::kSyncFails, 1, disk::kForGood);
  EXPECT_GT(wrong_, 0);
}

TEST_F(FailingDisk, OpeningAndClosingFailCleanly) {
  int points = 0;
  for (const bool there : {false, true}) {
    for (const disk::Fault fault : disk::kFaults) {
      for (const int n : {1, disk::kForGood}) {
        for (int first = 1;; ++first) {
          const std::string where = dir_ / "store";
          if (there) {
            OpenCopy(where)->Close().IgnoreError();
          } else {
            std::filesystem::remove_all(where);
          }
          disk::FailCalls(where, fault, first, n);
          absl::StatusOr<std::unique_ptr<Store>> store = OpenLmdbStore(where, Quiet());
          if (store.ok()) {
            (*store)->RecordUse(1, 1000, "192.0.2.1", "agent");
            (*store)->Close().IgnoreError();
          }
          if (disk::Heal() == 0) break;
          ++points;
          store = MustOpen(where);
          ASSERT_NE(*store, nullptr) << disk::ToString(fault) << " at call " << first;
          ASSERT_TRUE((*store)->Apply(Change(2, false)).ok());
        }
      }
    }
  }
  EXPECT_GT(points, 100);
  std::cout << points << " failures\n";
}

}  // namespace
}  // namespace pat
