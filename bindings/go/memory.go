// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat

// #include <stdlib.h>
// #include "pat/c.h"
import "C"

import (
	"strings"
	"time"
	"unsafe"
)

// An arena is C memory for the arguments of one call, which keep no Go pointers.
type arena struct {
	blocks []block
	err    error // set if a text could not be passed
}

type block struct {
	at   unsafe.Pointer
	size C.size_t
}

func (m *arena) alloc(size int) unsafe.Pointer {
	at := C.calloc(1, C.size_t(size)) // cgo's calloc never returns NULL
	m.blocks = append(m.blocks, block{at, C.size_t(size)})
	return at
}

// bytes is for a text that is passed with its length.
func (m *arena) bytes(s string) (*C.char, C.size_t) {
	if s == "" {
		return nil, 0
	}
	at := m.alloc(len(s))
	copy(unsafe.Slice((*byte)(at), len(s)), s)
	return (*C.char)(at), C.size_t(len(s))
}

// text is for one that ends in NUL; it must not be cut short by one of its own.
func (m *arena) text(s string) *C.char {
	if strings.IndexByte(s, 0) >= 0 {
		m.err = invalid("a text contains NUL")
	}
	at := m.alloc(len(s) + 1)
	copy(unsafe.Slice((*byte)(at), len(s)), s)
	return (*C.char)(at)
}

// texts is NULL for nil only.
func (m *arena) texts(list []string) (**C.char, C.size_t) {
	if list == nil {
		return nil, 0
	}
	at := (**C.char)(m.alloc((len(list) + 1) * int(unsafe.Sizeof((*C.char)(nil)))))
	for i, s := range list {
		unsafe.Slice(at, len(list))[i] = m.text(s)
	}
	return at, C.size_t(len(list))
}

func (m *arena) named(n int) []C.pat_named_bits {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*C.pat_named_bits)(m.alloc(n*C.sizeof_pat_named_bits)), n)
}

// free overwrites all of it first: some of it is secret.
func (m *arena) free() {
	for _, b := range m.blocks {
		C.pat_wipe(b.at, b.size)
		C.free(b.at)
	}
	m.blocks = nil
}

func flag(on bool) C.int32_t {
	if on {
		return 1
	}
	return 0
}

// unix turns a time into seconds, never into 0, which means "never".
func unix(t time.Time) C.int64_t {
	switch s := t.Unix(); {
	case t.IsZero():
		return 0
	case s <= 0:
		return -1
	default:
		return C.int64_t(s)
	}
}

func timeOf(s C.int64_t) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0).UTC()
}
