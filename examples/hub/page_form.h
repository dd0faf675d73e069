// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_PAGE_FORM_H_
#define HUB_PAGE_FORM_H_

#include <string_view>

#include "html.h"

// The parts of forms, labelled so that screen readers tell what eyes see.

namespace hub {

/// What is wrong with a form that was sent, above its fields; nothing if `error` is empty.
Html ErrorSummary(std::string_view error);

struct Field {
  std::string_view name;
  std::string_view label;
  std::string_view value = {};
  std::string_view hint = {};  ///< Below the field.
  Html attributes = {};        ///< type="password" autocomplete="...", ...
  bool wrong = false;          ///< It is what the ErrorSummary is about.
};

/// A field of one line with its label and hint.
Html InputField(const Field& field);

}  // namespace hub

#endif  // HUB_PAGE_FORM_H_
