// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat

// #include "pat/c.h"
import "C"

import (
	"math"
	"runtime"
	"runtime/cgo"
	"sync"
	"sync/atomic"
)

// An Authority is the one object a program talks to. What a method that changes something returned
// no error for is durable and binds every process on the store at once.
//
// Methods on one token take the account that must own it, else they return ErrNotFound; [AnyOwner]
// asks for no check. A web handler always passes the signed-in account.
type Authority struct {
	c      *C.pat_authority
	handle cgo.Handle // of the embedder, if calls
	calls  bool       // deciding may call into Go
	uses   atomic.Int64
	idle   chan struct{}
	once   sync.Once
}

// AnyOwner in place of an owner is for operators' tools only.
const AnyOwner = ""

// Set in Authority.uses by Close; below it, the number of calls that run.
const closing = math.MinInt64

// enter keeps the authority open until exit.
func (a *Authority) enter() error {
	if a.uses.Add(1) > 0 {
		return nil
	}
	a.exit()
	return ErrClosed
}

func (a *Authority) exit() {
	if a.uses.Add(-1) == closing {
		select {
		case a.idle <- struct{}{}:
		default:
		}
	}
	runtime.KeepAlive(a) // else the finalizer could close it while C still runs
}

// Close waits for the calls that run, flushes and closes. It returns nil, however often it is
// called. It must not be called out of a callback.
func (a *Authority) Close() error {
	a.once.Do(func() {
		runtime.SetFinalizer(a, nil)
		if a.uses.Add(closing) != closing {
			<-a.idle
		}
		C.pat_close(a.c)
		a.c = nil
		if a.calls {
			a.handle.Delete()
		}
	})
	return nil
}

// on runs a call that takes one text, mostly an owner.
func (a *Authority) on(text string,
	call func(text *C.char, size C.size_t, e **C.pat_error) C.int32_t) error {
	if err := a.enter(); err != nil {
		return err
	}
	defer a.exit()
	var m arena
	defer m.free()
	var e *C.pat_error
	of, size := m.bytes(text)
	code := call(of, size, &e)
	return taken(code, e)
}

// Activate makes an inactive token active again.
func (a *Authority) Activate(id uint64, owner string) error {
	return a.on(owner, func(o *C.char, size C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_activate(a.c, C.uint64_t(id), o, size, e)
	})
}

// Deactivate makes a token inactive: refused until it is activated. A damaged one is deleted
// instead, and ErrDataLoss returned.
func (a *Authority) Deactivate(id uint64, owner string) error {
	return a.on(owner, func(o *C.char, size C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_deactivate(a.c, C.uint64_t(id), o, size, e)
	})
}

// Delete is final; 0 is ByUser. Damaged tokens can be deleted too.
func (a *Authority) Delete(id uint64, owner string, reason DeleteReason) error {
	return a.on(owner, func(o *C.char, size C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_delete(a.c, C.uint64_t(id), o, size, C.int32_t(reason), e)
	})
}

// Get returns a token.
func (a *Authority) Get(id uint64, owner string) (Token, error) {
	var token *C.pat_token
	err := a.on(owner, func(o *C.char, size C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_get(a.c, C.uint64_t(id), o, size, &token, e)
	})
	return takeToken(token), err
}

// A TokenUpdate is a change to a token; what is nil or 0 stays.
type TokenUpdate struct {
	Description *string
	Scopes      []string
	State       State // StateActive or StateInactive
}

// Update changes all that is asked for, or nothing, and returns the token as it is then.
func (a *Authority) Update(id uint64, owner string, update TokenUpdate) (Token, error) {
	var m arena
	defer m.free()
	given := (*C.pat_token_update)(m.alloc(C.sizeof_pat_token_update))
	given.size = C.sizeof_pat_token_update
	given.state = C.int32_t(update.State)
	given.scopes, given.scope_count = m.texts(update.Scopes)
	if update.Description != nil {
		given.description = m.text(*update.Description)
	}
	if m.err != nil {
		return Token{}, m.err
	}
	var token *C.pat_token
	err := a.on(owner, func(o *C.char, size C.size_t, e **C.pat_error) C.int32_t {
		return C.pat_update(a.c, C.uint64_t(id), o, size, given, &token, e)
	})
	return takeToken(token), err
}
