// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_ICONS_H_
#define HUB_ICONS_H_

#include "html.h"

// Small pictures, drawn in the colour of the text around them. They say nothing that the text
// beside them does not.

namespace hub::icons {

template <std::size_t kSize>
Html Drawn(const char (&path)[kSize]) {
  return {R"(<svg class="icon" viewBox="0 0 20 20" width="20" height="20" fill="none" )"
          R"(stroke="currentColor" stroke-width="1.6" stroke-linecap="round" )"
          R"(stroke-linejoin="round" aria-hidden="true" focusable="false"><path d=")",
          Html(path), R"("></path></svg>)"};
}

inline Html Key() { return Drawn("M12.5 10.5a4 4 0 1 0-3-3L3 14v3h3v-2h2v-2h1.5zM14 6h.01"); }
inline Html Lock() {
  return Drawn(
      "M5 9h10a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1zM7 9V6.5a3 3 "
      "0 0 1 6 0V9");
}
inline Html Envelope() {
  return Drawn(
      "M3.5 5h13a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1h-13a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM3 6l7 "
      "5.5L17 6");
}
inline Html Person() {
  return Drawn(
      "M10 10a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3.5 17c.7-3 3.3-4.5 6.5-4.5s5.8 1.5 6.5 "
      "4.5");
}
inline Html Check() {
  return Drawn("M10 18a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM6.5 10.2l2.4 2.4 4.6-5");
}
inline Html Warning() { return Drawn("M10 3 1.8 17h16.4zM10 8.5v3.5M10 14.5h.01"); }
inline Html Dots() { return Drawn("M4.5 10h.01M10 10h.01M15.5 10h.01"); }
inline Html Plus() { return Drawn("M10 4v12M4 10h12"); }
inline Html Search() { return Drawn("M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12zM13.5 13.5 17 17"); }
inline Html Back() { return Drawn("M12 4.5 6.5 10l5.5 5.5"); }
inline Html Clock() { return Drawn("M10 18a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM10 5.5V10l3 2"); }

}  // namespace hub::icons

#endif  // HUB_ICONS_H_
