// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_LMDB_USES_H_
#define PAT_LIB_LMDB_USES_H_

#include <lmdb.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/lmdb_tables.h"
#include "lib/place_table.h"

namespace pat {

/// The use in the token's row of table `place`. A row that is none counts as missing: last uses
/// are advice, and no damage to them may stop anything.
absl::StatusOr<std::optional<PlaceTable::Use>> ReadUseRow(MDB_txn* txn, const LmdbTables& tables,
                                                          std::uint64_t id);

/// Writes uses that are newer than the token's row, of tokens that are still there.
absl::Status WriteUses(MDB_txn* txn, const LmdbTables& tables,
                       const std::vector<PlaceTable::Use>& uses);

/// The row of a token that is gone goes.
absl::Status DeleteUse(MDB_txn* txn, const LmdbTables& tables, std::uint64_t id);

}  // namespace pat

#endif  // PAT_LIB_LMDB_USES_H_
