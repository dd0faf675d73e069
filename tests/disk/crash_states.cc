// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/disk/crash_states.h"

#include <algorithm>
#include <cstring>

namespace disk {
namespace {

std::string FolderOf(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string::npos ? std::string() : name.substr(0, slash);
}

}  // namespace

void CrashStates::Apply(const Write& write, std::string* bytes) {
  const auto end = static_cast<std::size_t>(write.at) + write.bytes.size();
  if (bytes->size() < end) bytes->resize(end);
  std::memcpy(bytes->data() + write.at, write.bytes.data(), write.bytes.size());
}

void CrashStates::Sync(File* file) {
  for (const Write& write : file->pending) Apply(write, &file->durable);
  file->pending.clear();
}

void CrashStates::Change(const Event& event, int file, Names* names) {
  if (event.kind == Event::Kind::kUnlink) {
    names->erase(event.name);
  } else {
    (*names)[event.name] = file;
  }
}

void CrashStates::Play(const Event& event) {
  ++generation_;
  const auto named = [&](const std::string& name) {
    const auto it = names_.find(name);
    return it == names_.end() ? -1 : it->second;
  };
  int file = named(event.name);
  switch (event.kind) {
    case Event::Kind::kCreate:
      file = static_cast<int>(files_.size());
      files_.emplace_back();
      break;
    case Event::Kind::kLink: file = named(event.other); break;
    case Event::Kind::kWrite:
    case Event::Kind::kSize:
      if (file >= 0) files_[file].pending.push_back({event.at, event.bytes});
      return;
    case Event::Kind::kSyncedWrite:
      if (file >= 0 && !files_[file].pending.empty()) {  // the write before, and only that
        Apply(files_[file].pending.back(), &files_[file].durable);
        files_[file].pending.pop_back();
      }
      return;
    case Event::Kind::kSync:
    case Event::Kind::kSyncNames:
      if (file >= 0) {
        Sync(&files_[file]);
        return;
      }
      for (auto it = pending_names_.begin(); it != pending_names_.end();) {
        if (FolderOf(it->first.name) == event.name) {
          Change(it->first, it->second, &durable_names_);
          it = pending_names_.erase(it);
        } else {
          ++it;
        }
      }
      return;
    case Event::Kind::kUnlink: break;
    case Event::Kind::kMark: return;
  }
  Change(event, file, &names_);
  pending_names_.emplace_back(event, file);
}

std::size_t CrashStates::pending() const {
  std::size_t n = pending_names_.size();
  for (const auto& [name, file] : names_) n += files_[file].pending.size();
  return n;
}

std::string CrashStates::Torn(const File& file, std::size_t n, std::mt19937_64* random,
                              std::string* key) {
  std::vector<const Write*> order;
  for (const Write& write : file.pending) order.push_back(&write);
  const std::size_t telling = 2 + 2 * order.size();
  if (n >= telling && (*random)() % 3 == 0) std::shuffle(order.begin(), order.end(), *random);
  std::string bytes = file.durable;
  for (std::size_t i = 0; i < order.size(); ++i) {
    Part part = Part::kNone;
    if (n == 1 || (n >= 2 && n < 2 + order.size() && i == n - 2) ||
        (n >= 2 + order.size() && n < telling && i != n - 2 - order.size())) {
      part = Part::kWhole;
    } else if (n >= telling) {
      part = static_cast<Part>((*random)() % 4);
    }
    const Write& write = *order[i];
    key->append(std::to_string(write.at))
        .push_back(static_cast<char>('a' + static_cast<int>(part)));
    if (part == Part::kWhole) Apply(write, &bytes);
    if (part == Part::kNone || part == Part::kWhole) continue;
    const std::size_t unit = part == Part::kSectors ? 512 : 4096;
    for (std::size_t at = 0; at < write.bytes.size();) {
      const std::size_t where = static_cast<std::size_t>(write.at) + at;
      const std::size_t size = std::min(unit - where % unit, write.bytes.size() - at);
      const bool there = (*random)() % 2 == 0;
      key->push_back(there ? '1' : '0');
      if (there) Apply({static_cast<std::int64_t>(where), write.bytes.substr(at, size)}, &bytes);
      at += size;
    }
  }
  return bytes;
}

CrashStates::Files CrashStates::Make(std::size_t n, std::mt19937_64* random,
                                     std::string* key) const {
  *key = std::to_string(generation_) + ":";
  Names names = durable_names_;
  std::size_t got = n == 0 ? 0 : pending_names_.size();
  if (n > 1 && !pending_names_.empty()) got = (*random)() % (pending_names_.size() + 1);
  for (std::size_t i = 0; i < got; ++i) {
    Change(pending_names_[i].first, pending_names_[i].second, &names);
  }
  key->append(std::to_string(got));
  Files state;
  for (const auto& [name, file] : names) {
    if (file < 0) continue;
    key->append(name);
    state[name] = Torn(files_[file], n, random, key);
  }
  return state;
}

}  // namespace disk
