// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat

// #include "pat/c_keys.h"
// #include "callbacks.h"
//
// typedef int32_t (*go_progress)(void*, const pat_pass_progress*);
//
// // `report` 0: nobody is told.
// static int32_t go_reseal(pat_authority* authority, uintptr_t report, pat_pass_progress* done,
//                          pat_error** error) {
//   const go_progress progress = report != 0 ? (go_progress)pat_go_progress : NULL;
//   return pat_reseal(authority, progress, (void*)report, done, error);
// }
//
// static int32_t go_copy_to(pat_authority* authority, pat_authority* target, uintptr_t report,
//                           pat_pass_progress* done, pat_error** error) {
//   const go_progress progress = report != 0 ? (go_progress)pat_go_progress : NULL;
//   return pat_copy_to(authority, target, progress, (void*)report, done, error);
// }
import "C"

import (
	"runtime/cgo"
	"time"
	"unsafe"
)

// A KeyKind is one of two kinds of keys, which are rotated apart.
type KeyKind int32

// The kinds.
const (
	// SelectorKey makes the readable id in a token's text, so it lives as long as its tokens.
	SelectorKey KeyKind = C.PAT_KEY_SELECTOR
	// SealKey proves the rows of the store, which Reseal brings under the newest.
	SealKey KeyKind = C.PAT_KEY_SEAL
)

func (k KeyKind) String() string {
	switch k {
	case SelectorKey:
		return "selector"
	case SealKey:
		return "seal"
	}
	return "unknown"
}

// A KeyInfo is a live key: one that the store's header names, at most 8 of a kind.
type KeyInfo struct {
	Kind      KeyKind
	Number    uint16
	CreatedAt time.Time
	Newest    bool // the one in use

	// Dependents are what would be lost with it. Of a selector key: its tokens that are neither
	// deleted nor expired, and all damaged ones. Of a seal key: tokens and account rows under its
	// seal. RotateKey does not count them.
	Dependents uint64
}

// A PassProgress is how far a pass over the whole store has come.
type PassProgress struct {
	Accounts    uint64 // looked at
	Tokens      uint64 // looked at
	NextTokenID uint64 // all ids are below this
	Written     uint64 // tokens and account rows
	Left        uint64 // likewise, as they are: they do not fit their seals
}

func keyOf(c *C.pat_key_info) KeyInfo {
	return KeyInfo{KeyKind(c.kind), uint16(c.number), timeOf(c.created_unix_s), c.newest != 0, uint64(c.dependents)}
}

func progressOf(c *C.pat_pass_progress) PassProgress {
	return PassProgress{
		uint64(c.accounts), uint64(c.tokens), uint64(c.next_token_id), uint64(c.written), uint64(c.left)}
}

// Keys are the live keys with what depends on each; it reads the whole store.
func (a *Authority) Keys() ([]KeyInfo, error) {
	var list *C.pat_key_list
	err := a.on("", func(_ *C.char, _ C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_keys(a.c, &list, e)
	})
	if err != nil {
		return nil, err
	}
	defer C.pat_key_list_free(list)
	var keys []KeyInfo
	for _, key := range unsafe.Slice(list.keys, list.count) {
		keys = append(keys, keyOf(key))
	}
	return keys, nil
}

// RotateKey begins to use a new key; tokens under older ones stay good. A KeyringFile gets one; a
// text that the host keeps must have one (AddKeyringKey), else ErrFailedPrecondition; so is it with 8
// live keys of the kind.
func (a *Authority) RotateKey(kind KeyKind) (KeyInfo, error) {
	key := C.pat_key_info{size: C.sizeof_pat_key_info}
	err := a.on("", func(_ *C.char, _ C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_rotate_key(a.c, C.int32_t(kind), &key, e)
	})
	if err != nil {
		return KeyInfo{}, err
	}
	return keyOf(&key), nil
}

// RetireKey ends a key and all older ones of its kind, for every process. ErrFailedPrecondition,
// with the count, while something depends on them, unless force; for the newest always. It is final
// once the secret is out of the keyring: of a KeyringFile it is taken out here; where the host keeps
// the text, with RemoveKeyringKey. After an error call it again.
func (a *Authority) RetireKey(kind KeyKind, number uint16, force bool) error {
	return a.on("", func(_ *C.char, _ C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_retire_key(a.c, C.int32_t(kind), C.uint32_t(number), flag(force), e)
	})
}

// Reseal rewrites every row that an older key seals under the newest, in short batches that disturb
// nobody. progress, if not nil, is called after each, in this goroutine; if it returns false the
// pass ends with ErrCancelled (with a context: return ctx.Err() == nil). It must not use the
// authority; if it panics, so does Reseal. Cut short, call it again.
func (a *Authority) Reseal(progress func(PassProgress) bool) (PassProgress, error) {
	return a.pass(progress, func(report C.uintptr_t, done *C.pat_pass_progress, e **C.pat_error) C.int32_t {
		return C.go_reseal(a.c, report, done, e)
	})
}

// CopyTo copies accounts, tokens and last uses into target, an authority on a new store of the same
// scopes with a keyring of its own. What is copied can be listed and deleted there, but no token of
// this store is accepted there. Nobody may change this store meanwhile; progress as of Reseal; cut
// short, throw the target away.
func (a *Authority) CopyTo(target *Authority, progress func(PassProgress) bool) (PassProgress, error) {
	if target == nil {
		return PassProgress{}, invalid("no target")
	}
	if err := target.enter(); err != nil {
		return PassProgress{}, err
	}
	defer target.exit()
	return a.pass(progress, func(report C.uintptr_t, done *C.pat_pass_progress, e **C.pat_error) C.int32_t {
		return C.go_copy_to(a.c, target.c, report, done, e)
	})
}

// pass runs a call that tells how far it has come.
func (a *Authority) pass(progress func(PassProgress) bool,
	call func(report C.uintptr_t, done *C.pat_pass_progress, e **C.pat_error) C.int32_t) (PassProgress, error) {
	host := &passReport{goesOn: progress}
	var report C.uintptr_t
	if progress != nil {
		handle := cgo.NewHandle(host)
		defer handle.Delete()
		report = C.uintptr_t(handle)
	}
	done := C.pat_pass_progress{size: C.sizeof_pat_pass_progress}
	err := a.on("", func(_ *C.char, _ C.size_t, e **C.pat_error) C.int32_t {
		return call(report, &done, e)
	})
	host.goOn()
	return progressOf(&done), err
}

// AddKeyringKey is a keyring text with one more key, for hosts that keep it themselves: hand it to
// all processes first, then call Authority.RotateKey. ErrFailedPrecondition: the text is none, or has
// 8 of the kind.
func AddKeyringKey(text []byte, kind KeyKind) ([]byte, error) {
	return changedKeyring(text, func(given *C.char, size C.size_t, out *C.char, n *C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_keyring_add_key(given, size, C.int32_t(kind), out, C.PAT_KEYRING_CAPACITY, n, e)
	})
}

// RemoveKeyringKey is a keyring text without a key, after Authority.RetireKey: only this makes
// retiring final. ErrNotFound: it has no such key; ErrFailedPrecondition: it is the newest of its
// kind.
func RemoveKeyringKey(text []byte, kind KeyKind, number uint16) ([]byte, error) {
	return changedKeyring(text, func(given *C.char, size C.size_t, out *C.char, n *C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_keyring_remove_key(given, size, C.int32_t(kind), C.uint32_t(number), out,
			C.PAT_KEYRING_CAPACITY, n, e)
	})
}

// changedKeyring runs a call that makes a keyring text of another.
func changedKeyring(text []byte,
	call func(given *C.char, size C.size_t, out *C.char, n *C.size_t, e **C.pat_error) C.int32_t) ([]byte, error) {
	var m arena
	defer m.free()
	given := m.alloc(len(text) + 1)
	copy(unsafe.Slice((*byte)(given), len(text)), text)
	out := m.alloc(C.PAT_KEYRING_CAPACITY)
	var n C.size_t
	var e *C.pat_error
	code := call((*C.char)(given), C.size_t(len(text)), (*C.char)(out), &n, &e)
	if err := taken(code, e); err != nil {
		return nil, err
	}
	return C.GoBytes(out, C.int(n)), nil
}
