// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "decided.h"

#include <string.h>
#include <structmember.h>

void free_object(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

// ---- Gate

static int gate_init(PyObject* object, PyObject* args, PyObject* keywords) {
  Gate* const self = (Gate*)object;
  PyObject *pointer, *address;
  (void)keywords;
  if (!PyArg_ParseTuple(args, "OO!", &pointer, &PyLong_Type, &address)) return -1;
  self->authority = PyLong_AsVoidPtr(address);
  if (self->authority == NULL) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "no authority");
    return -1;
  }
  PyObject* const old = self->pointer;
  self->pointer = Py_NewRef(pointer);
  Py_XDECREF(old);
  return 0;
}

static void gate_free(PyObject* object) {
  Py_XDECREF(((Gate*)object)->pointer);
  free_object(object);
}

PyObject* gate_refuse(PyObject* gate) {
  PyObject* const none = PyObject_CallMethod(gate, "refuse", NULL);
  if (none != NULL) {
    Py_DECREF(none);
    PyErr_SetString(PyExc_ValueError, "the authority is closed");
  }
  return NULL;
}

static PyObject* gate_enter(PyObject* object, PyObject* none) {
  Gate* const self = (Gate*)object;
  (void)none;
  if (self->shut || self->pointer == NULL) return gate_refuse(object);
  ++self->running;
  return Py_NewRef(self->pointer);
}

static PyObject* gate_exit(PyObject* object, PyObject* args) {
  (void)args;
  --((Gate*)object)->running;
  Py_RETURN_NONE;
}

static PyMethodDef gate_methods[] = {
    {"__enter__", gate_enter, METH_NOARGS, NULL},
    {"__exit__", gate_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static PyMemberDef gate_members[] = {
    {"pointer", T_OBJECT, offsetof(Gate, pointer), READONLY, NULL},
    {"running", T_PYSSIZET, offsetof(Gate, running), READONLY, NULL},
    {"shut", T_BOOL, offsetof(Gate, shut), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot gate_slots[] = {
    {Py_tp_init, gate_init},
    {Py_tp_dealloc, gate_free},
    {Py_tp_methods, gate_methods},
    {Py_tp_members, gate_members},
    {0, NULL},
};
PyType_Spec gate_spec = {"libpat._decide.Gate", sizeof(Gate), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, gate_slots};

// ---- Decided

Decided* new_decided(PyTypeObject* type, PyObject* declared) {
  Decided* const self = (Decided*)PyType_GenericAlloc(type, 0);
  if (self == NULL) return NULL;
  self->declared = Py_NewRef(declared);
  self->decision.size = sizeof self->decision;
  return self;
}

int accepts(const pat_decision* decision) {
  return decision->accepted == 1 && decision->refusal == 0 &&
         decision->account_len <= sizeof decision->account;
}

// Decided(decision, declared): of the bytes of a decision.
static PyObject* decided_new(PyTypeObject* type, PyObject* args, PyObject* keywords) {
  const char* bytes;
  Py_ssize_t size;
  PyObject* declared;
  (void)keywords;
  if (!PyArg_ParseTuple(args, "y#O", &bytes, &size, &declared)) return NULL;
  Decided* const self = new_decided(type, declared);
  if (self == NULL) return NULL;
  if (size == (Py_ssize_t)sizeof self->decision) memcpy(&self->decision, bytes, (size_t)size);
  if (!accepts(&self->decision)) {
    Py_DECREF(self);
    PyErr_SetString(PyExc_ValueError, "not a decision that accepts somebody");
    return NULL;
  }
  return (PyObject*)self;
}

static void decided_free(PyObject* object) {
  Py_XDECREF(((Decided*)object)->declared);
  free_object(object);
}

static PyObject* decided_account(PyObject* object, void* none) {
  const pat_decision* const decision = &((Decided*)object)->decision;
  (void)none;
  return PyUnicode_DecodeUTF8(decision->account, (Py_ssize_t)decision->account_len,
                              "surrogateescape");
}

static PyObject* decided_token_id(PyObject* object, void* none) {
  const uint64_t id = ((Decided*)object)->decision.token_id;
  (void)none;
  if (id == 0) Py_RETURN_NONE;
  return PyLong_FromUnsignedLongLong(id);
}

static PyObject* decided_raw(PyObject* object, void* none) {
  const pat_decision* const decision = &((Decided*)object)->decision;
  (void)none;
  return PyBytes_FromStringAndSize((const char*)decision, (Py_ssize_t)sizeof *decision);
}

static PyGetSetDef decided_getters[] = {
    {"account", decided_account, NULL,
     "The host's own account id. One that is not UTF-8 has surrogates (PEP 383).", NULL},
    {"token_id", decided_token_id, NULL, "None for a password.", NULL},
    {"_raw", decided_raw, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyMemberDef decided_members[] = {
    {"_declared", T_OBJECT_EX, offsetof(Decided, declared), READONLY, NULL},
    {"_bits", T_ULONGLONG, offsetof(Decided, decision.permissions), READONLY, NULL},
    {"_method", T_INT, offsetof(Decided, decision.method), READONLY, NULL},
    {"_origin", T_INT, offsetof(Decided, decision.origin), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot decided_slots[] = {
    {Py_tp_new, decided_new},
    {Py_tp_dealloc, decided_free},
    {Py_tp_getset, decided_getters},
    {Py_tp_members, decided_members},
    {0, NULL},
};
PyType_Spec decided_spec = {"libpat._decide.Decided", sizeof(Decided), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, decided_slots};

// ---- What verify_many decided: decisions one after the other, as bytes.

// The decision at `i` of the bytes in `args`; NULL with an error.
static const pat_decision* decision_at(const char* bytes, Py_ssize_t size, Py_ssize_t i) {
  if (i < 0 || i >= size / (Py_ssize_t)sizeof(pat_decision)) {
    PyErr_SetNone(PyExc_IndexError);
    return NULL;
  }
  return (const pat_decision*)(bytes + i * (Py_ssize_t)sizeof(pat_decision));
}

PyObject* accepted(PyObject* module, PyObject* bytes) {
  char* decisions;
  Py_ssize_t size, i;
  (void)module;
  if (PyBytes_AsStringAndSize(bytes, &decisions, &size) != 0) return NULL;
  const Py_ssize_t n = size / (Py_ssize_t)sizeof(pat_decision);
  PyObject* const list = PyList_New(n);
  for (i = 0; list != NULL && i < n; ++i) {
    PyList_SetItem(list, i, PyBool_FromLong(accepts(decision_at(decisions, size, i))));
  }
  return list;
}

PyObject* value(PyObject* module, PyObject* args) {
  const char* decisions;
  Py_ssize_t size, i;
  PyObject *type, *declared;
  (void)module;
  if (!PyArg_ParseTuple(args, "y#nOO", &decisions, &size, &i, &type, &declared)) return NULL;
  const pat_decision* const decision = decision_at(decisions, size, i);
  if (decision == NULL) return NULL;
  if (!accepts(decision)) return PyLong_FromLong(decision->refusal);
  Decided* const who = new_decided((PyTypeObject*)type, declared);
  if (who != NULL) who->decision = *decision;
  return (PyObject*)who;
}
