// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "registry_call.h"

#include <algorithm>
#include <array>
#include <vector>

#include "form.h"
#include "repositories.h"
#include "text.h"

namespace hub {
namespace {

using Need = RegistryCall::Need;

/// Only what stands for itself: no escapes, no empty parts but a last one, no dots that climb.
bool IsPlainPath(std::string_view path) {
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-:+=").find(c) != std::string_view::npos;
  });
  const std::vector<std::string_view> parts = SplitFields(path, '/');
  return plain && path.find("//") == std::string_view::npos &&
         std::none_of(parts.begin(), parts.end(),
                      [](std::string_view part) { return part == "." || part == ".."; });
}

bool Reads(std::string_view method) { return method == "GET" || method == "HEAD"; }
bool Writes(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

/// What `method` needs on `/v2/<name>/<kind>/<rest>`.
std::optional<Need> NeedOf(std::string_view method, std::string_view kind, std::string_view rest) {
  const bool upload = kind == "blobs" && StartsWith(rest, "uploads/");
  if (upload) {
    // Asking for an upload's progress and giving it up are part of pushing.
    return Reads(method) || Writes(method) || method == "DELETE" ? std::optional(Need::kPush)
                                                                 : std::nullopt;
  }
  if (Reads(method)) return Need::kPull;
  if (kind == "tags" || kind == "referrers") return std::nullopt;
  if (method == "DELETE") return Need::kDelete;
  return kind == "manifests" && method == "PUT" ? std::optional(Need::kPush) : std::nullopt;
}

/// Sets the repository that a blob is mounted from. False if it is not clear which.
bool ReadMount(std::string_view query, RegistryCall* call) {
  const std::optional<Form> form = Form::Parse(query);
  if (!form || form->Count("from") > 1 || form->Count("mount") > 1) return false;
  call->mounted_from = form->First("from");
  return form->Count("from") == 0 || IsRepositoryName(call->mounted_from);
}

}  // namespace

std::optional<RegistryCall> ParseRegistryCall(std::string_view method, std::string_view uri) {
  const std::size_t question = uri.find('?');
  std::string_view path = uri.substr(0, question);
  const std::string_view query =
      question == std::string_view::npos ? std::string_view() : uri.substr(question + 1);
  if (!IsPlainPath(path) || !StartsWith(path, "/v2")) return std::nullopt;
  path.remove_prefix(3);
  RegistryCall call;
  if (path.empty() || path == "/") return Reads(method) ? std::optional(call) : std::nullopt;
  // The last of these words that has something before and after it ends the name.
  for (std::string_view kind :
       std::array<std::string_view, 4>{"manifests", "blobs", "tags", "referrers"}) {
    const std::string mark = Cat({"/", kind, "/"});
    const std::size_t at = path.rfind(mark);
    if (at == std::string_view::npos || at == 0) continue;
    const std::string_view name = path.substr(1, at - 1);
    const std::string_view rest = path.substr(at + mark.size());
    // "uploads/" and the digest or tag after the word have no such word in them themselves.
    const auto slashes = std::count(rest.begin(), rest.end(), '/');
    if (rest.empty() || slashes > (kind == "blobs" && StartsWith(rest, "uploads/") ? 1 : 0))
      continue;
    const std::optional<Need> need = NeedOf(method, kind, rest);
    if (!need || !IsRepositoryName(name) || !ReadMount(query, &call)) return std::nullopt;
    call.repository = name;
    call.need = *need;
    return call;
  }
  return std::nullopt;
}

}  // namespace hub
