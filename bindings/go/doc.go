// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

// Package pat is libpat for Go: personal access tokens for an auth server, by the C library.
//
// An [Authority] issues tokens, decides about presented ones and lets their owners manage them. It
// stands on a store ([LMDBStore], [MemoryStore]) and a [Keyring], which seals it.
//
//   - Errors. What fails returns an *[Error] with a [Code] and words; [errors.Is] with ErrNotFound
//     and its like tells them apart. What is refused returns a *[Refused] with a [Reason], which is
//     ErrUnauthenticated, ErrPermissionDenied or ErrUnavailable as well. No message holds a secret
//     or a description.
//   - Values. All structs are plain copies; none holds memory of the C library or follows later
//     changes. A zero [Principal] may do nothing.
//   - Secrets. A token's text comes once, as a [TokenText], which shows itself only to Reveal: not
//     to fmt, encoding/json or a logger.
//   - Goroutines. Every method may be called from any, at any time, Close too: it waits for the
//     calls that run, and those after it get [ErrClosed].
//   - Times are whole seconds; the zero [time.Time] is "never".
//
// The names mean what they mean in the C++ headers, which say more: pat/authority.h and its
// neighbours.
//
// The package is built with cgo and finds libpat by pkg-config. The tag pat_static links libpat.a
// instead of libpat.so. See README.md.
package pat
