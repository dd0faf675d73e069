// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat

// #include "pat/c.h"
// #include "callbacks.h"
//
// static void go_set_callbacks(pat_options* options, uintptr_t handle, int32_t clock,
//                              int32_t load) {
//   if (clock) options->clock = pat_go_clock;
//   if (load) options->keyring_load = pat_go_keyring;
//   options->clock_context = (void*)handle;
//   options->keyring_context = (void*)handle;
// }
import "C"

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/cgo"
	"time"
	"unsafe"
)

// A Store is where tokens are kept: an [LMDBStore] or a [MemoryStore].
type Store interface {
	open() (*C.pat_store, error)
}

// LMDBStore is the default store, a directory on a local disk. Any number of processes may share
// it. What is zero has a good default.
type LMDBStore struct {
	Directory       string
	CreateIfMissing bool
	MapBytes        uint64        // address space; 0: 64 GiB
	ConcurrentReads int           // 0: 64
	MaxReaders      int           // of all processes; 0: 4096
	FlushInterval   time.Duration // 0: 30 s; below 0: only Flush and Close
	ReserveBytes    int64         // for revocations on a full disk; 0: 8 MiB; below 0: none
	WriteDeadline   time.Duration // how long a change waits for another process's; 0: 10 s
	Exclusive       bool          // nobody else may have the store open
}

func (s LMDBStore) open() (*C.pat_store, error) {
	var m arena
	defer m.free()
	reads, ok1 := narrow(s.ConcurrentReads)
	readers, ok2 := narrow(s.MaxReaders)
	interval, ok3 := wholeSeconds(s.FlushInterval)
	deadline, ok4 := wholeSeconds(s.WriteDeadline)
	if !ok1 || !ok2 || !ok3 || !ok4 || readers < 0 {
		return nil, invalid("a number is out of range")
	}
	options := C.pat_lmdb_options{
		size:              C.sizeof_pat_lmdb_options,
		create_if_missing: flag(s.CreateIfMissing),
		concurrent_reads:  reads,
		map_bytes:         C.uint64_t(s.MapBytes),
		max_readers:       C.uint32_t(readers),
		flush_interval_s:  interval,
		reserve_bytes:     C.int64_t(s.ReserveBytes),
		write_deadline_s:  deadline,
		exclusive:         flag(s.Exclusive),
	}
	directory := m.text(s.Directory)
	if m.err != nil {
		return nil, m.err
	}
	var store *C.pat_store
	var e *C.pat_error
	code := C.pat_store_open_lmdb(directory, &options, &store, &e)
	return store, taken(code, e)
}

// wholeSeconds rounds away from zero, which stands for a default.
func wholeSeconds(d time.Duration) (C.int32_t, bool) {
	return narrow(int((d + sign(d)*(time.Second-1)) / time.Second))
}

// MemoryStore is a new store in memory, for tests.
type MemoryStore struct{}

func (MemoryStore) open() (*C.pat_store, error) {
	var store *C.pat_store
	var e *C.pat_error
	code := C.pat_store_new_memory(&store, &e)
	return store, taken(code, e)
}

func narrow(n int) (C.int32_t, bool) {
	return C.int32_t(n), n >= math.MinInt32 && n <= math.MaxInt32
}

func sign(d time.Duration) time.Duration {
	if d < 0 {
		return -1
	}
	return 1
}

// A Keyring is what seals a store: keep it apart from it. It shows itself to nobody.
type Keyring struct {
	path string
	text *[]byte // behind a pointer, which is all that fmt can find
	load func() ([]byte, error)
}

// KeyringFile is a keyring in a file of mode 0600; with CreateIfMissing it is made.
func KeyringFile(path string) Keyring { return Keyring{path: path} }

// KeyringBytes is a keyring that the host has read itself; it is copied. A process that has to know
// a new key is opened with the new text before that key is used.
func KeyringBytes(text []byte) Keyring {
	text = append([]byte(nil), text...)
	return Keyring{text: &text}
}

// KeyringFunc is a keyring that load fetches, called by Open; its error is wrapped in Open's. It is
// called again, by any goroutine, when another process uses a key that was not in the text: others
// wait meanwhile, so it must not take long, nor use the authority. If it fails then, it is asked
// again a second later; until then texts are refused for Unavailable.
func KeyringFunc(load func() ([]byte, error)) Keyring { return Keyring{load: load} }

// Format shows no key.
func (Keyring) Format(f fmt.State, _ rune) { io.WriteString(f, "pat.Keyring{***}") }

// GenerateKeyring makes a new keyring text, for hosts that keep it themselves.
func GenerateKeyring() ([]byte, error) {
	var m arena
	defer m.free()
	var size C.size_t
	var e *C.pat_error
	text := m.alloc(C.PAT_KEYRING_CAPACITY)
	code := C.pat_keyring_generate((*C.char)(text), C.PAT_KEYRING_CAPACITY, &size, &e)
	if err := taken(code, e); err != nil {
		return nil, err
	}
	return C.GoBytes(text, C.int(size)), nil
}

// Options are how an authority is opened. What is zero has a good default.
type Options struct {
	CreateIfMissing bool     // if the store is empty, make a new realm and a keyring file
	Prefixes        []string // the first issues, all are accepted; nil: as the store has them
	MaxAutoTokens   int      // of an account; 0: 5
	AutoScopes      []string // of an auto token whose request names none; nil: repo:admin

	// The host's permissions and scopes; none: Docker Hub's.
	Permissions []Permission
	Scopes      []Scope
	AdoptScopes bool // declare none, take what the store declares

	// Clock is the time, for tests; nil: the system's. It must not block. If it panics, the
	// program ends.
	Clock func() time.Time
}

// Open opens an authority on a store with its keyring. ErrFailedPrecondition: the store is empty
// and may not be made, the keyring is not its own, or the declared scopes contradict it.
func Open(store Store, keyring Keyring, options Options) (*Authority, error) {
	if store == nil {
		return nil, invalid("no store")
	}
	var m arena
	defer m.free()
	given, err := options.take(&m)
	if err != nil {
		return nil, err
	}
	keyring.take(&m, given)
	if m.err != nil {
		return nil, m.err
	}
	host := &embedder{clock: options.Clock, load: keyring.load}
	a := &Authority{idle: make(chan struct{}, 1), calls: options.Clock != nil || keyring.load != nil}
	if a.calls {
		a.handle = cgo.NewHandle(host)
		C.go_set_callbacks(given, C.uintptr_t(a.handle), flag(host.clock != nil), flag(host.load != nil))
	}
	opened, err := store.open()
	if err == nil {
		var made *C.pat_authority
		var e *C.pat_error
		code := C.pat_open(opened, given, &made, &e)
		a.c, err = made, taken(code, e)
	}
	if err != nil {
		if a.calls {
			a.handle.Delete()
		}
		host.goOn()
		if wrapped, ok := err.(*Error); ok {
			wrapped.cause = host.loadErr
		}
		return nil, err
	}
	runtime.SetFinalizer(a, (*Authority).Close)
	return a, nil
}

func (o Options) take(m *arena) (*C.pat_options, error) {
	most, ok := narrow(o.MaxAutoTokens)
	if !ok {
		return nil, invalid("a number is out of range")
	}
	given := (*C.pat_options)(m.alloc(C.sizeof_pat_options))
	given.size = C.sizeof_pat_options
	given.create_if_missing = flag(o.CreateIfMissing)
	given.max_auto_tokens = most
	given.adopt_scopes = flag(o.AdoptScopes)
	given.prefixes, given.prefix_count = m.texts(o.Prefixes)
	given.auto_scopes, given.auto_scope_count = m.texts(o.AutoScopes)
	permissions, scopes := m.named(len(o.Permissions)), m.named(len(o.Scopes))
	for i, p := range o.Permissions {
		permissions[i] = C.pat_named_bits{m.text(p.Name), C.uint64_t(p.Bit)}
	}
	for i, s := range o.Scopes {
		scopes[i] = C.pat_named_bits{m.text(s.Name), C.uint64_t(s.Permissions)}
	}
	if len(permissions) > 0 {
		given.permissions, given.permission_count = &permissions[0], C.size_t(len(permissions))
	}
	if len(scopes) > 0 {
		given.scopes, given.scope_count = &scopes[0], C.size_t(len(scopes))
	}
	return given, nil
}

func (k Keyring) take(m *arena, given *C.pat_options) {
	if k.path != "" {
		given.keyring_path = m.text(k.path)
	}
	if k.text != nil {
		given.keyring_text = (*C.char)(m.alloc(len(*k.text) + 1))
		given.keyring_text_len = C.size_t(len(*k.text))
		copy(unsafe.Slice((*byte)(unsafe.Pointer(given.keyring_text)), len(*k.text)), *k.text)
	}
}
