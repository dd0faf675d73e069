// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/batch.h"

#include <map>
#include <string_view>

#include "pat/token.h"

namespace pat {
namespace {

absl::Status ValidateChecks(const Batch& batch) {
  for (const Batch::TokenCheck& check : batch.token_checks) {
    if (!IsTokenId(check.id)) return absl::InvalidArgumentError("a check's token id is not one");
  }
  for (const Batch::AccountCheck& check : batch.account_checks) {
    if (absl::Status status = ValidateAccount(check.account); !status.ok()) return status;
    if (check.expected.size() > kMaxAccountRowBytes) {
      return absl::InvalidArgumentError("a check's account row is too long");
    }
  }
  for (const Batch::MetaCheck& check : batch.meta_checks) {
    if (!IsMetaName(check.name) || check.expected.size() > kMaxRowBytes) {
      return absl::InvalidArgumentError("a check's meta row is not one");
    }
  }
  return absl::OkStatus();
}

// A batch that contradicts itself about an account's number.
bool NumbersClash(const std::vector<Batch::AccountPut>& puts) {
  if (puts.size() < 2) return false;
  std::map<std::string_view, std::uint32_t> numbers;
  std::map<std::uint32_t, std::string_view> accounts;
  for (const Batch::AccountPut& put : puts) {
    if (numbers.emplace(put.account, put.number).first->second != put.number) return true;
    if (accounts.emplace(put.number, put.account).first->second != put.account) return true;
  }
  return false;
}

absl::Status ValidatePuts(const Batch& batch) {
  for (const Batch::TokenPut& put : batch.tokens) {
    if (!IsTokenId(put.id)) return absl::InvalidArgumentError("a token id is 1 to 2^48 - 1");
  }
  for (const Batch::MetadataPut& put : batch.metadata) {
    if (!IsTokenId(put.id)) return absl::InvalidArgumentError("a token id is 1 to 2^48 - 1");
    if (put.account_number == 0) return absl::InvalidArgumentError("an account number is 0");
    if (put.metadata.size() > kMaxRowBytes) {
      return absl::InvalidArgumentError("a token's metadata is too long");
    }
  }
  for (const Batch::AccountPut& put : batch.accounts) {
    if (absl::Status status = ValidateAccount(put.account); !status.ok()) return status;
    if (put.number == 0) return absl::InvalidArgumentError("an account number is 0");
    if (put.row.empty() || put.row.size() > kMaxAccountRowBytes) {
      return absl::InvalidArgumentError("an account row has 1 to 768 bytes");
    }
  }
  if (NumbersClash(batch.accounts)) return AccountNumberError();
  for (const Batch::MetaPut& put : batch.meta) {
    if (!IsMetaName(put.name)) return absl::InvalidArgumentError("no such name for a meta row");
    if (put.value.size() > kMaxRowBytes)
      return absl::InvalidArgumentError("a meta row is too long");
  }
  return absl::OkStatus();
}

}  // namespace

bool IsMetaName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxMetaNameBytes && name != "format" &&
         name != "next_token_id" && name != "next_account";
}

absl::Status ValidateBatch(const Batch& batch) {
  if (absl::Status status = ValidateChecks(batch); !status.ok()) return status;
  return ValidatePuts(batch);
}

absl::Status ValidateReserve(std::uint32_t n) {
  if (n < 1 || n > 65536) return absl::InvalidArgumentError("1 to 65536 ids at once");
  return absl::OkStatus();
}

absl::Status AccountNumberError() {
  return absl::FailedPreconditionError("an account's number never changes and is its alone");
}

}  // namespace pat
