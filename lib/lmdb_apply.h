// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_LMDB_APPLY_H_
#define PAT_LIB_LMDB_APPLY_H_

#include <lmdb.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/lmdb_recent.h"
#include "lib/lmdb_tables.h"
#include "pat/store.h"

namespace pat {

/// What a valid batch rests on, by the state the transaction sees: Aborted if a check fails,
/// FailedPrecondition if it would change an account's number. Writes nothing.
absl::Status CheckBatch(MDB_txn* txn, const LmdbTables& tables, const Batch& batch);

/// Writes the batch, and adds to `changes`. If this fails, the transaction must be aborted.
absl::Status WriteBatch(MDB_txn* txn, const LmdbTables& tables, const Batch& batch,
                        TxnChanges* changes);

/// True if all that the batch puts is there: writing it would change nothing.
absl::StatusOr<bool> HoldsBatch(MDB_txn* txn, const LmdbTables& tables, const Batch& batch);

}  // namespace pat

#endif  // PAT_LIB_LMDB_APPLY_H_
