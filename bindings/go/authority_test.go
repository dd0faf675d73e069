// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	pat "libpat"
)

// note keeps a secret for the scan of all logs, which must not find it.
func note(t testing.TB, secret string) string {
	t.Helper()
	path := os.Getenv("PAT_TEST_SECRETS")
	if path == "" {
		return secret
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(secret + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return secret
}

// newKeyring is a new keyring's text; the key, which its last line ends with, is noted.
func newKeyring(t testing.TB) []byte {
	t.Helper()
	text, err := pat.GenerateKeyring()
	if err != nil {
		t.Fatal(err)
	}
	if len(text) < 65 {
		t.Fatal("a keyring is longer")
	}
	note(t, string(text[len(text)-65:len(text)-1]))
	return text
}

// A clock that a test sets.
type clock struct{ unix atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.unix.Store(1700000000)
	return c
}

func (c *clock) now() time.Time          { return time.Unix(c.unix.Load(), 0) }
func (c *clock) advance(d time.Duration) { c.unix.Add(int64(d / time.Second)) }

func options() pat.Options {
	return pat.Options{CreateIfMissing: true, Prefixes: []string{"acme_pat_"}}
}

func open(t testing.TB, options pat.Options) *pat.Authority {
	t.Helper()
	a, err := pat.Open(pat.MemoryStore{}, pat.KeyringBytes(newKeyring(t)), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func laptop() pat.IssueRequest {
	return pat.IssueRequest{Account: "alice", Description: "laptop", Scopes: []string{"repo:write"}}
}

func issue(t testing.TB, a *pat.Authority, request pat.IssueRequest) pat.Issued {
	t.Helper()
	issued, err := a.Issue(request)
	if err != nil {
		t.Fatal(err)
	}
	note(t, issued.Text.Reveal())
	return issued
}

func wantReason(t testing.TB, err error, reason pat.Reason) {
	t.Helper()
	var refused *pat.Refused
	if !errors.As(err, &refused) || refused.Reason != reason {
		t.Errorf("got %v, want refusal %v", err, reason)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTokenLivesFromIssueToDelete(t *testing.T) {
	now := newClock()
	o := options()
	o.Clock = now.now
	a := open(t, o)
	request := laptop()
	request.ExpiresAt = now.now().Add(time.Hour)
	request.Attributes = map[string]string{"creator": "192.0.2.7", "client": ""}
	issued := issue(t, a, request)
	want := pat.Token{
		ID: issued.Token.ID, PublicID: issued.Token.PublicID, Account: "alice", Description: "laptop",
		Scopes: []string{"repo:write"}, Permissions: issued.Token.Permissions, State: pat.StateActive,
		Origin: pat.OriginManual, CreatedAt: now.now().UTC(), ExpiresAt: request.ExpiresAt.UTC(),
		Attributes: request.Attributes,
	}
	if !reflect.DeepEqual(issued.Token, want) || len(want.PublicID) != 36 || !want.Permissions.Has(pat.RepoWrite) {
		t.Errorf("got %+v, want %+v", issued.Token, want)
	}
	text := issued.Text.Reveal()
	who, err := a.Verify(text, pat.Presented{IP: "2001:db8::1", UserAgent: "docker/24", Need: pat.RepoWrite})
	must(t, err)
	if who.Account != "alice" || who.TokenID != want.ID || who.Method != pat.ByToken ||
		who.Origin != pat.OriginManual || who.Permissions != want.Permissions {
		t.Errorf("got %+v", who)
	}
	must(t, a.Flush())
	token, err := a.Get(want.ID, "alice")
	must(t, err)
	if token.LastUsedIP != "2001:db8::1" || token.LastUsedUserAgent != "docker/24" || token.LastUsedAt.IsZero() {
		t.Errorf("got %+v", token)
	}

	must(t, a.Deactivate(want.ID, "alice"))
	_, err = a.Verify(text, pat.Presented{})
	wantReason(t, err, pat.Inactive)
	must(t, a.Activate(want.ID, "alice"))
	now.advance(2 * time.Hour)
	_, err = a.Verify(text, pat.Presented{})
	wantReason(t, err, pat.Expired)
	must(t, a.Delete(want.ID, "alice", pat.Leaked))
	_, err = a.Verify(text, pat.Presented{})
	wantReason(t, err, pat.Deleted)
	gone, err := a.List("alice", pat.ListOptions{State: pat.StateDeleted})
	must(t, err)
	if len(gone.Tokens) != 1 || gone.Tokens[0].DeleteReason != pat.Leaked || !gone.Tokens[0].DeletedAt.Equal(now.now()) {
		t.Errorf("got %+v", gone)
	}
	n, err := a.Purge(now.now().Add(time.Second), 10, nil)
	must(t, err)
	if n != 1 {
		t.Errorf("purged %d", n)
	}
}

func TestMethodsOnATokenAskForItsOwner(t *testing.T) {
	a := open(t, options())
	id := issue(t, a, laptop()).Token.ID
	description := "mine"
	_, getError := a.Get(id, "mallory")
	_, updateError := a.Update(id, "mallory", pat.TokenUpdate{Description: &description})
	for _, err := range []error{
		getError, updateError, a.Activate(id, "mallory"), a.Deactivate(id, "mallory"), a.Delete(id, "mallory", 0),
	} {
		wantError(t, err, pat.ErrNotFound)
	}
	if token, err := a.Get(id, pat.AnyOwner); err != nil || token.State != pat.StateActive {
		t.Errorf("got %v, %v", token, err)
	}
}

func TestListsCountsAndUpdates(t *testing.T) {
	a := open(t, options())
	var requests []pat.IssueRequest
	for _, name := range []string{"one", "two", "three"} {
		request := laptop()
		request.Description = name
		requests = append(requests, request)
	}
	many, err := a.IssueMany(requests)
	must(t, err)
	for i, issued := range many {
		note(t, issued.Text.Reveal())
		if issued.Token.Description != requests[i].Description {
			t.Errorf("got %v", issued.Token)
		}
	}
	page, err := a.List("alice", pat.ListOptions{Limit: 2})
	must(t, err)
	if len(page.Tokens) != 2 || page.Tokens[0].Description != "three" || page.Next == "" {
		t.Errorf("got %+v", page)
	}
	page, err = a.List("alice", pat.ListOptions{Limit: 2, After: page.Next})
	must(t, err)
	if len(page.Tokens) != 1 || page.Tokens[0].Description != "one" || page.Next != "" {
		t.Errorf("got %+v", page)
	}
	page, err = a.List("nobody", pat.ListOptions{})
	must(t, err)
	if len(page.Tokens) != 0 {
		t.Errorf("got %+v", page)
	}
	description := "renamed"
	token, err := a.Update(many[0].Token.ID, "alice", pat.TokenUpdate{
		Description: &description, Scopes: []string{"repo:read"}, State: pat.StateInactive})
	must(t, err)
	if token.Description != "renamed" || token.State != pat.StateInactive || token.Permissions.Has(pat.RepoWrite) {
		t.Errorf("got %+v", token)
	}
	counts, err := a.Count("alice")
	must(t, err)
	if counts != (pat.Counts{Active: 2, Inactive: 1}) {
		t.Errorf("got %+v", counts)
	}
	id, err := a.IDOf(token.PublicID)
	must(t, err)
	publicID, err := a.PublicIDOf(id)
	must(t, err)
	if id != token.ID || publicID != token.PublicID {
		t.Error("public ids and ids do not fit")
	}
	stats, err := a.Stats()
	must(t, err)
	must(t, a.Health())
	if stats.Accounts != 1 || stats.NextTokenID <= token.ID || stats.MostReaders != 0 {
		t.Errorf("got %+v", stats)
	}
}

func TestAutoTokensAreAtMostFive(t *testing.T) {
	a := open(t, options())
	for i := 0; i < 7; i++ {
		issued := issue(t, a, pat.IssueRequest{Account: "alice", Description: "auto", Origin: pat.OriginAuto})
		if i < 5 && issued.Evicted != nil || i >= 5 && len(issued.Evicted) != 1 {
			t.Errorf("%d: %v are evicted", i, issued.Evicted)
		}
	}
	counts, err := a.Count("alice")
	must(t, err)
	if counts.Active != 5 {
		t.Errorf("got %+v", counts)
	}
	gone, err := a.List("alice", pat.ListOptions{State: pat.StateDeleted, Origin: pat.OriginAuto})
	must(t, err)
	if len(gone.Tokens) != 2 || gone.Tokens[0].DeleteReason != pat.Evicted {
		t.Errorf("got %+v", gone)
	}
}

func TestStoreOnDiskOutlivesTheAuthority(t *testing.T) {
	dir := t.TempDir()
	store := pat.LMDBStore{
		Directory: filepath.Join(dir, "tokens"), CreateIfMissing: true, MapBytes: 1 << 26, FlushInterval: -1,
		ReserveBytes: -1, WriteDeadline: time.Millisecond}
	keyring := newKeyring(t)
	o := options()
	o.Permissions = []pat.Permission{{"read", 1}, {"write", 2}}
	o.Scopes = []pat.Scope{{"all", 3}, {"some", 1}}
	a, err := pat.Open(store, pat.KeyringBytes(keyring), o)
	must(t, err)
	request := laptop()
	request.Scopes = []string{"some"}
	text := issue(t, a, request).Text.Reveal()
	must(t, a.Close())

	exclusive := store
	exclusive.Exclusive = true
	a, err = pat.Open(exclusive, pat.KeyringBytes(keyring), pat.Options{AdoptScopes: true})
	must(t, err)
	stats, err := a.Stats()
	must(t, err)
	if stats.Readers == 0 || stats.MostReaders < stats.Readers {
		t.Errorf("got %+v", stats)
	}
	_, err = pat.Open(store, pat.KeyringBytes(keyring), pat.Options{AdoptScopes: true})
	wantError(t, err, pat.ErrFailedPrecondition)
	must(t, a.Close())

	loads := 0
	load := pat.KeyringFunc(func() ([]byte, error) { loads++; return keyring, nil })
	a, err = pat.Open(store, load, pat.Options{AdoptScopes: true})
	must(t, err)
	defer a.Close()
	_, err = a.Verify(text, pat.Presented{})
	must(t, err)
	permissions, err1 := a.Permissions()
	scopes, err2 := a.Scopes()
	prefixes, err3 := a.Prefixes()
	if err1 != nil || err2 != nil || err3 != nil || loads == 0 || !reflect.DeepEqual(permissions, o.Permissions) ||
		!reflect.DeepEqual(scopes, o.Scopes) || !reflect.DeepEqual(prefixes, o.Prefixes) {
		t.Errorf("got %v, %v, %v, %d loads", permissions, scopes, prefixes, loads)
	}
	need, err := a.Need("all")
	must(t, err)
	_, err = a.Verify(text, pat.Presented{Need: need})
	wantReason(t, err, pat.MissingPermission)
	wantError(t, err, pat.ErrPermissionDenied)
	need, err = a.Need("more")
	if need != ^pat.Permissions(0) || err == nil {
		t.Errorf("an unknown name needs %x", need)
	}

	_, err = pat.Open(store, pat.KeyringBytes(newKeyring(t)), pat.Options{AdoptScopes: true})
	wantError(t, err, pat.ErrFailedPrecondition)
}

func TestMisuseIsAnErrorInWords(t *testing.T) {
	keyring := pat.KeyringBytes(newKeyring(t))
	nul := options()
	nul.Prefixes = []string{"a\x00_"}
	bad := options()
	bad.Permissions = []pat.Permission{{"two bits", 3}}
	for name, test := range map[string]struct {
		store   pat.Store
		keyring pat.Keyring
		options pat.Options
	}{
		"no store":   {nil, keyring, options()},
		"no keyring": {pat.MemoryStore{}, pat.Keyring{}, options()},

		"NUL in a prefix":  {pat.MemoryStore{}, keyring, nul},
		"NUL in a path":    {pat.LMDBStore{Directory: "/tmp\x00/none"}, keyring, options()},
		"bad permissions":  {pat.MemoryStore{}, keyring, bad},
		"too many readers": {pat.LMDBStore{Directory: "none", MaxReaders: 1 << 40}, keyring, options()},
	} {
		a, err := pat.Open(test.store, test.keyring, test.options)
		if a != nil || !errors.Is(err, pat.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}

	a := open(t, options())
	empty, long, nulText := laptop(), laptop(), laptop()
	empty.Account = ""
	long.ExpiresAt = time.Unix(0, 1)
	nulText.Scopes = []string{"repo:read\x00"}
	for _, request := range []pat.IssueRequest{empty, long, nulText, {}} {
		_, err := a.Issue(request)
		wantError(t, err, pat.ErrInvalidArgument)
	}
	_, err := a.IssueMany([]pat.IssueRequest{laptop(), empty})
	wantError(t, err, pat.ErrInvalidArgument)
	id := issue(t, a, laptop()).Token.ID
	none := ""
	for _, update := range []pat.TokenUpdate{{Description: &none}, {Scopes: []string{}}, {State: pat.StateExpired}} {
		_, err := a.Update(id, "alice", update)
		wantError(t, err, pat.ErrInvalidArgument)
	}
	_, err = a.List("alice", pat.ListOptions{Limit: -1})
	wantError(t, err, pat.ErrInvalidArgument)
	wantError(t, a.Delete(id, "alice", 77), pat.ErrInvalidArgument)
	_, err = a.IDOf("none")
	wantError(t, err, pat.ErrInvalidArgument)
	if many, err := a.IssueMany(nil); err != nil || len(many) != 0 {
		t.Errorf("got %v, %v", many, err)
	}
}

func TestKeyringFunctionsFailAndPanicInOpen(t *testing.T) {
	sealed := errors.New("the vault is sealed")
	_, err := pat.Open(pat.MemoryStore{}, pat.KeyringFunc(func() ([]byte, error) { return nil, sealed }), options())
	wantError(t, err, sealed)
	wantError(t, err, pat.ErrUnavailable)
	defer func() {
		if recover() != "oops" {
			t.Error("the panic is lost")
		}
	}()
	pat.Open(pat.MemoryStore{}, pat.KeyringFunc(func() ([]byte, error) { panic("oops") }), options())
}
