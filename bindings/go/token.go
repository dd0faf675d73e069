// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat

// #include "pat/c.h"
import "C"

import (
	"time"
	"unsafe"
)

// A State is a token's at the time of the read.
type State int32

// The states.
const (
	StateActive   State = C.PAT_STATE_ACTIVE
	StateInactive State = C.PAT_STATE_INACTIVE
	StateExpired  State = C.PAT_STATE_EXPIRED
	StateDeleted  State = C.PAT_STATE_DELETED
)

func (s State) String() string { return C.GoString(C.pat_state_name(C.int32_t(s))) }

// An Origin says how a token came to be.
type Origin int32

// The origins.
const (
	OriginManual Origin = C.PAT_ORIGIN_MANUAL
	OriginAuto   Origin = C.PAT_ORIGIN_AUTO // by a sign-in
)

func (o Origin) String() string { return C.GoString(C.pat_origin_name(C.int32_t(o))) }

// A DeleteReason says why a token was deleted.
type DeleteReason int32

// The reasons to delete.
const (
	ByUser  DeleteReason = C.PAT_REASON_USER
	Evicted DeleteReason = C.PAT_REASON_EVICTED
	Rotated DeleteReason = C.PAT_REASON_ROTATED
	Leaked  DeleteReason = C.PAT_REASON_LEAKED
	Idle    DeleteReason = C.PAT_REASON_IDLE
	ByAdmin DeleteReason = C.PAT_REASON_ADMIN
)

func (r DeleteReason) String() string { return C.GoString(C.pat_reason_name(C.int32_t(r))) }

// A Token is all that is known of a token but the secret.
type Token struct {
	ID                uint64 // never reused; for URLs use PublicID, which tells no volumes
	PublicID          string // in UUID form
	Account           string // the host's own account id: 1 to 128 bytes
	Description       string // user text: escape it for display
	Scopes            []string
	Permissions       Permissions // what the scopes granted when they were set
	State             State
	Origin            Origin
	CreatedAt         time.Time
	ExpiresAt         time.Time // zero: never
	LastUsedAt        time.Time // zero: never; exact to a minute
	LastUsedIP        string
	LastUsedUserAgent string
	DeletedAt         time.Time
	DeleteReason      DeleteReason // 0: not deleted
	Attributes        map[string]string
	Damaged           bool // its rows were edited or damaged; what is shown is unproved: delete it
}

func tokenOf(c *C.pat_token) Token {
	token := Token{
		ID:                uint64(c.id),
		PublicID:          C.GoString(c.public_id),
		Account:           C.GoStringN(c.account, C.int(c.account_len)),
		Description:       C.GoString(c.description),
		Permissions:       Permissions(c.permissions),
		State:             State(c.state),
		Origin:            Origin(c.origin),
		CreatedAt:         timeOf(c.created_unix_s),
		ExpiresAt:         timeOf(c.expires_unix_s),
		LastUsedAt:        timeOf(c.last_used_unix_s),
		LastUsedIP:        C.GoString(c.last_used_ip),
		LastUsedUserAgent: C.GoString(c.last_used_user_agent),
		DeletedAt:         timeOf(c.deleted_unix_s),
		DeleteReason:      DeleteReason(c.delete_reason),
		Damaged:           c.damaged != 0,
	}
	for _, scope := range unsafe.Slice(c.scopes, c.scope_count) {
		token.Scopes = append(token.Scopes, C.GoString(scope))
	}
	if c.attribute_count > 0 {
		token.Attributes = make(map[string]string, c.attribute_count)
	}
	for _, a := range unsafe.Slice(c.attributes, c.attribute_count) {
		token.Attributes[C.GoString(a.name)] = C.GoString(a.value)
	}
	return token
}

// takeToken copies a token and frees the C library's.
func takeToken(c *C.pat_token) Token {
	if c == nil {
		return Token{}
	}
	defer C.pat_token_free(c)
	return tokenOf(c)
}

// takePage likewise. What pat_token.size says beyond our own fields is not looked at.
func takePage(c *C.pat_page) (tokens []Token, next string) {
	if c == nil {
		return nil, ""
	}
	defer C.pat_page_free(c)
	for _, token := range unsafe.Slice(c.tokens, c.count) {
		tokens = append(tokens, tokenOf(token))
	}
	return tokens, C.GoString(c.next)
}
