// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_MEMORY_STORE_H_
#define PAT_MEMORY_STORE_H_

#include <memory>

#include "pat/store.h"

namespace pat {

/// A store in this process's memory, empty at first and gone with the object: for hosts' tests,
/// and the model the other stores are tested against. It keeps the whole contract of Store but
/// durability, other processes, and the lock-free verify path (one mutex guards it all).
std::unique_ptr<Store> NewMemoryStore();

}  // namespace pat

#endif  // PAT_MEMORY_STORE_H_
