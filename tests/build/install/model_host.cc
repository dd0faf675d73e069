// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Links pat::model alone: token text and scopes need no library of ours.
#include <cstdio>

#include "pat/scope.h"
#include "pat/token_text.h"

int main() {
  const pat::Selector selector{};
  const pat::TokenText text =
      pat::ComposeTokenText("host_pat_", selector, "000000000000000000000000000");
  pat::ParsedToken parsed;
  const bool read =
      pat::ParseTokenText(text.Reveal(), {"host_pat_"}, &parsed) == pat::ParseResult::kOk;
  const bool scoped = pat::ScopeSet::DockerHub().FindScope("repo:admin") != nullptr;
  std::puts(read && scoped ? "model: ok" : "model: WRONG");
  return read && scoped ? 0 : 1;
}
