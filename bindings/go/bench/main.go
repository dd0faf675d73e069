// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

//go:build !pat_static

// The program bench measures what Go adds to a verify, and prints one line of JSON:
//
//	go_verify_ns       Authority.Verify of one token
//	go_verify_many_ns  Authority.VerifyMany, a token
//	go_c_verify_ns     the same as the first in a loop in C, without Go
//	go_overhead_ns     the first less the third
//
// Go and C take turns, each over a store of its own of the same size, small enough to stay in the
// cache. Of several turns the fastest counts: the others were disturbed.
package main

// #cgo pkg-config: libpat
// #include <stdlib.h>
// #include <string.h>
// #include "pat/c.h"
//
// // An authority over a store in memory, and the texts of `n` tokens in it, which all have one
// // length; NULL on failure.
// static pat_authority* open_with(char* keyring, size_t keyring_len, size_t n, char* secrets) {
//   static const char* const prefixes[] = {"acme_pat_"};
//   static const char* const scopes[] = {"repo:write"};
//   pat_options options = {.size = sizeof options, .create_if_missing = 1, .prefixes = prefixes,
//                          .prefix_count = 1, .keyring_text = keyring,
//                          .keyring_text_len = keyring_len};
//   pat_issue_request request = {.size = sizeof request, .account = "alice", .account_len = 5,
//                                .description = "bench", .scopes = scopes, .scope_count = 1};
//   pat_store* store;
//   pat_authority* authority;
//   if (pat_store_new_memory(&store, NULL) != PAT_OK) return NULL;
//   if (pat_open(store, &options, &authority, NULL) != PAT_OK) return NULL;
//   for (size_t i = 0; i < n; ++i) {
//     char* const secret = secrets + i * PAT_SECRET_CAPACITY;
//     if (pat_issue(authority, &request, secret, PAT_SECRET_CAPACITY, NULL, NULL) != PAT_OK)
//       return NULL;
//   }
//   return authority;
// }
//
// static size_t verify_all(pat_authority* authority, const char* secrets, size_t n) {
//   const size_t len = strlen(secrets);
//   size_t accepted = 0;
//   for (size_t i = 0; i < n; ++i) {
//     pat_decision decision = {.size = sizeof decision};
//     const char* const secret = secrets + i * PAT_SECRET_CAPACITY;
//     accepted += pat_verify(authority, secret, len, NULL, &decision) == PAT_OK;
//   }
//   return accepted;
// }
import "C"

import (
	"encoding/json"
	"log"
	"math"
	"os"
	"time"

	pat "libpat"
)

const (
	tokens = 1000
	turns  = 300
)

func main() {
	keyring, err := pat.GenerateKeyring()
	check(err)
	a, err := pat.Open(pat.MemoryStore{}, pat.KeyringBytes(keyring),
		pat.Options{CreateIfMissing: true, Prefixes: []string{"acme_pat_"}})
	check(err)
	defer a.Close()
	requests := make([]pat.IssueRequest, tokens)
	for i := range requests {
		requests[i] = pat.IssueRequest{Account: "alice", Description: "bench", Scopes: []string{"repo:write"}}
	}
	issued, err := a.IssueMany(requests)
	check(err)
	texts := make([]string, tokens)
	for i := range texts {
		texts[i] = issued[i].Text.Reveal()
	}
	text := (*C.char)(C.CBytes(keyring))
	secrets := (*C.char)(C.malloc(tokens * C.PAT_SECRET_CAPACITY))
	c := C.open_with(text, C.size_t(len(keyring)), tokens, secrets)
	if c == nil {
		log.Fatal("C cannot open an authority")
	}

	one, many, inC := math.Inf(1), math.Inf(1), math.Inf(1)
	for i := 0; i < turns; i++ {
		one = math.Min(one, took(func() (accepted int) {
			for _, text := range texts {
				if _, err := a.Verify(text, pat.Presented{}); err == nil {
					accepted++
				}
			}
			return accepted
		}))
		inC = math.Min(inC, took(func() int {
			return int(C.verify_all(c, secrets, tokens))
		}))
		many = math.Min(many, took(func() (accepted int) {
			for begin := 0; begin < tokens; begin += 100 {
				for _, verdict := range a.VerifyMany(texts[begin:begin+100], pat.Presented{}) {
					if verdict.Err == nil {
						accepted++
					}
				}
			}
			return accepted
		}))
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"go_verify_ns":      round(one),
		"go_verify_many_ns": round(many),
		"go_c_verify_ns":    round(inC),
		"go_overhead_ns":    round(one - inC),
	}))
}

// took is a token's share of a call that handles and accepts all of them.
func took(call func() int) float64 {
	begin := time.Now()
	if accepted := call(); accepted != tokens {
		log.Fatalf("%d of %d tokens are accepted", accepted, tokens)
	}
	return float64(time.Since(begin).Nanoseconds()) / tokens
}

func round(ns float64) float64 { return math.Round(ns*10) / 10 }

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
