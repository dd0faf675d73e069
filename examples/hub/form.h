// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_FORM_H_
#define HUB_FORM_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hub {

/// Most fields a query or a form may have.
inline constexpr std::size_t kMaxFields = 64;

/// The fields of a query string or of an application/x-www-form-urlencoded body, decoded, in
/// order. Wiped when it goes, for a form may hold a password.
class Form {
 public:
  /// None if an escape is broken, a NUL is in it, or there are too many fields.
  static std::optional<Form> Parse(std::string_view text);

  Form() = default;
  ~Form();
  Form(const Form&) = delete;
  Form& operator=(const Form&) = delete;
  Form(Form&&) = default;
  Form& operator=(Form&&) = default;

  std::size_t Count(std::string_view name) const;
  /// The first value of that name; "" if there is none.
  std::string_view First(std::string_view name) const;
  std::vector<std::string_view> All(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace hub

#endif  // HUB_FORM_H_
