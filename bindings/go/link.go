// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

//go:build !pat_static

package pat

// #cgo pkg-config: libpat
import "C"
