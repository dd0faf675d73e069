// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FUZZ_WIRE_FIELDS_H_
#define TESTS_FUZZ_WIRE_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

/// A reader of Protocol Buffers' wire format of its own, after its description, to compare with.

struct WireField {
  enum Type : unsigned { kVarint = 0, kFixed64 = 1, kBytes = 2, kGroup = 3, kFixed32 = 5 };
  std::uint64_t number = 0;
  Type type = kVarint;
  std::uint64_t value = 0;  ///< Of a number.
  std::string_view bytes;   ///< Of kBytes.
};

class WireReader {
 public:
  /// The fields of a message in their order, groups skipped; none if the bytes are no message.
  static std::optional<std::vector<WireField>> Read(std::string_view bytes) {
    WireReader reader{bytes};
    std::vector<WireField> fields;
    if (!reader.Message(0, 0, &fields)) return std::nullopt;
    return fields;
  }

  /// The last field of this number and type: what a singular field holds.
  static const WireField* Last(const std::vector<WireField>& fields, std::uint64_t number,
                               WireField::Type type) {
    const WireField* last = nullptr;
    for (const WireField& field : fields) {
      if (field.number == number && field.type == type) last = &field;
    }
    return last;
  }
  static std::uint64_t Number(const std::vector<WireField>& fields, std::uint64_t number,
                              WireField::Type type) {
    const WireField* const last = Last(fields, number, type);
    return last == nullptr ? 0 : last->value;
  }
  static std::string_view Bytes(const std::vector<WireField>& fields, std::uint64_t number) {
    const WireField* const last = Last(fields, number, WireField::kBytes);
    return last == nullptr ? std::string_view() : last->bytes;
  }

 private:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  // Of at most `most` bytes; what goes beyond 64 bits is dropped.
  std::optional<std::uint64_t> Varint(int most) {
    std::uint64_t value = 0;
    for (int i = 0; i < most && !rest_.empty(); ++i) {
      const auto byte = static_cast<unsigned char>(rest_[0]);
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << (7 * i);
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  bool Fixed(std::size_t size, WireField* field) {
    if (rest_.size() < size) return false;
    for (std::size_t i = 0; i < size; ++i) {
      field->value |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
    }
    rest_.remove_prefix(size);
    return true;
  }

  // Up to the end, or to the end of group `group`.
  bool Message(std::uint64_t group, int depth, std::vector<WireField>* fields) {
    while (!rest_.empty()) {
      const std::optional<std::uint64_t> tag = Varint(5);
      if (!tag.has_value()) return false;
      WireField field;
      field.number = (*tag & 0xFFFFFFFF) >> 3U;
      const unsigned type = *tag & 7U;
      if (field.number == 0) return false;
      if (type == 4) return group != 0 && field.number == group;
      field.type = static_cast<WireField::Type>(type);
      if (!Value(depth, &field)) return false;
      fields->push_back(field);
    }
    return group == 0;
  }

  bool Value(int depth, WireField* field) {
    switch (field->type) {
      case WireField::kVarint: {
        const std::optional<std::uint64_t> value = Varint(10);
        field->value = value.value_or(0);
        return value.has_value();
      }
      case WireField::kFixed64: return Fixed(8, field);
      case WireField::kFixed32: return Fixed(4, field);
      case WireField::kBytes: {
        const std::optional<std::uint64_t> size = Varint(5);
        if (!size.has_value() || *size > rest_.size()) return false;
        field->bytes = rest_.substr(0, *size);
        rest_.remove_prefix(*size);
        return true;
      }
      case WireField::kGroup: {
        std::vector<WireField> inside;
        return depth < 99 && Message(field->number, depth + 1, &inside);
      }
    }
    return false;
  }

  std::string_view rest_;
};

#endif  // TESTS_FUZZ_WIRE_FIELDS_H_
