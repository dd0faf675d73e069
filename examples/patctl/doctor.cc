// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// patctl doctor: is all well with a store?
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "commands.h"
#include "examine.h"
#include "json.h"
#include "location.h"
#include "text.h"

namespace patctl {
namespace {

constexpr std::array<std::string_view, 4> kFiles = {"data.mdb", "lock.mdb", "write.lock",
                                                    "lastuse.map"};
constexpr std::uint64_t kLittleRoom = std::uint64_t{64} << 20;

std::string Octal(mode_t mode) {
  std::array<char, 8> text{};
  static_cast<void>(
      std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777U)));
  return text.data();
}

// Whether it is a regular file that its owner, the store's, alone may read and write.
void LookAtFile(const std::string& path, const char* check, uid_t owner, Findings* findings) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    findings->Problem(check, Cat({"cannot look at ", path}));
  } else if (!S_ISREG(info.st_mode)) {
    findings->Problem(check, Cat({path, " is not a regular file"}));
  } else if ((info.st_mode & 077U) != 0) {
    findings->Problem(check, Cat({path, " is open to others: its mode is ", Octal(info.st_mode),
                                  " (chmod 600)"}));
  } else if (info.st_uid != owner) {
    findings->Problem(check, Cat({path, " belongs to user ", std::to_string(info.st_uid),
                                  ", the store to ", std::to_string(owner)}));
  }
}

void LookAtKeyring(const Location& location, uid_t owner, Findings* findings) {
  std::error_code error;
  if (!std::filesystem::exists(location.keyring, error)) {
    findings->Problem("keyring", Cat({"there is no keyring ", location.keyring,
                                      ": without it no token can be verified"}));
    return;
  }
  LookAtFile(location.keyring, "keyring", owner, findings);
  if (location.keyring_is_beside_store()) {
    findings->Warning("keyring", "it lies in the store's directory: who can read one has both");
  }
}

void LookAtRoom(const Location& location, Findings* findings) {
  struct statvfs disk {};
  if (::statvfs(location.store.c_str(), &disk) != 0) return;
  const std::uint64_t free = disk.f_bavail * disk.f_frsize;
  if (free >= kLittleRoom) return;
  findings->Warning("disk", Cat({"only ", std::to_string(free >> 10), " KiB are free"}));
}

void Show(const Arguments& arguments, const Findings& findings, Output& out) {
  if (arguments.json()) {
    std::string all;
    for (const Finding& finding : findings.all) {
      JsonObject one;
      one.Text("severity", finding.problem ? "problem" : "warning");
      one.Text("check", finding.check).Text("what", finding.what);
      all += (all.empty() ? "" : ",") + one.str();
    }
    JsonObject json;
    json.Bool("healthy", findings.problems() == 0).Number("tokens", findings.tokens);
    json.Number("accounts", findings.accounts).Raw("findings", Cat({"[", all, "]"}));
    out.WriteLine(json.str());
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Finding& finding : findings.all) {
    rows.push_back({finding.problem ? "PROBLEM" : "warning", finding.check, finding.what});
  }
  if (!rows.empty()) out.Write(Table(rows));
  out.WriteLine(
      Cat({std::to_string(findings.tokens), " tokens of ", std::to_string(findings.accounts),
           " accounts looked at: ",
           findings.problems() == 0 ? std::string("all is well")
                                    : std::to_string(findings.problems()) + " problems"}));
}

}  // namespace

absl::Status ExamineFiles(const Location& location, Findings* findings) {
  struct stat directory {};
  if (::stat(location.store.c_str(), &directory) != 0 || !S_ISDIR(directory.st_mode) ||
      ::access((location.store + "/data.mdb").c_str(), F_OK) != 0) {
    return absl::FailedPreconditionError(
        Cat({"there is no store in ", location.store, ", or it may not be looked at"}));
  }
  if ((directory.st_mode & 077U) != 0) {
    const std::string mode = Octal(directory.st_mode);
    if ((directory.st_mode & 022U) != 0) {
      findings->Problem("directory", Cat({"others may write to it: its mode is ", mode}));
    } else {
      findings->Warning("directory", Cat({"others may look into it: its mode is ", mode}));
    }
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(location.store, error)) {
    const std::string name = entry.path().filename();
    if (std::find(kFiles.begin(), kFiles.end(), name) != kFiles.end()) {
      LookAtFile(entry.path(), "files", directory.st_uid, findings);
    } else if (!std::filesystem::equivalent(entry.path(), location.keyring, error)) {
      findings->Warning("files", Cat({Escaped(name), " in the directory is none of the store's"}));
    }
  }
  if (error) findings->Problem("directory", "it cannot be read");
  LookAtKeyring(location, directory.st_uid, findings);
  LookAtRoom(location, findings);
  return absl::OkStatus();
}

absl::StatusOr<int> Doctor(const Arguments& arguments, Output& out) {
  const absl::StatusOr<Location> location = Location::Of(arguments);
  if (!location.ok()) return location.status();
  Findings findings;
  if (absl::Status s = ExamineFiles(*location, &findings); !s.ok()) return s;
  if (absl::Status s = ExamineStore(*location, &findings); !s.ok()) return s;
  Show(arguments, findings, out);
  return findings.problems() == 0 ? kDone : kRefused;
}

}  // namespace patctl
