// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
package main

import (
	"fmt"
	"os"

	pat "libpat"
)

func main() {
	dir, _ := os.MkdirTemp("", "five_minutes")
	defer os.RemoveAll(dir)
	store := pat.LMDBStore{Directory: dir + "/tokens", CreateIfMissing: true}
	options := pat.Options{CreateIfMissing: true, Prefixes: []string{"acme_pat_"}}
	authority, err := pat.Open(store, pat.KeyringFile(dir+"/keyring"), options)
	if err != nil {
		panic(err)
	}
	defer authority.Close()
	issued, err := authority.Issue(pat.IssueRequest{
		Account: "alice", Description: "laptop", Scopes: []string{"repo:write"}})
	fmt.Println("issued:  ", issued.Text, err) // its text: issued.Text.Reveal()
	who, err := authority.Verify(issued.Text.Reveal(), pat.Presented{})
	fmt.Println("verified:", who.Account, err, who.Require(pat.RepoWrite))
	err = authority.Deactivate(issued.Token.ID, "alice")
	_, refused := authority.Verify(issued.Text.Reveal(), pat.Presented{})
	fmt.Println("refused: ", err, refused)
}
