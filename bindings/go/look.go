// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat

// #include "pat/c_keys.h"
// #include "callbacks.h"
//
// static int32_t go_purge(pat_authority* authority, int64_t before_unix_s, size_t limit,
//                         uintptr_t report, size_t* purged, pat_error** error) {
//   return pat_purge_pass(authority, before_unix_s, limit, report != 0 ? pat_go_progress : NULL,
//                         (void*)report, purged, error);
// }
import "C"

import "time"

// ListOptions are what to list.
type ListOptions struct {
	State  State  // 0: all but the deleted
	Origin Origin // 0: both
	Text   string // in the description; ASCII letters match in either case
	Limit  int    // 1 to 1000; 0: 20
	After  string // Page.Next of the page before
}

// A Page is a part of an account's tokens.
type Page struct {
	Tokens []Token // newest first
	Next   string  // empty at the end
}

// Counts are an account's tokens by state.
type Counts struct {
	Active   uint64
	Inactive uint64
}

// StoreStats are how large a store is.
type StoreStats struct {
	Accounts    uint64
	NextTokenID uint64
	Bytes       uint64
	UsesDropped uint64 // places of use (not times) this process could not keep
	Readers     uint64 // most slots for reading ever taken at once, by all processes
	MostReaders uint64 // how many slots there are; 0: the store has no such thing
}

// List returns a page of the account's tokens; an account that never had one has an empty page.
func (a *Authority) List(account string, options ListOptions) (Page, error) {
	if err := a.enter(); err != nil {
		return Page{}, err
	}
	defer a.exit()
	if options.Limit < 0 {
		return Page{}, invalid("a limit is not below 0")
	}
	var m arena
	defer m.free()
	given := (*C.pat_list_options)(m.alloc(C.sizeof_pat_list_options))
	given.size = C.sizeof_pat_list_options
	given.state = C.int32_t(options.State)
	given.origin = C.int32_t(options.Origin)
	given.text = m.text(options.Text)
	given.limit = C.size_t(options.Limit)
	given.after = m.text(options.After)
	if m.err != nil {
		return Page{}, m.err
	}
	of, size := m.bytes(account)
	var page *C.pat_page
	var e *C.pat_error
	code := C.pat_list(a.c, of, size, given, &page, &e)
	tokens, next := takePage(page)
	return Page{tokens, next}, taken(code, e)
}

// Count counts an account's tokens; expired and deleted ones are in neither number.
func (a *Authority) Count(account string) (Counts, error) {
	counts := C.pat_counts{size: C.sizeof_pat_counts}
	err := a.on(account, func(of *C.char, size C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_count(a.c, of, size, &counts, e)
	})
	return Counts{uint64(counts.active), uint64(counts.inactive)}, err
}

// IDOf is the id behind a Token.PublicID.
func (a *Authority) IDOf(publicID string) (uint64, error) {
	var id C.uint64_t
	err := a.on(publicID, func(text *C.char, size C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_id_of(a.c, text, size, &id, e)
	})
	return uint64(id), err
}

// PublicIDOf is the Token.PublicID of an id.
func (a *Authority) PublicIDOf(id uint64) (string, error) {
	if err := a.enter(); err != nil {
		return "", err
	}
	defer a.exit()
	var text [C.PAT_PUBLIC_ID_CAPACITY]C.char
	var e *C.pat_error
	code := C.pat_public_id_of(a.c, C.uint64_t(id), &text[0], C.PAT_PUBLIC_ID_CAPACITY, &e)
	return C.GoString(&text[0]), taken(code, e)
}

// Purge forgets tokens deleted before a time, at most limit of them (0: 10,000), and returns how
// many. Call again until it returns less than limit. progress as of Reseal: after an error the steps
// before it stay done.
func (a *Authority) Purge(before time.Time, limit int, progress func(PassProgress) bool) (int, error) {
	if limit < 0 {
		return 0, invalid("a limit is not below 0")
	}
	var purged C.size_t
	_, err := a.pass(progress, func(report C.uintptr_t, _ *C.pat_pass_progress, e **C.pat_error) C.int32_t {
		return C.go_purge(a.c, C.int64_t(before.Unix()), C.size_t(limit), report, &purged, e)
	})
	return int(purged), err
}

// Flush writes the noted places of use ("last used from").
func (a *Authority) Flush() error {
	return a.on("", func(_ *C.char, _ C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_flush(a.c, e)
	})
}

// Health is nil if tokens can be verified now.
func (a *Authority) Health() error {
	return a.on("", func(_ *C.char, _ C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_health(a.c, e)
	})
}

// Stats tells how large the store is.
func (a *Authority) Stats() (StoreStats, error) {
	stats := C.pat_store_stats{size: C.sizeof_pat_store_stats}
	err := a.on("", func(_ *C.char, _ C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_stats(a.c, &stats, e)
	})
	return StoreStats{
		Accounts:    uint64(stats.accounts),
		NextTokenID: uint64(stats.next_token_id),
		Bytes:       uint64(stats.bytes),
		UsesDropped: uint64(stats.uses_dropped),
		Readers:     uint64(stats.readers),
		MostReaders: uint64(stats.most_readers),
	}, err
}
