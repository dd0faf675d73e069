// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat

// #include "pat/c.h"
import "C"

import (
	"time"
	"unsafe"
)

// An IssueRequest is what a new token shall be.
type IssueRequest struct {
	Account     string            // 1 to 128 bytes, any
	Description string            // 1 to 100 characters
	Scopes      []string          // at least one; none for an auto token: Options.AutoScopes
	ExpiresAt   time.Time         // in the future, cut to whole seconds; zero: never
	Origin      Origin            // 0: OriginManual
	Attributes  map[string]string // the host's own, 1,024 bytes in all
}

// Issued is a new token, and its text, which nothing can show again.
type Issued struct {
	Token   Token
	Text    TokenText
	Evicted []uint64 // the ids of the auto tokens that went to make room
}

func (r IssueRequest) take(m *arena) *C.pat_issue_request {
	given := (*C.pat_issue_request)(m.alloc(C.sizeof_pat_issue_request))
	given.size = C.sizeof_pat_issue_request
	given.account, given.account_len = m.bytes(r.Account)
	given.description = m.text(r.Description)
	given.scopes, given.scope_count = m.texts(r.Scopes)
	given.expires_unix_s = unix(r.ExpiresAt)
	given.origin = C.int32_t(r.Origin)
	if n := len(r.Attributes); n > 0 {
		given.attributes = (*C.pat_attribute)(m.alloc(n * C.sizeof_pat_attribute))
		given.attribute_count = C.size_t(n)
		list := unsafe.Slice(given.attributes, n)
		for name, value := range r.Attributes {
			n--
			list[n] = C.pat_attribute{m.text(name), m.text(value)}
		}
	}
	return given
}

func evictedOf(c *C.pat_token) (ids []uint64) {
	for _, id := range unsafe.Slice(c.evicted, c.evicted_count) {
		ids = append(ids, uint64(id))
	}
	return ids
}

func textAt(secret unsafe.Pointer) TokenText {
	text := C.GoString((*C.char)(secret))
	return TokenText{&text}
}

// Issue makes a token. An auto token first evicts what Options.MaxAutoTokens says.
func (a *Authority) Issue(request IssueRequest) (Issued, error) {
	if err := a.enter(); err != nil {
		return Issued{}, err
	}
	defer a.exit()
	var m arena
	defer m.free()
	given := request.take(&m)
	if m.err != nil {
		return Issued{}, m.err
	}
	secret := m.alloc(C.PAT_SECRET_CAPACITY)
	var token *C.pat_token
	var e *C.pat_error
	code := C.pat_issue(a.c, given, (*C.char)(secret), C.PAT_SECRET_CAPACITY, &token, &e)
	if err := taken(code, e); err != nil {
		return Issued{}, err
	}
	defer C.pat_token_free(token)
	return Issued{tokenOf(token), textAt(secret), evictedOf(token)}, nil
}

// IssueMany makes up to 10,000 tokens in one transaction: all or none.
func (a *Authority) IssueMany(requests []IssueRequest) ([]Issued, error) {
	if err := a.enter(); err != nil {
		return nil, err
	}
	defer a.exit()
	var m arena
	defer m.free()
	n := len(requests)
	list := (**C.pat_issue_request)(m.alloc((n + 1) * int(unsafe.Sizeof(uintptr(0)))))
	for i, request := range requests {
		unsafe.Slice(list, n)[i] = request.take(&m)
	}
	if m.err != nil {
		return nil, m.err
	}
	size := n * C.PAT_SECRET_CAPACITY
	secrets := m.alloc(size + 1)
	var page *C.pat_page
	var e *C.pat_error
	code := C.pat_issue_many(a.c, list, C.size_t(n), (*C.char)(secrets), C.size_t(size), &page, &e)
	if err := taken(code, e); err != nil {
		return nil, err
	}
	defer C.pat_page_free(page)
	issued := make([]Issued, n)
	for i, token := range unsafe.Slice(page.tokens, n) {
		text := textAt(unsafe.Add(secrets, i*C.PAT_SECRET_CAPACITY))
		issued[i] = Issued{tokenOf(token), text, evictedOf(token)}
	}
	return issued, nil
}
