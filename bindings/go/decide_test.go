// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat_test

import (
	"errors"
	"strings"
	"testing"

	pat "libpat"
)

func TestRefusalsAreErrors(t *testing.T) {
	for _, test := range []struct {
		reason pat.Reason
		name   string
		code   error
		status int
		oauth  string
	}{
		{pat.Expired, "expired", pat.ErrUnauthenticated, 401, "invalid_token"},
		{pat.MissingPermission, "missing_permission", pat.ErrPermissionDenied, 403, "insufficient_scope"},
		{pat.Unavailable, "unavailable", pat.ErrUnavailable, 503, "temporarily_unavailable"},
	} {
		refused := &pat.Refused{Reason: test.reason}
		if refused.Error() != "pat: refused: "+test.name || refused.HTTPStatus() != test.status || refused.OAuthError() != test.oauth {
			t.Errorf("got %v, %d, %s", refused, refused.HTTPStatus(), refused.OAuthError())
		}
		for _, code := range []error{pat.ErrUnauthenticated, pat.ErrPermissionDenied, pat.ErrUnavailable, pat.ErrNotFound} {
			if errors.Is(refused, code) != (code == test.code) {
				t.Errorf("%v is %v", refused, code)
			}
		}
	}
	if pat.RefusalMessage() == "" || pat.Version() == "" {
		t.Error("a text is empty")
	}
}

func TestZeroPrincipalMayNothing(t *testing.T) {
	var nobody pat.Principal
	wantError(t, nobody.Require(0), pat.ErrPermissionDenied)
	wantError(t, nobody.RequireAccountAdmin(), pat.ErrPermissionDenied)
	nobody.Method = pat.ByPassword
	wantError(t, nobody.RequireAccountAdmin(), pat.ErrPermissionDenied)
}

func TestClaimsAndNeeds(t *testing.T) {
	a := open(t, options())
	request := laptop()
	request.Account = strings.Repeat("\x00\xff", 64) // any bytes
	text := issue(t, a, request).Text.Reveal()
	who, err := a.Verify(text, pat.Presented{Claim: pat.ClaimAccount(request.Account)})
	must(t, err)
	if who.Account != request.Account {
		t.Errorf("got %q", who.Account)
	}
	must(t, who.Require(pat.RepoWrite))
	wantError(t, who.Require(pat.RepoDelete), pat.ErrPermissionDenied)
	wantError(t, who.RequireAccountAdmin(), pat.ErrPermissionDenied)
	for reason, presented := range map[pat.Reason]pat.Presented{
		pat.WrongAccount:      {Claim: pat.ClaimAccount("alice")},
		pat.UnknownAccount:    {Claim: pat.ClaimUnknown()},
		pat.MissingPermission: {Need: pat.RepoDelete},
	} {
		who, err := a.Verify(text, presented)
		wantReason(t, err, reason)
		if who != (pat.Principal{}) {
			t.Errorf("refused for %v, and yet %v", reason, who)
		}
	}
	_, err = a.Verify(text, pat.Presented{Claim: pat.ClaimAccount("")})
	wantReason(t, err, pat.WrongAccount)
	for text, reason := range map[string]pat.Reason{
		"": pat.NotToken, text + "\n": pat.NotToken, text[:len(text)-1] + "_": pat.NotToken,
		text[:len(text)-7] + flip(text[len(text)-7]) + text[len(text)-6:]: pat.BadChecksum,
	} {
		_, err := a.Verify(text, pat.Presented{})
		wantReason(t, err, reason)
	}
}

func flip(c byte) string {
	if c == 'a' {
		return "b"
	}
	return "a"
}

func TestVerifyManyJudgesAsVerify(t *testing.T) {
	a := open(t, options())
	texts := []string{""}
	for i := 0; i < 5; i++ {
		issued := issue(t, a, laptop())
		texts = append(texts, issued.Text.Reveal(), "x"+issued.Text.Reveal())
		if i%2 == 0 {
			must(t, a.Deactivate(issued.Token.ID, "alice"))
		}
	}
	verdicts := a.VerifyMany(texts, pat.Presented{Need: pat.RepoWrite})
	if len(verdicts) != len(texts) {
		t.Fatalf("%d verdicts", len(verdicts))
	}
	for i, verdict := range verdicts {
		who, err := a.Verify(texts[i], pat.Presented{Need: pat.RepoWrite})
		if who != verdict.Principal || (err == nil) != (verdict.Err == nil) || err != nil && err.Error() != verdict.Err.Error() {
			t.Errorf("%d: got %v, want %v, %v", i, verdict, who, err)
		}
	}
	if len(a.VerifyMany(nil, pat.Presented{})) != 0 {
		t.Error("verdicts about nothing")
	}
	if v := a.VerifyMany([]string{""}, pat.Presented{}); len(v) != 1 {
		t.Errorf("got %v", v)
	} else {
		wantReason(t, v[0].Err, pat.NotToken)
	}
}

func TestPasswordFieldTakesBoth(t *testing.T) {
	a := open(t, options())
	text := issue(t, a, laptop()).Text.Reveal()
	calls := 0
	check := func(password string) bool { calls++; return password == "correct horse" }
	alice := pat.Presented{Claim: pat.ClaimAccount("alice")}

	who, err := a.Authenticate("correct horse", alice, false, check)
	must(t, err)
	if who.Method != pat.ByPassword || who.Account != "alice" || calls != 1 {
		t.Errorf("got %+v after %d calls", who, calls)
	}
	must(t, who.RequireAccountAdmin())
	_, err = a.Authenticate("correct horse", alice, true, check)
	wantReason(t, err, pat.PasswordRefused)
	_, err = a.Authenticate("wrong", alice, false, check)
	wantReason(t, err, pat.WrongPassword)
	_, err = a.Authenticate("correct horse", pat.Presented{Claim: pat.ClaimUnknown()}, false, check)
	wantError(t, err, pat.ErrUnauthenticated)
	if calls != 4 {
		t.Errorf("%d calls", calls)
	}
	who, err = a.Authenticate(text, alice, true, check)
	must(t, err)
	if who.Method != pat.ByToken || calls != 4 {
		t.Errorf("got %+v after %d calls", who, calls)
	}
}

func TestPanicOfThePasswordCheckPassesOn(t *testing.T) {
	a := open(t, options())
	func() {
		defer func() {
			if recover() != "oops" {
				t.Error("the panic is lost")
			}
		}()
		a.Authenticate("secret", pat.Presented{Claim: pat.ClaimAccount("alice")}, false, func(string) bool { panic("oops") })
	}()
	must(t, a.Close()) // the call is over
}

func TestVerifyAllocatesLittle(t *testing.T) {
	a := open(t, options())
	text := issue(t, a, laptop()).Text.Reveal()
	presented := pat.Presented{Claim: pat.ClaimAccount("alice"), IP: "192.0.2.7", UserAgent: "docker/24"}
	// The account of the principal; or the refusal.
	for _, text := range []string{text, "no token"} {
		if n := testing.AllocsPerRun(100, func() { _, _ = a.Verify(text, presented) }); n > 1 {
			t.Errorf("%v allocations", n)
		}
	}
}

func TestAccountsOfEveryLength(t *testing.T) {
	a := open(t, options())
	var texts []string
	for length := 1; length <= 128; length++ {
		request := laptop()
		request.Account = strings.Repeat("x", length-1) + "y"
		text := issue(t, a, request).Text.Reveal()
		texts = append(texts, text)
		plain, err := a.Verify(text, pat.Presented{})
		must(t, err)
		presented, err := a.Verify(text, pat.Presented{IP: "::1", UserAgent: "go"})
		must(t, err)
		if plain.Account != request.Account || presented != plain {
			t.Errorf("%d: got %q and %q", length, plain.Account, presented.Account)
		}
		texts = append(texts, "hello") // so that a batch mixes both
	}
	for i, verdict := range a.VerifyMany(texts, pat.Presented{Need: pat.RepoWrite}) {
		if i%2 == 1 {
			wantReason(t, verdict.Err, pat.NotToken)
		} else if must(t, verdict.Err); len(verdict.Principal.Account) != i/2+1 {
			t.Errorf("%d: got %q", i, verdict.Principal.Account)
		}
	}
}
