// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef LIBPAT_DECIDED_H_
#define LIBPAT_DECIDED_H_

// The values of libpat._decide: an open authority, and what was decided.
#define Py_LIMITED_API 0x030a0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "pat/c.h"

// An open pat_authority, the calls under way on it, and whether it is shut.
typedef struct {
  PyObject_HEAD pat_authority* authority;
  PyObject* pointer;  // the same for cffi
  Py_ssize_t running;
  char shut;
} Gate;

// A pat_decision that accepted somebody; what is behind libpat.Principal.
typedef struct {
  PyObject_HEAD PyObject* declared;
  pat_decision decision;
} Decided;

extern PyType_Spec gate_spec;
extern PyType_Spec decided_spec;

// Calls gate.refuse(), which raises. NULL.
PyObject* gate_refuse(PyObject* gate);

// A decision to be filled. `type`: of decided_spec, or a child.
Decided* new_decided(PyTypeObject* type, PyObject* declared);

int accepts(const pat_decision* decision);

// Functions of the module, over the bytes of decisions one after the other.
PyObject* accepted(PyObject* module, PyObject* bytes);
PyObject* value(PyObject* module, PyObject* args);

// Gives back the memory of an instance whose fields are let go of.
void free_object(PyObject* self);

#endif  // LIBPAT_DECIDED_H_
