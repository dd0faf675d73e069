// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "form.h"

#include "secret.h"

namespace hub {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Undoes the escapes of `text` into `*out`. False if one is broken or stands for NUL.
bool Unescape(std::string_view text, std::string* out) {
  out->reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i] == '+' ? ' ' : text[i];
    if (c == '%') {
      if (text.size() - i < 3) return false;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return false;
    out->push_back(c);
  }
  return true;
}

}  // namespace

std::optional<Form> Form::Parse(std::string_view text) {
  Form form;
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(field.size() == text.size() ? field.size() : field.size() + 1);
    if (field.empty()) continue;
    if (form.fields_.size() == kMaxFields) return std::nullopt;
    const std::size_t equals = field.find('=');
    auto& [name, value] = form.fields_.emplace_back();
    if (!Unescape(field.substr(0, equals), &name)) return std::nullopt;
    if (equals == std::string_view::npos) continue;
    if (!Unescape(field.substr(equals + 1), &value)) return std::nullopt;
  }
  return form;
}

Form::~Form() {
  for (auto& [name, value] : fields_) {
    Wipe(name);
    Wipe(value);
  }
}

std::size_t Form::Count(std::string_view name) const { return All(name).size(); }

std::string_view Form::First(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (key == name) return value;
  }
  return {};
}

std::vector<std::string_view> Form::All(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : fields_) {
    if (key == name) values.emplace_back(value);
  }
  return values;
}

}  // namespace hub
