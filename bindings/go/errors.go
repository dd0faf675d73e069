// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat

// #include "pat/c.h"
import "C"

import "errors"

// A Code says what kind of error it is. Codes are errors themselves, for [errors.Is].
type Code int32

// The codes that libpat's errors have.
const (
	ErrCancelled          Code = C.PAT_CANCELLED           // a pass was stopped by its progress function
	ErrInvalidArgument    Code = C.PAT_INVALID_ARGUMENT    // says what is wrong; nothing changed
	ErrNotFound           Code = C.PAT_NOT_FOUND           // no such token, or deleted, or not the owner's
	ErrAlreadyExists      Code = C.PAT_ALREADY_EXISTS      //
	ErrPermissionDenied   Code = C.PAT_PERMISSION_DENIED   // somebody, but they may not do this
	ErrResourceExhausted  Code = C.PAT_RESOURCE_EXHAUSTED  // the store or the memory is full
	ErrFailedPrecondition Code = C.PAT_FAILED_PRECONDITION // empty store, wrong keyring, wrong scopes
	ErrAborted            Code = C.PAT_ABORTED             //
	ErrUnimplemented      Code = C.PAT_UNIMPLEMENTED       //
	ErrInternal           Code = C.PAT_INTERNAL            //
	ErrUnavailable        Code = C.PAT_UNAVAILABLE         // the store or the keys cannot be read now
	ErrDataLoss           Code = C.PAT_DATA_LOSS           // rows edited or damaged
	ErrUnauthenticated    Code = C.PAT_UNAUTHENTICATED     // nobody: a bad token or password
)

// Error is the code's name: "not_found", ...
func (c Code) Error() string { return C.GoString(C.pat_code_name(C.int32_t(c))) }

// ErrClosed is what every method returns after Close.
var ErrClosed = errors.New("pat: the authority is closed")

// An Error is why something could not be done.
type Error struct {
	Code    Code
	Message string // holds no secret and no description
	cause   error
}

func (e *Error) Error() string { return "pat: " + e.Code.Error() + ": " + e.Message }

// Is tells whether target is the error's code.
func (e *Error) Is(target error) bool { return target == error(e.Code) }

// Unwrap returns what the host's own callback failed with, if that is why.
func (e *Error) Unwrap() error { return e.cause }

func invalid(message string) error { return &Error{Code: ErrInvalidArgument, Message: message} }

// taken makes an error of what a function returned, and frees the C library's.
func taken(code C.int32_t, e *C.pat_error) error {
	defer C.pat_error_free(e)
	if code == C.PAT_OK {
		return nil
	}
	return &Error{Code: Code(code), Message: C.GoString(C.pat_error_message(e))}
}

// A Reason says why a secret was refused. For logs and metrics: what is sent to the client is
// [RefusalMessage], the same for all.
type Reason int32

// The reasons.
const (
	NotToken          Reason = C.PAT_REFUSAL_NOT_TOKEN          // prefix, length or alphabet
	BadChecksum       Reason = C.PAT_REFUSAL_BAD_CHECKSUM       // mistyped or cut
	Forged            Reason = C.PAT_REFUSAL_FORGED             // no store of ours issued it
	UnknownToken      Reason = C.PAT_REFUSAL_UNKNOWN_TOKEN      // purged, or lost by the store
	WrongSecret       Reason = C.PAT_REFUSAL_WRONG_SECRET       // or the record was tampered with
	Deleted           Reason = C.PAT_REFUSAL_DELETED            //
	Expired           Reason = C.PAT_REFUSAL_EXPIRED            //
	Inactive          Reason = C.PAT_REFUSAL_INACTIVE           //
	WrongAccount      Reason = C.PAT_REFUSAL_WRONG_ACCOUNT      // not the claimed account's
	UnknownAccount    Reason = C.PAT_REFUSAL_UNKNOWN_ACCOUNT    // claimed by ClaimUnknown
	MissingPermission Reason = C.PAT_REFUSAL_MISSING_PERMISSION // good, but may not do this
	WrongPassword     Reason = C.PAT_REFUSAL_WRONG_PASSWORD     //
	PasswordRefused   Reason = C.PAT_REFUSAL_PASSWORD_REFUSED   // two-factor authentication is on
	Unavailable       Reason = C.PAT_REFUSAL_UNAVAILABLE        // see Authority.Health
)

// String is the reason's name: "not_token", "bad_checksum", ...
func (r Reason) String() string { return C.GoString(C.pat_refusal_name(C.int32_t(r))) }

// Refused is the error of a secret that was judged and found wanting.
type Refused struct {
	Reason Reason
}

func (r *Refused) Error() string { return "pat: refused: " + r.Reason.String() }

// Is makes a refusal ErrUnavailable, ErrPermissionDenied or, for all others, ErrUnauthenticated.
func (r *Refused) Is(target error) bool {
	switch r.Reason {
	case Unavailable:
		return target == ErrUnavailable
	case MissingPermission:
		return target == ErrPermissionDenied
	}
	return target == ErrUnauthenticated
}

// HTTPStatus is 401, 403 or 503, after RFC 6750.
func (r *Refused) HTTPStatus() int { return int(C.pat_refusal_http_status(C.int32_t(r.Reason))) }

// OAuthError is "invalid_token", "insufficient_scope" or "temporarily_unavailable".
func (r *Refused) OAuthError() string {
	return C.GoString(C.pat_refusal_oauth_error(C.int32_t(r.Reason)))
}

// RefusalMessage is the one sentence for every refused sign-in.
func RefusalMessage() string { return C.GoString(C.pat_refusal_message()) }

// Version is the version of the C library, "0.1.0".
func Version() string { return C.GoString(C.pat_version()) }
