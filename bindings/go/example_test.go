// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat_test

import (
	"errors"
	"fmt"

	pat "libpat"
)

func openExample() *pat.Authority {
	keyring, err := pat.GenerateKeyring()
	if err != nil {
		panic(err)
	}
	authority, err := pat.Open(pat.MemoryStore{}, pat.KeyringBytes(keyring),
		pat.Options{CreateIfMissing: true, Prefixes: []string{"acme_pat_"}})
	if err != nil {
		panic(err)
	}
	return authority
}

func ExampleAuthority_Verify() {
	authority := openExample()
	defer authority.Close()

	_, err := authority.Verify("acme_pat_", pat.Presented{Need: pat.RepoRead})
	var refused *pat.Refused
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason, refused.HTTPStatus(), refused.OAuthError())
	}
	// Output: not_token 401 invalid_token
}

func ExampleAuthority_Authenticate() {
	authority := openExample()
	defer authority.Close()

	who, err := authority.Authenticate("correct horse", pat.Presented{Claim: pat.ClaimAccount("alice")}, false,
		func(password string) bool { return password == "correct horse" })
	fmt.Println(who.Account, err, who.RequireAccountAdmin())
	// Output: alice <nil> <nil>
}

func ExampleAuthority_Get() {
	authority := openExample()
	defer authority.Close()

	_, err := authority.Get(7, "alice")
	fmt.Println(errors.Is(err, pat.ErrNotFound), err)
	// Output: true pat: not_found: no such token
}
