// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "page_form.h"

#include "icons.h"

namespace hub {

Html ErrorSummary(std::string_view error) {
  if (error.empty()) return {};
  return {R"(<div class="notice bad" role="alert" id="error" tabindex="-1">)", icons::Warning(),
          "<p>", Html::Text(error), "</p></div>"};
}

Html InputField(const Field& field) {
  const Html name = Html::Text(field.name);
  Html described;
  if (!field.hint.empty()) described += {" ", name, "-hint"};
  if (field.wrong) described += " error";
  return {R"(<div class="field"><label for=")",
          name,
          R"(">)",
          Html::Text(field.label),
          R"(</label><input id=")",
          name,
          R"(" name=")",
          name,
          R"(" value=")",
          Html::Text(field.value),
          R"(" )",
          field.attributes,
          described.empty() ? Html() : Html{R"( aria-describedby=")", described, R"(")"},
          field.wrong ? Html(R"( aria-invalid="true")") : Html(),
          ">",
          field.hint.empty()
              ? Html()
              : Html{R"(<p class="hint" id=")", name, R"(-hint">)", Html::Text(field.hint), "</p>"},
          "</div>"};
}

}  // namespace hub
