// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The numbers of the C interface and their names. C numbers begin at 1: zero is "none" there.
#include "capi/names.h"

#include <string_view>

#include "pat/c.h"
#include "pat/principal.h"
#include "pat/version.h"

namespace pat::capi {
namespace {

static_assert(ToC(State::kActive) == PAT_STATE_ACTIVE && ToC(State::kDeleted) == PAT_STATE_DELETED);
static_assert(ToC(State::kInactive) == PAT_STATE_INACTIVE);
static_assert(ToC(Origin::kManual) == PAT_ORIGIN_MANUAL && ToC(Origin::kAuto) == PAT_ORIGIN_AUTO);
static_assert(ToC(DeleteReason::kUser) == PAT_REASON_USER);
static_assert(ToC(DeleteReason::kAdmin) == PAT_REASON_ADMIN);
static_assert(ToC(RefusalReason::kNotToken) == PAT_REFUSAL_NOT_TOKEN);
static_assert(ToC(RefusalReason::kMissingPermission) == PAT_REFUSAL_MISSING_PERMISSION);
static_assert(ToC(RefusalReason::kUnavailable) == PAT_REFUSAL_UNAVAILABLE);
static_assert(ToC(Principal::Method::kToken) == PAT_METHOD_TOKEN);
static_assert(ToC(Principal::Method::kPassword) == PAT_METHOD_PASSWORD);

// All names are literals, so they end in NUL.
template <typename Enum>
const char* NameOf(int32_t number, Enum last) {
  Enum value;
  return FromC(number, last, &value) ? ToString(value).data() : "unknown";
}

}  // namespace
}  // namespace pat::capi

using pat::capi::FromC;
using pat::capi::NameOf;

const char* pat_version(void) {
#define PAT_TEXT_OF(x) #x
#define PAT_VERSION_TEXT(a, b, c) PAT_TEXT_OF(a) "." PAT_TEXT_OF(b) "." PAT_TEXT_OF(c)
  return PAT_VERSION_TEXT(PAT_VERSION_MAJOR, PAT_VERSION_MINOR, PAT_VERSION_PATCH);
}

const char* pat_code_name(int32_t code) {
  static constexpr const char* kNames[] = {"ok",
                                           "cancelled",
                                           "unknown",
                                           "invalid_argument",
                                           "deadline_exceeded",
                                           "not_found",
                                           "already_exists",
                                           "permission_denied",
                                           "resource_exhausted",
                                           "failed_precondition",
                                           "aborted",
                                           "out_of_range",
                                           "unimplemented",
                                           "internal",
                                           "unavailable",
                                           "data_loss",
                                           "unauthenticated"};
  return code >= PAT_OK && code <= PAT_UNAUTHENTICATED ? kNames[code] : "unknown";
}

const char* pat_state_name(int32_t state) { return NameOf(state, pat::State::kDeleted); }
const char* pat_origin_name(int32_t origin) { return NameOf(origin, pat::Origin::kAuto); }
const char* pat_reason_name(int32_t reason) { return NameOf(reason, pat::DeleteReason::kAdmin); }
const char* pat_refusal_name(int32_t refusal) {
  return NameOf(refusal, pat::RefusalReason::kUnavailable);
}

int32_t pat_refusal_http_status(int32_t refusal) {
  pat::RefusalReason reason;
  if (refusal == 0) return 200;
  if (!FromC(refusal, pat::RefusalReason::kUnavailable, &reason)) return 503;
  return pat::Refusal(reason).http_status();
}

const char* pat_refusal_oauth_error(int32_t refusal) {
  auto reason = pat::RefusalReason::kUnavailable;
  if (refusal == 0) return "";
  FromC(refusal, pat::RefusalReason::kUnavailable, &reason);
  return pat::Refusal(reason).oauth_error().data();
}

const char* pat_refusal_message(void) { return pat::Refusal::public_message().data(); }
