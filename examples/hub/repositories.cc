// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "repositories.h"

#include <algorithm>

#include "absl/status/status.h"
#include "pat/scope.h"
#include "text.h"
#include "watched_file.h"

namespace hub {
namespace {

bool IsWordCharacter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool IsPart(std::string_view part) {
  return !part.empty() && IsWordCharacter(part.front()) && IsWordCharacter(part.back()) &&
         std::all_of(part.begin(), part.end(),
                     [](char c) { return IsWordCharacter(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace

bool IsRepositoryName(std::string_view name) {
  if (name.size() > 255) return false;
  const std::vector<std::string_view> parts = SplitFields(name, '/');
  return std::all_of(parts.begin(), parts.end(), IsPart);
}

absl::StatusOr<Repositories> Repositories::Parse(std::string_view text) {
  Repositories repositories;
  for (std::string_view line : SplitFields(text, '\n')) {
    const std::string_view name = Trimmed(line.substr(0, line.find('#')));
    if (name.empty()) continue;
    if (!IsRepositoryName(name)) {
      return absl::InvalidArgumentError(
          "the file of public repositories has a line that is no name");
    }
    repositories.public_.emplace(name);
  }
  return repositories;
}

absl::StatusOr<Repositories> Repositories::Read(const std::string& path) {
  if (path.empty()) return Repositories();
  const absl::StatusOr<std::string> text = ReadFile(path);
  return text.ok() ? Parse(*text) : text.status();
}

RepositoryActions Repositories::ActionsOf(const pat::Principal& principal, std::string_view user,
                                          std::string_view name) const {
  RepositoryActions actions;
  if (!IsRepositoryName(name)) return actions;
  const std::size_t slash = name.find('/');
  const bool owner =
      slash != std::string_view::npos && !user.empty() && name.substr(0, slash) == user;
  if (owner) {
    actions.pull = principal.Require(pat::kRepoRead).allowed();
    actions.push = principal.Require(pat::kRepoWrite).allowed();
    actions.remove = principal.Require(pat::kRepoDelete).allowed();
  }
  if (IsPublic(name) && principal.Require(pat::kRepoPublicRead).allowed()) actions.pull = true;
  return actions;
}

}  // namespace hub
