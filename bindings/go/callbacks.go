// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat

// #include <stddef.h>
// #include <stdint.h>
// #include "pat/c_keys.h"
import "C"

import (
	"errors"
	"runtime/cgo"
	"sync"
	"time"
	"unsafe"
)

// The host's functions, behind a cgo.Handle. No panic may pass through the C++ frames between the
// callback and its caller: it is kept, and goes on once C has returned.

// An embedder is what an authority calls as long as it is open.
type embedder struct {
	clock   func() time.Time
	load    func() ([]byte, error)
	loading sync.Mutex // C loads one at a time too, but Go does not know
	loadErr error      // of the last load
	panicked
}

// A passwordCheck is what one Authenticate calls.
type passwordCheck struct {
	fits func(password string) bool
	panicked
}

// A passReport is what one pass over the store calls.
type passReport struct {
	goesOn func(PassProgress) bool
	panicked
}

type panicked struct{ value any }

func (p *panicked) keep() { p.value = recover() }

// goOn panics with what a callback panicked with.
func (p *panicked) goOn() {
	if p.value != nil {
		panic(p.value)
	}
}

//export patGoClock
func patGoClock(handle C.uintptr_t) C.int64_t {
	defer func() {
		// There is no time to return instead that would not let expired tokens live.
		if value := recover(); value != nil {
			go panic(value)
			select {}
		}
	}()
	return C.int64_t(cgo.Handle(handle).Value().(*embedder).clock().Unix())
}

//export patGoKeyring
func patGoKeyring(handle C.uintptr_t, text *C.char, capacity C.size_t,
	textLen *C.size_t) (code C.int32_t) {
	host := cgo.Handle(handle).Value().(*embedder)
	code = C.PAT_INTERNAL
	host.loading.Lock()
	defer host.loading.Unlock()
	defer host.keep()
	loaded, err := host.load()
	if err == nil && len(loaded) > int(capacity) {
		err = errors.New("the keyring is too long")
	}
	if host.loadErr = err; err != nil {
		return C.PAT_UNAVAILABLE
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(text)), int(capacity)), loaded)
	*textLen = C.size_t(len(loaded))
	return C.PAT_OK
}

//export patGoProgress
func patGoProgress(handle C.uintptr_t, soFar *C.pat_pass_progress) (code C.int32_t) {
	report := cgo.Handle(handle).Value().(*passReport)
	code = C.PAT_CANCELLED
	defer report.keep()
	if report.goesOn(progressOf(soFar)) {
		code = C.PAT_OK
	}
	return code
}

//export patGoCheck
func patGoCheck(handle C.uintptr_t, password *C.char, passwordLen C.size_t) C.int32_t {
	check := cgo.Handle(handle).Value().(*passwordCheck)
	defer check.keep()
	if check.fits(C.GoStringN(password, C.int(passwordLen))) {
		return 1
	}
	return 0
}
