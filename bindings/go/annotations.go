// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

//go:build go1.24

package pat

// What verify does not do, told to toolchains that can use it: no argument escapes to the heap,
// and nothing calls back into Go (go_verify_calling may, for a clock).

// #cgo noescape go_verify
// #cgo nocallback go_verify
// #cgo noescape go_verify_presented
// #cgo nocallback go_verify_presented
// #cgo noescape go_verify_calling
import "C"
