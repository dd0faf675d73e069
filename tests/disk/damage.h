// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_DISK_DAMAGE_H_
#define TESTS_DISK_DAMAGE_H_

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

/// One way to damage a store's data.mdb, told by a number.
class Damage {
 public:
  enum class Kind { kRecordBits, kSwappedRecords, kBits, kSwappedPages, kCopiedPage, kZeros, kCut };

  Damage(std::uint64_t number, std::string whole, const std::vector<std::size_t>& records)
      : number_(number), bytes_(std::move(whole)), random_(number) {
    constexpr Kind kKinds[] = {
        Kind::kRecordBits, Kind::kRecordBits,   Kind::kSwappedRecords, Kind::kBits,  Kind::kBits,
        Kind::kBits,       Kind::kSwappedPages, Kind::kCopiedPage,     Kind::kZeros, Kind::kCut};
    kind_ = kKinds[number % std::size(kKinds)];
    Do(records);
  }

  Kind kind() const { return kind_; }
  bool is_of_records() const {
    return kind_ == Kind::kRecordBits || kind_ == Kind::kSwappedRecords;
  }
  const std::string& bytes() const { return bytes_; }
  std::string ToString() const {
    return "damage " + std::to_string(number_) + " of kind " +
           std::to_string(static_cast<int>(kind_));
  }

 private:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kRecord = 48;

  std::size_t Below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }
  std::size_t APage() { return Below(bytes_.size() / kPage) * kPage; }
  void Flip(std::size_t at) {
    bytes_[at] = static_cast<char>(static_cast<unsigned char>(bytes_[at]) ^ (1U << Below(8)));
  }
  void Swap(std::size_t a, std::size_t b, std::size_t size) {
    const std::string kept = bytes_.substr(a, size);
    bytes_.replace(a, size, bytes_.substr(b, size));
    bytes_.replace(b, size, kept);
  }

  void Do(const std::vector<std::size_t>& records) {
    const std::size_t flips = 1 + Below(8);
    switch (kind_) {
      case Kind::kRecordBits:
        for (std::size_t i = 0; i < flips; ++i) {
          Flip(records[Below(records.size())] + Below(kRecord));
        }
        return;
      case Kind::kSwappedRecords:
        Swap(records[Below(records.size())], records[Below(records.size())], kRecord);
        return;
      case Kind::kBits:
        for (std::size_t i = 0; i < flips; ++i) Flip(Below(bytes_.size()));
        return;
      case Kind::kSwappedPages: Swap(APage(), APage(), kPage); return;
      case Kind::kCopiedPage: {
        const std::size_t to = APage();
        bytes_.replace(to, kPage, bytes_.substr(APage(), kPage));
        return;
      }
      case Kind::kZeros: bytes_.replace(APage(), kPage, std::string(kPage, '\0')); return;
      case Kind::kCut: bytes_.resize(Below(bytes_.size())); return;
    }
  }

  const std::uint64_t number_;
  Kind kind_;
  std::string bytes_;
  std::mt19937_64 random_;
};

#endif  // TESTS_DISK_DAMAGE_H_
