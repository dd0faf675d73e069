// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	pat "libpat"
)

// noteKeys keeps the keys of a keyring text for the scan of all logs.
func noteKeys(t testing.TB, text []byte) {
	t.Helper()
	for _, key := range regexp.MustCompile(`(?m) ([0-9a-f]{64})$`).FindAllSubmatch(text, -1) {
		note(t, string(key[1]))
	}
}

func openStore(t testing.TB, dir string, keyring pat.Keyring) *pat.Authority {
	t.Helper()
	store := pat.LMDBStore{
		Directory: filepath.Join(dir, "tokens"), CreateIfMissing: true, MapBytes: 1 << 28, FlushInterval: -1}
	a, err := pat.Open(store, keyring, options())
	must(t, err)
	t.Cleanup(func() { a.Close() })
	return a
}

// dependents are those of the kind's live keys, by number.
func dependents(t testing.TB, a *pat.Authority, kind pat.KeyKind) map[uint16]uint64 {
	t.Helper()
	keys, err := a.Keys()
	must(t, err)
	found := map[uint16]uint64{}
	for _, key := range keys {
		if key.CreatedAt.IsZero() {
			t.Errorf("got %+v", key)
		}
		if key.Kind == kind {
			found[key.Number] = key.Dependents
		}
	}
	return found
}

func wantAccepted(t testing.TB, a *pat.Authority, issued pat.Issued) {
	t.Helper()
	_, err := a.Verify(issued.Text.Reveal(), pat.Presented{})
	must(t, err)
}

func wantRefused(t testing.TB, a *pat.Authority, issued pat.Issued, reason pat.Reason) {
	t.Helper()
	_, err := a.Verify(issued.Text.Reveal(), pat.Presented{})
	wantReason(t, err, reason)
}

// oldRecord does as one who can write the store's files but has no keyring: keeps a token's rows
// ("keep"), or puts them back ("put").
func oldRecord(t testing.TB, what, dir string, id uint64) {
	t.Helper()
	program := os.Getenv("PAT_TEST_OLD_RECORD")
	must(t, exec.Command(program, filepath.Join(dir, "tokens"), what, "alice", strconv.FormatUint(id, 10),
		filepath.Join(dir, "kept")).Run())
}

func TestARotationFromFirstToLast(t *testing.T) {
	dir := t.TempDir()
	keyring := filepath.Join(dir, "keyring")
	a := openStore(t, dir, pat.KeyringFile(keyring))
	first := issue(t, a, laptop())
	requests := make([]pat.IssueRequest, 600)
	for i := range requests {
		requests[i] = laptop()
	}
	many, err := a.IssueMany(requests)
	must(t, err)
	for _, issued := range many {
		note(t, issued.Text.Reveal())
	}
	oldRecord(t, "keep", dir, first.Token.ID)
	must(t, a.Deactivate(first.Token.ID, "alice"))

	key, err := a.RotateKey(pat.SealKey)
	must(t, err)
	text, err := os.ReadFile(keyring)
	must(t, err)
	noteKeys(t, text)
	if key.Kind != pat.SealKey || key.Number != 2 || !key.Newest || key.Kind.String() != "seal" {
		t.Errorf("got %+v", key)
	}
	second := issue(t, a, laptop())
	wantRefused(t, a, first, pat.Inactive)
	wantAccepted(t, a, second)
	oldRecord(t, "put", dir, first.Token.ID)
	wantAccepted(t, a, first) // it was true once, and its key is live
	must(t, a.Deactivate(first.Token.ID, "alice"))
	wantError(t, a.RetireKey(pat.SealKey, 1, false), pat.ErrFailedPrecondition)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	calls := 0
	_, err = a.Reseal(func(soFar pat.PassProgress) bool { calls++; return ctx.Err() == nil })
	wantError(t, err, pat.ErrCancelled)
	var last pat.PassProgress
	done, err := a.Reseal(func(soFar pat.PassProgress) bool { calls++; last = soFar; return true })
	must(t, err)
	if calls < 5 || last != done || done.Tokens != 602 || done.Accounts != 1 || done.Left != 0 ||
		done.NextTokenID <= second.Token.ID {
		t.Errorf("%d calls, %+v, %+v", calls, last, done)
	}
	again, err := a.Reseal(nil)
	must(t, err)
	if again.Written != 0 || dependents(t, a, pat.SealKey)[1] != 0 {
		t.Errorf("got %+v", again)
	}
	must(t, a.RetireKey(pat.SealKey, 1, false))
	must(t, a.RetireKey(pat.SealKey, 1, false))
	if found := dependents(t, a, pat.SealKey); len(found) != 1 || found[2] != 603 {
		t.Errorf("got %v", found)
	}
	wantError(t, a.RetireKey(pat.SealKey, 2, true), pat.ErrFailedPrecondition)
	wantError(t, a.RetireKey(pat.SealKey, 3, true), pat.ErrNotFound)
	oldRecord(t, "put", dir, first.Token.ID)
	wantRefused(t, a, first, pat.WrongSecret)
	wantAccepted(t, a, second)
}

func TestASelectorKeyGoesWithItsTokens(t *testing.T) {
	dir := t.TempDir()
	keyring := filepath.Join(dir, "keyring")
	a := openStore(t, dir, pat.KeyringFile(keyring))
	first := issue(t, a, laptop())
	_, err := a.RotateKey(pat.SelectorKey)
	must(t, err)
	text, err := os.ReadFile(keyring)
	must(t, err)
	noteKeys(t, text)
	second := issue(t, a, laptop())
	wantAccepted(t, a, first)
	wantAccepted(t, a, second)
	wantError(t, a.RetireKey(pat.SelectorKey, 1, false), pat.ErrFailedPrecondition)
	must(t, a.RetireKey(pat.SelectorKey, 1, true))
	wantRefused(t, a, first, pat.Forged)
	wantAccepted(t, a, second)
}

func TestACopyIsAnotherRealm(t *testing.T) {
	a, target := open(t, options()), open(t, options())
	issued := issue(t, a, laptop())
	var last pat.PassProgress
	done, err := a.CopyTo(target, func(soFar pat.PassProgress) bool { last = soFar; return true })
	must(t, err)
	if last != done || done.Tokens != 1 || done.Accounts != 1 {
		t.Errorf("got %+v, %+v", last, done)
	}
	wantAccepted(t, a, issued)
	wantRefused(t, target, issued, pat.Forged)
	if page, err := target.List("alice", pat.ListOptions{}); err != nil || len(page.Tokens) != 1 {
		t.Errorf("got %v, %v", page, err)
	}
	_, err = a.CopyTo(target, nil)
	wantError(t, err, pat.ErrFailedPrecondition)
	_, err = a.CopyTo(nil, nil)
	wantError(t, err, pat.ErrInvalidArgument)
	must(t, target.Close())
	_, err = a.CopyTo(target, nil)
	wantError(t, err, pat.ErrClosed)
}

func TestAPurgeTellsHowFarItIs(t *testing.T) {
	a := open(t, options())
	for i := 0; i < 3; i++ {
		must(t, a.Delete(issue(t, a, laptop()).Token.ID, "alice", 0))
	}
	later := time.Now().Add(time.Minute)
	_, err := a.Purge(later, 1, func(pat.PassProgress) bool { return false })
	wantError(t, err, pat.ErrCancelled)
	var last pat.PassProgress
	n, err := a.Purge(later, 0, func(soFar pat.PassProgress) bool { last = soFar; return true })
	must(t, err)
	if n != 2 || last.Written != 2 {
		t.Errorf("got %d, %+v", n, last)
	}
}

// A vault is a host that keeps the keyring text itself.
type vault struct {
	mutex sync.Mutex
	text  []byte
	loads int
	err   error
}

func (v *vault) load() ([]byte, error) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.loads++
	return v.text, v.err
}

func (v *vault) add(t testing.TB, kind pat.KeyKind) {
	t.Helper()
	v.mutex.Lock()
	defer v.mutex.Unlock()
	text, err := pat.AddKeyringKey(v.text, kind)
	must(t, err)
	noteKeys(t, text)
	v.text = text
}

func TestKeyringTextsOfTheHostsOwn(t *testing.T) {
	for _, kind := range []pat.KeyKind{pat.SelectorKey, pat.SealKey} {
		dir := t.TempDir()
		v := &vault{text: newKeyring(t)}
		a, other := openStore(t, dir, pat.KeyringFunc(v.load)), openStore(t, dir, pat.KeyringFunc(v.load))
		fixed := openStore(t, dir, pat.KeyringBytes(v.text))
		first := issue(t, a, laptop())
		_, err := a.RotateKey(kind)
		wantError(t, err, pat.ErrFailedPrecondition)
		v.add(t, kind)
		_, err = a.RotateKey(kind)
		must(t, err)
		second := issue(t, a, laptop())
		loads := v.loads
		var running sync.WaitGroup
		for i := 0; i < 4; i++ {
			running.Add(1)
			go func() {
				defer running.Done()
				for _, issued := range []pat.Issued{second, first} {
					if _, err := other.Verify(issued.Text.Reveal(), pat.Presented{}); err != nil {
						t.Error(err)
					}
				}
			}()
		}
		running.Wait()
		if v.loads != loads+1 {
			t.Errorf("%d loads", v.loads-loads)
		}
		wantRefused(t, fixed, second, pat.Unavailable)
		_, err = a.Reseal(nil)
		must(t, err)
		must(t, a.RetireKey(kind, 1, true))
		removed, err := pat.RemoveKeyringKey(v.text, kind, 1)
		must(t, err)
		if len(removed) >= len(v.text) || bytes.Equal(removed, v.text) {
			t.Error("the key is still there")
		}
		_, err = pat.RemoveKeyringKey(removed, kind, 1)
		wantError(t, err, pat.ErrNotFound)
		_, err = pat.RemoveKeyringKey(removed, kind, 2)
		wantError(t, err, pat.ErrFailedPrecondition)
		wantAccepted(t, other, second)
	}
}

func TestAKeyringThatCannotBeLoadedNow(t *testing.T) {
	dir := t.TempDir()
	v, good := &vault{text: newKeyring(t)}, &vault{}
	a := openStore(t, dir, pat.KeyringFunc(v.load))
	good.text = v.text
	other := openStore(t, dir, pat.KeyringFunc(good.load))
	issued := issue(t, a, laptop())
	v.add(t, pat.SealKey)
	_, err := a.RotateKey(pat.SealKey)
	must(t, err)
	good.err = errors.New("the vault is away")
	wantRefused(t, other, issued, pat.Unavailable)
	good.mutex.Lock()
	good.text, good.err = v.text, nil
	good.mutex.Unlock()
	for begin := time.Now(); ; {
		if _, err := other.Verify(issued.Text.Reveal(), pat.Presented{}); err == nil {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatal("it is not asked again")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestMisuseOfKeys(t *testing.T) {
	a := open(t, options())
	_, rotate := a.RotateKey(0)
	_, add := pat.AddKeyringKey(newKeyring(t), 3)
	_, remove := pat.RemoveKeyringKey(newKeyring(t), pat.SealKey, 0)
	for i, err := range []error{rotate, add, remove, a.RetireKey(7, 1, true), a.RetireKey(pat.SealKey, 0, true)} {
		if !errors.Is(err, pat.ErrInvalidArgument) {
			t.Errorf("%d: got %v", i, err)
		}
	}
	for _, text := range [][]byte{nil, {}, []byte("nonsense"), make([]byte, 5000)} {
		_, err := pat.AddKeyringKey(text, pat.SealKey)
		wantError(t, err, pat.ErrFailedPrecondition)
	}
	func() {
		defer func() {
			if value := recover(); value != "no paper" {
				t.Errorf("got %v", value)
			}
		}()
		a.Reseal(func(pat.PassProgress) bool { panic("no paper") })
		t.Error("the panic is lost")
	}()
	if found := dependents(t, a, pat.SealKey); len(found) != 1 {
		t.Errorf("got %v", found)
	}
}
