// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat

// #include "pat/c.h"
import "C"

import "unsafe"

// Permissions is a set of permissions, a bit each: 1 << n.
type Permissions uint64

// The permissions of the default declaration, Docker Hub's.
const (
	RepoPublicRead Permissions = C.PAT_REPO_PUBLIC_READ
	RepoRead       Permissions = C.PAT_REPO_READ
	RepoWrite      Permissions = C.PAT_REPO_WRITE
	RepoDelete     Permissions = C.PAT_REPO_DELETE
)

// Has tells whether all of need are in the set.
func (p Permissions) Has(need Permissions) bool { return need&^p == 0 }

// A Permission has a name and one bit.
type Permission struct {
	Name string
	Bit  Permissions
}

// A Scope is what a token is issued with: a name for permissions.
type Scope struct {
	Name        string
	Permissions Permissions
}

// Permissions are those declared.
func (a *Authority) Permissions() ([]Permission, error) {
	if err := a.enter(); err != nil {
		return nil, err
	}
	defer a.exit()
	var n C.size_t
	var list []Permission
	first := C.pat_permissions(a.c, &n)
	for _, p := range unsafe.Slice(first, n) {
		list = append(list, Permission{C.GoString(p.name), Permissions(p.bits)})
	}
	return list, nil
}

// Scopes are those declared.
func (a *Authority) Scopes() ([]Scope, error) {
	if err := a.enter(); err != nil {
		return nil, err
	}
	defer a.exit()
	var n C.size_t
	var list []Scope
	first := C.pat_scopes(a.c, &n)
	for _, s := range unsafe.Slice(first, n) {
		list = append(list, Scope{C.GoString(s.name), Permissions(s.bits)})
	}
	return list, nil
}

// Prefixes are those of token texts; the first issues.
func (a *Authority) Prefixes() ([]string, error) {
	if err := a.enter(); err != nil {
		return nil, err
	}
	defer a.exit()
	var n C.size_t
	var list []string
	first := C.pat_prefixes(a.c, &n)
	for _, p := range unsafe.Slice(first, n) {
		list = append(list, C.GoString(p))
	}
	return list, nil
}

// Need is what a scope's or permission's name stands for in Presented.Need and Principal.Require.
// For an unknown name it is, with the error, what nobody has.
func (a *Authority) Need(name string) (Permissions, error) {
	if err := a.enter(); err != nil {
		return ^Permissions(0), err
	}
	defer a.exit()
	var m arena
	defer m.free()
	c := m.text(name)
	if m.err != nil {
		return ^Permissions(0), m.err
	}
	var bits C.uint64_t
	var e *C.pat_error
	code := C.pat_need(a.c, c, &bits, &e)
	return Permissions(bits), taken(code, e)
}
