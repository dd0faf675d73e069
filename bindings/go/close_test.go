// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	pat "libpat"
)

func TestCloseIsIdempotentAndEndsAll(t *testing.T) {
	a := open(t, options())
	text := issue(t, a, laptop()).Text.Reveal()
	for i := 0; i < 3; i++ {
		must(t, a.Close())
	}
	_, verify := a.Verify(text, pat.Presented{})
	_, authenticate := a.Authenticate(text, pat.Presented{}, false, func(string) bool { return true })
	_, issueError := a.Issue(laptop())
	_, issueMany := a.IssueMany(nil)
	_, get := a.Get(1, "alice")
	_, list := a.List("alice", pat.ListOptions{})
	_, count := a.Count("alice")
	_, idOf := a.IDOf("")
	_, publicIDOf := a.PublicIDOf(1)
	_, update := a.Update(1, "alice", pat.TokenUpdate{})
	_, purge := a.Purge(time.Now(), 0, nil)
	_, stats := a.Stats()
	_, permissions := a.Permissions()
	_, scopes := a.Scopes()
	_, prefixes := a.Prefixes()
	_, need := a.Need("repo:read")
	_, keys := a.Keys()
	_, rotate := a.RotateKey(pat.SealKey)
	_, reseal := a.Reseal(nil)
	_, copied := a.CopyTo(a, nil)
	for i, err := range []error{
		keys, rotate, reseal, copied, a.RetireKey(pat.SealKey, 1, false),
		verify, authenticate, issueError, issueMany, get, list, count, idOf, publicIDOf, update, purge, stats,
		permissions, scopes, prefixes, need, a.Activate(1, ""), a.Deactivate(1, ""), a.Delete(1, "", 0),
		a.Flush(), a.Health(), a.VerifyMany([]string{text}, pat.Presented{})[0].Err,
	} {
		if !errors.Is(err, pat.ErrClosed) {
			t.Errorf("%d: got %v", i, err)
		}
	}
}

// Goroutines verify, sign in, issue and look while one of them closes: each call is done right or
// returns ErrClosed. Under -race this also shows that no memory is shared.
func TestCloseWaitsForRunningCalls(t *testing.T) {
	now := newClock()
	for round := 0; round < 8; round++ {
		o := options()
		o.Clock = now.now
		a := open(t, o)
		text := issue(t, a, laptop()).Text.Reveal()
		texts := []string{text, "none", text}
		var running sync.WaitGroup
		work := func(call func() error) {
			running.Add(1)
			go func() {
				defer running.Done()
				for i := 0; ; i++ {
					if err := call(); errors.Is(err, pat.ErrClosed) {
						return
					} else if err != nil || i > 1000000 {
						t.Errorf("after %d calls: %v", i, err)
						return
					}
				}
			}()
		}
		verify := func() error {
			_, err := a.Verify(text, pat.Presented{IP: "192.0.2.7"})
			return err
		}
		work(verify)
		work(verify)
		work(func() error { return a.VerifyMany(texts, pat.Presented{})[2].Err })
		work(func() error {
			_, err := a.Authenticate("x", pat.Presented{Claim: pat.ClaimAccount("alice")}, false,
				func(p string) bool { return p == "x" })
			return err
		})
		work(func() error {
			issued, err := a.Issue(pat.IssueRequest{Account: "bob", Description: "auto", Origin: pat.OriginAuto})
			note(t, issued.Text.Reveal())
			return err
		})
		work(func() error { _, err := a.List("bob", pat.ListOptions{}); return err })
		for i := 0; i < 50; i++ {
			now.advance(time.Second)
			runtime.Gosched()
		}
		for i := 0; i < 2; i++ {
			running.Add(1)
			go func() { defer running.Done(); a.Close() }()
		}
		running.Wait()
	}
}

func TestForgottenAuthoritiesAreClosed(t *testing.T) {
	closed := make(chan struct{})
	func() {
		o := options()
		witness := &struct{ clock }{}
		witness.unix.Store(1700000000)
		runtime.SetFinalizer(witness, func(any) { close(closed) })
		o.Clock = witness.now // held by the handle until the authority is closed
		a, err := pat.Open(pat.MemoryStore{}, pat.KeyringBytes(newKeyring(t)), o)
		must(t, err)
		issue(t, a, laptop())
	}()
	for i := 0; i < 200; i++ {
		runtime.GC()
		select {
		case <-closed:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Error("it is open still")
}

func TestPanicOfTheClockEndsTheProgram(t *testing.T) {
	if os.Getenv("PAT_TEST_CLOCK_PANICS") == "" {
		again := exec.Command(os.Args[0], "-test.run=^TestPanicOfTheClockEndsTheProgram$")
		again.Env = append(os.Environ(), "PAT_TEST_CLOCK_PANICS=1")
		output, err := again.CombinedOutput()
		if err == nil || !bytes.Contains(output, []byte("panic: no time")) {
			t.Error("the program goes on")
		}
		return
	}
	now := newClock()
	o := options()
	stopped := false
	o.Clock = func() time.Time {
		if stopped {
			panic("no time")
		}
		return now.now()
	}
	a := open(t, o)
	request := laptop()
	request.ExpiresAt = now.now().Add(time.Hour)
	text := issue(t, a, request).Text.Reveal()
	stopped = true
	defer func() { recover() }()
	_, _ = a.Verify(text, pat.Presented{})
}
