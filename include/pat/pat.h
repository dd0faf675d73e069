// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_PAT_H_
#define PAT_PAT_H_

/// All of libpat for C++ programs.

#include "pat/authority.h"
#include "pat/auto_token.h"
#include "pat/base62.h"
#include "pat/crc32.h"
#include "pat/keyring.h"
#include "pat/keys.h"
#include "pat/lifecycle.h"
#include "pat/lmdb_store.h"
#include "pat/memory_store.h"
#include "pat/permission.h"
#include "pat/principal.h"
#include "pat/scope.h"
#include "pat/store.h"
#include "pat/token.h"
#include "pat/token_text.h"
#include "pat/version.h"

#endif  // PAT_PAT_H_
