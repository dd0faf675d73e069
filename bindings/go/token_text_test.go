// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"

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

func TestGoldenVectors(t *testing.T) {
	path := os.Getenv("PAT_TEST_VECTORS_DIR")
	if path == "" {
		path = "../../tests/vectors"
	}
	file, err := os.Open(path + "/token_text.txt")
	must(t, err)
	defer file.Close()
	verdicts := map[error]string{
		nil: "ok", pat.TextNotToken: "not_token", pat.TextBadSelector: "bad_selector", pat.TextBadChecksum: "bad_checksum",
	}
	seen := map[string]int{}
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		if lines.Text() == "" || lines.Text()[0] == '#' {
			continue
		}
		fields := strings.Split(lines.Text(), " ")
		selector, err := pat.CheckText(unquote(t, fields[2]), strings.Split(fields[1], ","))
		if verdicts[err] != fields[0] {
			t.Errorf("line %d: got %v, want %s", n, err, fields[0])
		} else if err == nil && hex.EncodeToString(selector[:]) != fields[3] {
			t.Errorf("line %d: another selector", n)
		}
		seen[fields[0]]++
	}
	must(t, lines.Err())
	for _, verdict := range verdicts {
		if seen[verdict] < 5 {
			t.Errorf("%d vectors say %s", seen[verdict], verdict)
		}
	}
	if _, err := pat.CheckText("", []string{"a\x00_"}); !errors.Is(err, pat.ErrInvalidArgument) {
		t.Errorf("got %v", err)
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
