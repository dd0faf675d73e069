// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

// Package middleware is an example: an http.Handler that lets in who presents a token or, by Basic,
// a password, and answers the others after RFC 6750 and RFC 7617.
package middleware

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"

	pat "libpat"
)

// A Guard stands before handlers.
type Guard struct {
	Authority *pat.Authority
	Realm     string // without quotes

	// Lookup resolves a login name to the host's account id.
	Lookup func(login string) (account string, twoFactorEnabled, known bool)
	// Password checks one. For an unknown account, "", it takes as long and returns false.
	Password func(account, password string) bool
}

type principalKey struct{}

// From is who sent the request; nobody outside of a Guard.
func From(ctx context.Context) pat.Principal {
	who, _ := ctx.Value(principalKey{}).(pat.Principal)
	return who
}

// Require serves next to those who have what the scope or permission of that name stands for.
func (g *Guard) Require(name string, next http.Handler) (http.Handler, error) {
	need, err := g.Authority.Need(name)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, bearer, err := g.judge(r, need)
		if err != nil {
			g.refuse(w, err, bearer, name)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, who)))
	}), nil
}

var (
	errNoCredentials = errors.New("no credentials")
	errMalformed     = errors.New("malformed credentials")
	b64token         = regexp.MustCompile("^[-._~+/0-9A-Za-z]+=*$") // RFC 6750, 2.1
)

func (g *Guard) judge(r *http.Request, need pat.Permissions) (who pat.Principal, bearer bool, err error) {
	presented := pat.Presented{Need: need, UserAgent: r.UserAgent()}
	presented.IP, _, _ = net.SplitHostPort(r.RemoteAddr)
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return who, false, errNoCredentials
	}
	scheme, credentials, _ := strings.Cut(headers[0], " ")
	bearer = strings.EqualFold(scheme, "Bearer")
	switch {
	case len(headers) > 1:
		return who, bearer, errMalformed // which of them?
	case bearer:
		text := strings.TrimLeft(credentials, " ")
		if !b64token.MatchString(text) {
			return who, bearer, errMalformed
		}
		who, err = g.Authority.Verify(text, presented)
		return who, bearer, err
	case strings.EqualFold(scheme, "Basic"):
		login, secret, ok := r.BasicAuth()
		if !ok {
			return who, bearer, errMalformed
		}
		account, twoFactorEnabled, known := g.Lookup(login)
		if presented.Claim = pat.ClaimUnknown(); known {
			presented.Claim = pat.ClaimAccount(account)
		}
		who, err = g.Authority.Authenticate(secret, presented, twoFactorEnabled, func(password string) bool {
			if !known {
				account = ""
			}
			return g.Password(account, password) && known
		})
		return who, bearer, err
	default:
		return who, false, errNoCredentials
	}
}

// refuse answers. A Bearer's error stands in its challenge; who sent nothing is only told what to
// send.
func (g *Guard) refuse(w http.ResponseWriter, err error, bearer bool, scope string) {
	status, detail, message := http.StatusUnauthorized, "", pat.RefusalMessage()
	var refused *pat.Refused
	switch {
	case errors.Is(err, errNoCredentials):
	case errors.Is(err, errMalformed):
		status, detail, message = http.StatusBadRequest, "invalid_request", "malformed credentials"
	case errors.As(err, &refused):
		status, detail = refused.HTTPStatus(), refused.OAuthError()
		if status != http.StatusUnauthorized {
			message = detail
		}
	default: // the authority is closed
		status, message = http.StatusServiceUnavailable, "temporarily_unavailable"
	}
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable {
		header.Set("Retry-After", "1")
		http.Error(w, message, status)
		return
	}
	challenge := fmt.Sprintf("Bearer realm=%q", g.Realm)
	if detail != "" && (bearer || status == http.StatusForbidden) {
		challenge += fmt.Sprintf(", error=%q", detail)
	}
	if status == http.StatusForbidden {
		challenge += fmt.Sprintf(", scope=%q", scope)
	}
	header.Add("WWW-Authenticate", challenge)
	if !bearer && status == http.StatusUnauthorized {
		header.Add("WWW-Authenticate", fmt.Sprintf("Basic realm=%q, charset=\"UTF-8\"", g.Realm))
	}
	http.Error(w, message, status)
}
