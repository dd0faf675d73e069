// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package middleware

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	pat "libpat"
)

// note keeps a secret for the scan of all logs, which must not find it.
func note(t *testing.T, secret string) {
	path := os.Getenv("PAT_TEST_SECRETS")
	if path == "" {
		return
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(secret + "\n"); err != nil {
		t.Fatal(err)
	}
}

func issue(t *testing.T, a *pat.Authority, scope string) pat.Issued {
	issued, err := a.Issue(pat.IssueRequest{Account: "id-1", Description: "laptop", Scopes: []string{scope}})
	if err != nil {
		t.Fatal(err)
	}
	note(t, issued.Text.Reveal())
	return issued
}

func open(t *testing.T) *pat.Authority {
	keyring, err := pat.GenerateKeyring()
	if err != nil {
		t.Fatal(err)
	}
	note(t, string(keyring[len(keyring)-65:len(keyring)-1]))
	a, err := pat.Open(pat.MemoryStore{}, pat.KeyringBytes(keyring),
		pat.Options{CreateIfMissing: true, Prefixes: []string{"acme_pat_"}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestGuard(t *testing.T) {
	a := open(t)
	defer a.Close()
	writer, reader, off := issue(t, a, "repo:write"), issue(t, a, "repo:read"), issue(t, a, "repo:write")
	if err := a.Deactivate(off.Token.ID, "id-1"); err != nil {
		t.Fatal(err)
	}
	var checked []string
	guard := &Guard{
		Authority: a,
		Realm:     "acme",
		Lookup: func(login string) (string, bool, bool) {
			return "id-1", login == "careful", login == "alice" || login == "careful"
		},
		Password: func(account, password string) bool {
			checked = append(checked, account)
			return password == "correct horse"
		},
	}
	handler, err := guard.Require("repo:write", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := From(r.Context())
		fmt.Fprintf(w, "%s by %d", who.Account, who.Method)
	}))
	if err != nil {
		t.Fatal(err)
	}

	basic := func(login, secret string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(login, secret) }
	}
	header := func(values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header["Authorization"] = values }
	}
	const bearer, alsoBasic = `Bearer realm="acme"`, `|Basic realm="acme", charset="UTF-8"`
	const invalid, malformed = bearer + `, error="invalid_token"`, bearer + `, error="invalid_request"`
	const insufficient = bearer + `, error="insufficient_scope", scope="repo:write"`
	for name, test := range map[string]struct {
		present   func(*http.Request)
		status    int
		challenge string
	}{
		"nothing":            {header(), 401, bearer + alsoBasic},
		"other scheme":       {header("Digest x"), 401, bearer + alsoBasic},
		"bearer":             {header("bearer " + writer.Text.Reveal()), 200, ""},
		"bearer, two blanks": {header("Bearer  " + writer.Text.Reveal()), 200, ""},
		"bearer, inactive":   {header("Bearer " + off.Text.Reveal()), 401, invalid},
		"bearer, no token":   {header("Bearer 1234"), 401, invalid},
		"bearer, reader":     {header("Bearer " + reader.Text.Reveal()), 403, insufficient},
		"bearer, empty":      {header("Bearer"), 400, malformed},
		"bearer, odd bytes":  {header("Bearer a\"b"), 400, malformed},
		"two headers":        {header("Bearer a", "Bearer b"), 400, malformed},
		"basic, token":       {basic("alice", writer.Text.Reveal()), 200, ""},
		"basic, two-factor":  {basic("careful", writer.Text.Reveal()), 200, ""},
		"basic, reader":      {basic("alice", reader.Text.Reveal()), 403, insufficient},
		"basic, inactive":    {basic("alice", off.Text.Reveal()), 401, bearer + alsoBasic},
		"basic, malformed":   {header("Basic !"), 400, bearer},
		"password":           {basic("alice", "correct horse"), 200, ""},
		"wrong password":     {basic("alice", "battery staple"), 401, bearer + alsoBasic},
		"password, careful":  {basic("careful", "correct horse"), 401, bearer + alsoBasic},
		"password, unknown":  {basic("mallory", "correct horse"), 401, bearer + alsoBasic},
		"token, unknown":     {basic("mallory", writer.Text.Reveal()), 401, bearer + alsoBasic},
	} {
		r := httptest.NewRequest("GET", "/v2/", nil)
		test.present(r)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		challenge := strings.Join(w.Header().Values("WWW-Authenticate"), "|")
		if w.Code != test.status || challenge != test.challenge {
			t.Errorf("%s: got %d, %s", name, w.Code, challenge)
		}
		body, _ := io.ReadAll(w.Body)
		if (w.Code == 200) != strings.HasPrefix(string(body), "id-1 by ") ||
			w.Code == 401 && strings.TrimSpace(string(body)) != pat.RefusalMessage() {
			t.Errorf("%s: got %d, %q", name, w.Code, body)
		}
	}
	if all := strings.Join(checked, ","); len(checked) != 4 || strings.Count(all, "id-1") != 3 {
		t.Errorf("passwords of %q were checked", all)
	}

	token, err := a.Get(writer.Token.ID, "id-1")
	if err != nil || token.LastUsedIP != "192.0.2.1" {
		t.Errorf("got %v, %v", token, err)
	}
	a.Close()
	r := httptest.NewRequest("GET", "/v2/", nil)
	header("Bearer " + writer.Text.Reveal())(r)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d after the end", w.Code)
	}
}

func TestGuardNeedsAKnownName(t *testing.T) {
	a := open(t)
	defer a.Close()
	if _, err := (&Guard{Authority: a}).Require("repo:wrlte", http.NotFoundHandler()); err == nil {
		t.Error("a mistyped name protects nothing, and nobody is told")
	}
	if From(httptest.NewRequest("GET", "/", nil).Context()) != (pat.Principal{}) {
		t.Error("somebody came in without a guard")
	}
}
