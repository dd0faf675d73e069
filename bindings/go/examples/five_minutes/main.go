// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
package main

import (
	"fmt"
	pat "libpat"
	"os"
)

func main() {
	store := pat.LMDBStore{Directory: os.Args[1] + "/tokens", CreateIfMissing: true}
	options := pat.Options{CreateIfMissing: true, Prefixes: []string{"acme_pat_"}}
	authority := must(pat.Open(store, pat.KeyringFile(os.Args[1]+"/keyring"), options))
	defer authority.Close()
	request := pat.IssueRequest{Account: "alice", Description: "laptop", Scopes: []string{"repo:write"}}
	issued := must(authority.Issue(request))
	fmt.Printf("issued:   %v (%s)\n", issued.Text, issued.Token.Description)
	fmt.Println("verified:", must(authority.Verify(issued.Text.Reveal(), pat.Presented{})).Account)
	must(0, authority.Deactivate(issued.Token.ID, "alice"))
	_, err := authority.Verify(issued.Text.Reveal(), pat.Presented{})
	fmt.Println("refused: ", err.(*pat.Refused).Reason)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
