// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	pat "libpat"
)

const mostKiB = 1024

func residentKiB(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	must(t, err)
	var all, resident int
	_, err = fmt.Sscan(string(text), &all, &resident)
	must(t, err)
	return resident * os.Getpagesize() / 1024
}

// grownKiB makes calls of every kind that a server makes while it runs, and tells by how much
// resident memory has grown since half of them were made: Go's collector grows into its load in the
// first 50,000.
func grownKiB(t *testing.T, wanted int, kept *[]any) int {
	t.Helper()
	if testing.Short() {
		t.Skip("the race detector's own memory is resident too")
	}
	a := open(t, options())
	issued, err := a.Issue(laptop()) // many are made, none is shown: not noted
	must(t, err)
	text, id := issued.Text.Reveal(), issued.Token.ID
	before, calls := 0, 0
	for round := 1; calls < wanted; round++ {
		for i := 0; i < 10; i++ {
			_, err := a.Verify(text, pat.Presented{Claim: pat.ClaimAccount("alice"), IP: "198.51.100.7"})
			must(t, err)
		}
		verdicts := a.VerifyMany([]string{text, "hello", text}, pat.Presented{})
		if verdicts[0].Err != nil || verdicts[1].Err == nil {
			t.Fatal("wrong verdicts")
		}
		_, err := a.Verify(text[1:], pat.Presented{})
		wantReason(t, err, pat.NotToken)
		_, err = a.Authenticate("pw", pat.Presented{Claim: pat.ClaimAccount("alice")}, false,
			func(string) bool { return false })
		wantReason(t, err, pat.WrongPassword)
		calls += 13
		if round%10 != 0 {
			continue
		}
		token, err := a.Get(id, "alice")
		must(t, err)
		if kept != nil {
			*kept = append(*kept, token, make([]byte, 16384))
		}
		_, err = a.List("alice", pat.ListOptions{})
		must(t, err)
		name := strconv.Itoa(round)
		_, err = a.Update(id, "alice", pat.TokenUpdate{Description: &name})
		must(t, err)
		_, err = a.Get(id, "bob")
		wantError(t, err, pat.ErrNotFound)
		other, err := a.Issue(laptop())
		must(t, err)
		must(t, a.Delete(other.Token.ID, "alice", 0))
		if n, err := a.Purge(time.Now().Add(time.Minute), 0, nil); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		calls += 7
		if before == 0 && calls >= wanted/2 {
			residentKiB(t) // so that measuring is nothing new
			before = residentKiB(t)
		}
	}
	return residentKiB(t) - before
}

// PAT_CALLS calls, 200,000 by default; `./dev soak` makes more.
func TestResidentMemoryStaysFlat(t *testing.T) {
	calls := 200000
	if text := os.Getenv("PAT_CALLS"); text != "" {
		var err error
		calls, err = strconv.Atoi(text)
		must(t, err)
	}
	grown := grownKiB(t, calls, nil)
	t.Logf("%d calls: %d KiB more", calls, grown)
	if grown > mostKiB {
		t.Error("resident memory grew")
	}
}

func TestALeakIsNoticed(t *testing.T) {
	var kept []any
	if grown := grownKiB(t, 300000, &kept); grown <= mostKiB {
		t.Errorf("%d values kept, and only %d KiB more", len(kept), grown)
	}
}
