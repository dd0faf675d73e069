// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	pat "libpat"
)

// unquote undoes \xHH in a field in quotes.
func unquote(t *testing.T, field string) string {
	field = field[1 : len(field)-1]
	var text []byte
	for i := 0; i < len(field); i++ {
		if field[i] != '\\' {
			text = append(text, field[i])
			continue
		}
		b, err := hex.DecodeString(field[i+2 : i+4])
		must(t, err)
		text = append(text, b...)
		i += 3
	}
	return string(text)
}

// vectors are the fields of each line of a file of golden vectors.
func vectors(t *testing.T, name string) [][]string {
	t.Helper()
	path := os.Getenv("PAT_TEST_VECTORS_DIR")
	if path == "" {
		path = "../../tests/vectors"
	}
	text, err := os.ReadFile(path + "/" + name)
	must(t, err)
	var all [][]string
	for _, line := range strings.Split(string(text), "\n") {
		if line != "" && line[0] != '#' {
			all = append(all, strings.Split(line, " "))
		}
	}
	return all
}

func TestGoldenVectors(t *testing.T) {
	verdicts := map[error]string{
		nil: "ok", pat.TextNotToken: "not_token", pat.TextBadSelector: "bad_selector", pat.TextBadChecksum: "bad_checksum",
	}
	seen := map[string]int{}
	for n, fields := range vectors(t, "token_text.txt") {
		selector, err := pat.CheckText(unquote(t, fields[2]), strings.Split(fields[1], ","))
		if verdicts[err] != fields[0] {
			t.Errorf("vector %d: got %v, want %s", n, err, fields[0])
		} else if err == nil && hex.EncodeToString(selector[:]) != fields[3] {
			t.Errorf("vector %d: another selector", n)
		}
		seen[fields[0]]++
	}
	for _, verdict := range verdicts {
		if seen[verdict] < 5 {
			t.Errorf("%d vectors say %s", seen[verdict], verdict)
		}
	}
	if _, err := pat.CheckText("", []string{"a\x00_"}); !errors.Is(err, pat.ErrInvalidArgument) {
		t.Errorf("got %v", err)
	}
}

// Each on a store that holds its record: see tests/vectors/sealed_stores.cc.
func TestSealedGoldenVectorsOnStores(t *testing.T) {
	stores := os.Getenv("PAT_TEST_SEALED_STORES")
	if stores == "" {
		t.Skip("no stores of vectors")
	}
	text, err := os.ReadFile(os.Getenv("PAT_TEST_VECTORS_DIR") + "/sealed_tokens.txt")
	must(t, err)
	lines := strings.Split(string(text), "\n")
	keyrings := map[string]string{}
	for _, line := range lines {
		if fields := strings.Split(line, " "); fields[0] == "keyring" {
			keyrings[fields[1]] = unquote(t, fields[2])
		}
	}
	found, err := os.ReadDir(stores)
	must(t, err)
	seen := map[string]int{}
	for _, store := range found {
		line, err := strconv.Atoi(store.Name())
		must(t, err)
		judgeOn(t, filepath.Join(stores, store.Name()), keyrings, strings.Split(lines[line-1], " "), seen)
	}
	if seen["accepted"] <= 10 || len(seen) < 7 {
		t.Errorf("only %v", seen)
	}
}

func judgeOn(t *testing.T, store string, keyrings map[string]string, fields []string, seen map[string]int) {
	number := func(i, base int) uint64 {
		n, err := strconv.ParseUint(fields[i], base, 64)
		must(t, err)
		return n
	}
	now := time.Unix(int64(number(2, 10)), 0)
	lmdb := pat.LMDBStore{Directory: store, MapBytes: 1 << 26, FlushInterval: -1, ReserveBytes: -1}
	a, err := pat.Open(lmdb, pat.KeyringBytes([]byte(keyrings[fields[1]])),
		pat.Options{Clock: func() time.Time { return now }})
	must(t, err)
	defer a.Close()
	text := unquote(t, fields[7])
	who, err := a.Verify(text, pat.Presented{})
	verdict, many := "accepted", a.VerifyMany([]string{text}, pat.Presented{})[0]
	var refused *pat.Refused
	if errors.As(err, &refused) {
		verdict = refused.Reason.String()
	}
	if verdict != fields[0] || many.Principal != who || (many.Err == nil) != (err == nil) {
		t.Errorf("%s: %v, %v", store, fields[0], err)
	} else if err == nil && (who.TokenID != number(3, 10) || uint64(who.Permissions) != number(8, 16) ||
		uint64(who.Origin) != number(9, 10)+1 || who.Account != unquote(t, fields[10])) {
		t.Errorf("%s: got %v", store, who)
	}
	seen[verdict]++
}

// As far as they need no record in a store: public ids under each keyring; a selector that is not
// ours is forged, one of ours whose record is not there an unknown token.
func TestSealedGoldenVectors(t *testing.T) {
	lines := vectors(t, "sealed_tokens.txt")
	judged := 0
	for _, keyring := range lines {
		if keyring[0] != "keyring" {
			continue
		}
		a, err := pat.Open(pat.MemoryStore{}, pat.KeyringBytes([]byte(unquote(t, keyring[2]))), options())
		must(t, err)
		for n, fields := range lines {
			if fields[1] != keyring[1] {
				continue
			}
			switch fields[0] {
			case "token":
				id, err := strconv.ParseUint(fields[2], 10, 64)
				must(t, err)
				if public, err := a.PublicIDOf(id); err != nil || public != fields[15] {
					t.Errorf("vector %d: %v %v", n, public, err)
				}
				if same, err := a.IDOf(fields[15]); err != nil || same != id {
					t.Errorf("vector %d: %v %v", n, same, err)
				}
				_, err = a.Verify(unquote(t, fields[12]), pat.Presented{})
				wantReason(t, err, pat.UnknownToken)
				judged++
			case "forged":
				_, err := a.Verify(unquote(t, fields[7]), pat.Presented{})
				wantReason(t, err, pat.Forged)
				judged++
			}
		}
		must(t, a.Close())
	}
	if judged < 20 {
		t.Errorf("only %d vectors", judged)
	}
}

func TestSecretsShowThemselvesToRevealOnly(t *testing.T) {
	a := open(t, options())
	issued := issue(t, a, laptop())
	secret := issued.Text.Reveal()
	body := secret[len("acme_pat_"):]
	type wrapped struct {
		Shown  pat.Issued
		hidden pat.Issued
		text   *pat.TokenText
	}
	key := string(newKeyring(t))
	type holder struct{ keyring pat.Keyring }
	values := []any{
		issued, &issued, issued.Text, &issued.Text, []pat.Issued{issued}, map[string]pat.TokenText{"a": issued.Text},
		wrapped{issued, issued, &issued.Text}, &wrapped{issued, issued, &issued.Text},
		pat.KeyringBytes([]byte(key)), holder{pat.KeyringBytes([]byte(key))},
	}
	var all strings.Builder
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&all, verb+"\n", value)
		}
		fmt.Fprintln(&all, value)
		log.New(&all, "", 0).Print(value)
		encoded, err := json.Marshal(value)
		must(t, err)
		all.Write(encoded)
	}
	text := all.String()
	for _, secret := range []string{
		body, body[22:49], hex.EncodeToString([]byte(body[22:49])), strings.ToUpper(hex.EncodeToString([]byte(body[22:49]))),
		key[len(key)-65 : len(key)-1], hex.EncodeToString([]byte(key[len(key)-65 : len(key)-1])),
	} {
		if strings.Contains(text, secret) {
			t.Fatal("a secret is shown") // and not here
		}
	}
	encoded, err := json.Marshal(struct{ T pat.TokenText }{issued.Text})
	must(t, err)
	if string(encoded) != `{"T":"acme_pat_***"}` || issued.Text.String() != "acme_pat_***" {
		t.Errorf("got %s, %v", encoded, issued.Text)
	}
	var zero pat.TokenText
	if zero.String() != "***" || zero.Reveal() != "" {
		t.Error("the zero text is no text")
	}
}
