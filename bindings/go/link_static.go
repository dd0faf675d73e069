// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

//go:build pat_static

package pat

// libpat.a stands before the -lpat of libpat.pc, which then has nothing left to give: with
// --as-needed the program does not need libpat.so.

// #cgo LDFLAGS: -Wl,--as-needed -l:libpat.a -lstdc++ -lm -lpthread
// #cgo pkg-config: libpat
import "C"
