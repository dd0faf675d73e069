// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "examples/hub/html.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace hub {
namespace {

TEST(HtmlTest, TextIsEscapedForBetweenTagsAndQuotes) {
  EXPECT_EQ(Html::Text("<b a='1' c=\"2\">&").markup(),
            "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;");
  EXPECT_EQ(Html::Text("caf\xC3\xA9 \xF0\x9F\x90\xB3").markup(), "caf\xC3\xA9 \xF0\x9F\x90\xB3");
}

TEST(HtmlTest, WhatCannotBeShownIsReplaced) {
  using namespace std::string_literals;
  EXPECT_EQ(Html::Text("a\0b\x1B[31m\x7F"s).markup(),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD[31m\xEF\xBF\xBD");
  // Bytes of no character, and one cut short before a tag: the tag's bracket is not swallowed.
  EXPECT_EQ(Html::Text("\xFF\xC0\xAF").markup(), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(Html::Text("\xE2\x82<").markup(), "\xEF\xBF\xBD\xEF\xBF\xBD&lt;");
  EXPECT_EQ(Html::Text("two\nlines\t").markup(), "two\nlines\t");
}

TEST(HtmlTest, NoStringButALiteralBecomesMarkup) {
  EXPECT_FALSE((std::is_constructible_v<Html, std::string>));
  EXPECT_FALSE((std::is_constructible_v<Html, std::string_view>));
  EXPECT_FALSE((std::is_constructible_v<Html, const char*>));
  EXPECT_TRUE((std::is_constructible_v<Html, const char(&)[4]>));
}

TEST(HtmlTest, PiecesFollowEachOther) {
  Html html{"<p>", Html::Text("a<"), "</p>"};
  html += "<hr>";
  EXPECT_EQ(html.markup(), "<p>a&lt;</p><hr>");
}

}  // namespace
}  // namespace hub
