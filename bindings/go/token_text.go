// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat

// #include "pat/c.h"
import "C"

import (
	"fmt"
	"io"
	"unsafe"
)

// Characters after the prefix: selector, secret and checksum.
const bodyLength = 55

// A TokenText is the text of a new token: a secret, shown to its owner once. Whatever prints or
// encodes it finds "acme_pat_***".
type TokenText struct {
	text *string // behind a pointer, which is all that fmt finds in an unexported field
}

// Reveal is the text itself.
func (t TokenText) Reveal() string {
	if t.text == nil {
		return ""
	}
	return *t.text
}

// String hides the secret.
func (t TokenText) String() string {
	if text := t.Reveal(); len(text) > bodyLength {
		return text[:len(text)-bodyLength] + "***"
	}
	return "***"
}

// Format hides the secret, whatever the verb.
func (t TokenText) Format(f fmt.State, _ rune) { io.WriteString(f, t.String()) }

// MarshalText hides the secret.
func (t TokenText) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalJSON hides the secret.
func (t TokenText) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

// A TextError says what is wrong with a text that should be a token's.
type TextError int32

// What can be wrong with a text.
const (
	TextNotToken    TextError = C.PAT_TEXT_NOT_TOKEN    // prefix, length or alphabet
	TextBadSelector TextError = C.PAT_TEXT_BAD_SELECTOR // its value is too large
	TextBadChecksum TextError = C.PAT_TEXT_BAD_CHECKSUM // mistyped or cut
)

func (e TextError) Error() string {
	switch e {
	case TextNotToken:
		return "pat: not the text of a token"
	case TextBadSelector:
		return "pat: a token text with a bad selector"
	case TextBadChecksum:
		return "pat: a token text with a bad checksum"
	}
	return "pat: unknown"
}

// CheckText tells, without any store or key, whether text is that of a token with one of these
// prefixes, and its selector. The error is a TextError.
func CheckText(text string, prefixes []string) (selector [16]byte, err error) {
	var m arena
	defer m.free()
	list, n := m.texts(prefixes)
	if m.err != nil {
		return selector, m.err
	}
	at, size := m.bytes(text)
	switch code := C.pat_check_text(at, size, list, n, (*C.uchar)(unsafe.Pointer(&selector))); code {
	case C.PAT_TEXT_OK:
		return selector, nil
	case -1:
		return selector, invalid("these prefixes cannot be a token's")
	default:
		return selector, TextError(code)
	}
}
