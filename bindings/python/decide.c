// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// libpat._decide: what happens for each presented token, in C. Everything else goes by cffi; a
// decision takes less time than cffi and a few lines of Python need to ask for it.
//
// verify keeps the interpreter's lock (the GIL): it waits for nothing, and to let go of the lock
// and take it again costs more than most of what it does. So no other thread can close the
// authority meanwhile. verify_many lets go of it.
#include "decided.h"

#include <stdlib.h>
#include <string.h>

// ---- Verifier: what is behind libpat.Authority.

typedef struct {
  PyObject_HEAD Gate* gate;
  PyObject* declared;
  PyObject* needs;          // dict of declared: name to bits
  PyTypeObject* principal;  // a child of Decided
  PyObject* unknown_account;
  // Functions of Python: an argument's bytes; bits of names; raises what was decided.
  PyObject *secret_bytes, *account_bytes, *note_bytes, *need_of, *raise_decided;
  PyObject* after;  // called after C; None unless C calls Python
} Verifier;

#define VERIFIER_FIELDS(each)                                                                    \
  each(gate) each(declared) each(needs) each(principal) each(unknown_account) each(secret_bytes) \
      each(account_bytes) each(note_bytes) each(need_of) each(raise_decided) each(after)

static int verifier_traverse(PyObject* object, visitproc visit, void* arg) {
  Verifier* const self = (Verifier*)object;
#define VISIT(field) Py_VISIT(self->field);
  VERIFIER_FIELDS(VISIT)
  Py_VISIT(Py_TYPE(object));
  return 0;
}

static int verifier_clear(PyObject* object) {
  Verifier* const self = (Verifier*)object;
#define CLEAR(field) Py_CLEAR(self->field);
  VERIFIER_FIELDS(CLEAR)
  return 0;
}

static void verifier_free(PyObject* object) {
  PyObject_GC_UnTrack(object);
  verifier_clear(object);
  free_object(object);
}

static PyObject* bind(PyObject* object, PyObject* args) {
  Verifier* const self = (Verifier*)object;
  PyObject *gate, *declared, *needs, *principal, *unknown, *secret, *account, *note, *need;
  PyObject *raise, *after;
  if (!PyArg_ParseTuple(args, "OOO!O!OOOOOOO", &gate, &declared, &PyDict_Type, &needs, &PyType_Type,
                        &principal, &unknown, &secret, &account, &note, &need, &raise, &after)) {
    return NULL;
  }
  verifier_clear(object);
  self->gate = (Gate*)Py_NewRef(gate);
  self->declared = Py_NewRef(declared);
  self->needs = Py_NewRef(needs);
  self->principal = (PyTypeObject*)Py_NewRef(principal);
  self->unknown_account = Py_NewRef(unknown);
  self->secret_bytes = Py_NewRef(secret);
  self->account_bytes = Py_NewRef(account);
  self->note_bytes = Py_NewRef(note);
  self->need_of = Py_NewRef(need);
  self->raise_decided = Py_NewRef(raise);
  self->after = Py_NewRef(after);
  Py_RETURN_NONE;
}

// The arguments of a call, as objects; missing ones are NULL.
enum { TEXT, ACCOUNT, NEED, IP, USER_AGENT, ARGUMENTS };

static int take_arguments(const char* first, PyObject* const* args, Py_ssize_t nargs,
                          PyObject* names, PyObject** given) {
  const char* const known[ARGUMENTS] = {first, "account", "need", "ip", "user_agent"};
  const Py_ssize_t named = names == NULL ? 0 : PyTuple_Size(names);
  Py_ssize_t i;
  int at;
  if (nargs > 1) {
    PyErr_Format(PyExc_TypeError, "one positional argument (%s), %zd were given", first, nargs);
    return -1;
  }
  if (nargs == 1) given[TEXT] = args[0];
  for (i = 0; i < named; ++i) {
    PyObject* const name = PyTuple_GetItem(names, i);
    for (at = 0; at < ARGUMENTS; ++at) {
      if (PyUnicode_CompareWithASCIIString(name, known[at]) == 0) break;
    }
    if (at == ARGUMENTS || given[at] != NULL) {
      PyErr_Format(PyExc_TypeError, "unexpected argument %R", name);
      return -1;
    }
    given[at] = args[nargs + i];
  }
  if (given[TEXT] == NULL) {
    PyErr_Format(PyExc_TypeError, "missing argument: %s", first);
    return -1;
  }
  return 0;
}

// A text's bytes: those of `value` itself, else of what `convert` makes of it, kept in *kept.
static int take_bytes(PyObject* value, PyObject* convert, PyObject** kept, const char** bytes,
                      size_t* len) {
  Py_ssize_t size = 0;
  char* at = NULL;
  if (PyUnicode_Check(value)) {
    const char* const text = PyUnicode_AsUTF8AndSize(value, &size);
    if (text != NULL) {
      *bytes = text;
      *len = (size_t)size;
      return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_UnicodeError)) return -1;
    PyErr_Clear();
  }
  if (!PyBytes_Check(value)) {
    value = *kept = PyObject_CallFunctionObjArgs(convert, value, NULL);
    if (value == NULL) return -1;
  }
  if (PyBytes_AsStringAndSize(value, &at, &size) != 0) return -1;
  *bytes = at;
  *len = (size_t)size;
  return 0;
}

// A pat_presented and what keeps its parts alive.
typedef struct {
  const pat_presented* given;  // NULL: all default
  PyObject* kept[3];
  pat_presented* c;
} Presented;

static int take_presented(Verifier* self, PyObject* const* given, Presented* how) {
  if (given[ACCOUNT] == NULL && given[NEED] == NULL && given[IP] == NULL &&
      given[USER_AGENT] == NULL) {
    return 0;
  }
  pat_presented* const c = how->c;
  memset(c, 0, sizeof *c);
  c->size = sizeof *c;
  how->given = c;
  if (given[ACCOUNT] == self->unknown_account) {
    c->claim = PAT_CLAIM_UNKNOWN;
  } else if (given[ACCOUNT] != NULL && given[ACCOUNT] != Py_None) {
    c->claim = PAT_CLAIM_ACCOUNT;
    if (take_bytes(given[ACCOUNT], self->account_bytes, &how->kept[0], &c->account,
                   &c->account_len) != 0) {
      return -1;
    }
  }
  if (given[NEED] != NULL) {
    PyObject* bits = NULL;
    if (PyUnicode_Check(given[NEED])) bits = PyDict_GetItemWithError(self->needs, given[NEED]);
    if (bits != NULL) {
      Py_INCREF(bits);
    } else if (PyErr_Occurred() ||
               (bits = PyObject_CallFunctionObjArgs(self->need_of, given[NEED], NULL)) == NULL) {
      return -1;
    }
    c->need = PyLong_AsUnsignedLongLong(bits);
    Py_DECREF(bits);
    if (PyErr_Occurred()) return -1;
  }
  if (given[IP] != NULL &&
      take_bytes(given[IP], self->note_bytes, &how->kept[1], &c->ip, &c->ip_len) != 0) {
    return -1;
  }
  if (given[USER_AGENT] != NULL && take_bytes(given[USER_AGENT], self->note_bytes, &how->kept[2],
                                              &c->user_agent, &c->user_agent_len) != 0) {
    return -1;
  }
  return 0;
}

static void drop_presented(Presented* how) {
  Py_XDECREF(how->kept[0]);
  Py_XDECREF(how->kept[1]);
  Py_XDECREF(how->kept[2]);
}

// The gate of a call; NULL with an error.
static Gate* open_gate(Verifier* self) {
  if (self->gate == NULL) {
    PyErr_SetString(PyExc_ValueError, "the authority is not open");
    return NULL;
  }
  if (self->gate->shut || self->gate->pointer == NULL) {
    gate_refuse((PyObject*)self->gate);
    return NULL;
  }
  return self->gate;
}

// Raises what a callback left behind, if C can have called any.
static int raise_left(Verifier* self) {
  if (self->after == Py_None) return 0;
  PyObject* const none = PyObject_CallFunctionObjArgs(self->after, NULL);
  Py_XDECREF(none);
  return none == NULL ? -1 : 0;
}

static PyObject* raise_decided(Verifier* self, int code, int refusal) {
  PyObject* const none = PyObject_CallFunction(self->raise_decided, "ii", code, refusal);
  if (none != NULL) {
    Py_DECREF(none);
    PyErr_SetString(PyExc_SystemError, "a refusal was not raised");
  }
  return NULL;
}

static PyObject* decide(Verifier* self, Gate* gate, const char* text, size_t len,
                        const pat_presented* how) {
  Decided* const who = new_decided(self->principal, self->declared);
  if (who == NULL) return NULL;
  ++gate->running;
  // Where C calls Python, another thread may do so with a lock of C's that this one has to wait
  // for.
  PyThreadState* const state = self->after == Py_None ? NULL : PyEval_SaveThread();
  const int code = pat_verify(gate->authority, text, len, how, &who->decision);
  if (state != NULL) PyEval_RestoreThread(state);
  --gate->running;
  if (raise_left(self) == 0) {
    if (code == PAT_OK && accepts(&who->decision)) return (PyObject*)who;
    raise_decided(self, code, who->decision.refusal);
  }
  Py_DECREF(who);
  return NULL;
}

static PyObject* verify(PyObject* object, PyObject* const* args, Py_ssize_t nargs,
                        PyObject* names) {
  Verifier* const self = (Verifier*)object;
  PyObject *given[ARGUMENTS] = {NULL}, *kept = NULL, *who = NULL;
  pat_presented presented;
  Presented how = {NULL, {NULL}, &presented};
  const char* text;
  size_t len;
  if (take_arguments("text", args, nargs, names, given) != 0) return NULL;
  Gate* const gate = open_gate(self);
  if (gate == NULL) return NULL;
  if (take_bytes(given[TEXT], self->secret_bytes, &kept, &text, &len) == 0 &&
      take_presented(self, given, &how) == 0) {
    // A converter may have run Python, and that have closed it.
    if (open_gate(self) != NULL) who = decide(self, gate, text, len, how.given);
  }
  drop_presented(&how);
  Py_XDECREF(kept);
  return who;
}

// Many texts one after the other, and the length of each.
typedef struct {
  char* joined;
  size_t* lens;
  size_t total;
} Texts;

static void drop_texts(Texts* texts) {
  pat_wipe(texts->joined, texts->total);
  free(texts->joined);
  free(texts->lens);
}

// `list` is ours alone: a text that needs converting is replaced in it.
static int join_texts(Verifier* self, PyObject* list, Texts* texts) {
  const Py_ssize_t n = PyList_Size(list);
  Py_ssize_t i;
  size_t at = 0;
  memset(texts, 0, sizeof *texts);
  texts->lens = malloc(((size_t)n + 1) * sizeof *texts->lens);
  const char** const each = malloc(((size_t)n + 1) * sizeof *each);
  int code = texts->lens == NULL || each == NULL ? -1 : 0;
  if (code != 0) PyErr_NoMemory();
  for (i = 0; code == 0 && i < n; ++i) {
    PyObject* kept = NULL;
    code =
        take_bytes(PyList_GetItem(list, i), self->secret_bytes, &kept, &each[i], &texts->lens[i]);
    if (code == 0) at += texts->lens[i];
    if (kept != NULL) PyList_SetItem(list, i, kept);
  }
  if (code == 0 && (texts->joined = malloc(at + 1)) == NULL) {
    code = -1;
    PyErr_NoMemory();
  }
  for (i = 0, texts->total = code == 0 ? at : 0, at = 0; code == 0 && i < n; ++i) {
    memcpy(texts->joined + at, each[i], texts->lens[i]);
    at += texts->lens[i];
  }
  free(each);
  return code;
}

static PyObject* decide_many(Verifier* self, Gate* gate, PyObject* list, const pat_presented* how) {
  const size_t n = (size_t)PyList_Size(list);
  PyObject* bytes = NULL;
  Texts texts;
  if (join_texts(self, list, &texts) == 0 && open_gate(self) != NULL) {
    bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(n * sizeof(pat_decision)));
  }
  if (bytes != NULL && n != 0) {
    pat_decision* const decisions = (pat_decision*)PyBytes_AsString(bytes);
    int code;
    memset(decisions, 0, sizeof *decisions);
    decisions->size = sizeof *decisions;
    ++gate->running;
    Py_BEGIN_ALLOW_THREADS code =
        pat_verify_many(gate->authority, texts.joined, texts.lens, n, how, decisions);
    Py_END_ALLOW_THREADS-- gate->running;
    int failed = raise_left(self);
    if (failed == 0 && code != PAT_OK) {
      raise_decided(self, code, 0);
      failed = -1;
    }
    if (failed != 0) Py_CLEAR(bytes);
  }
  drop_texts(&texts);
  return bytes;
}

static PyObject* decisions_of(PyObject* object, PyObject* const* args, Py_ssize_t nargs,
                              PyObject* names) {
  Verifier* const self = (Verifier*)object;
  PyObject *given[ARGUMENTS] = {NULL}, *bytes = NULL;
  pat_presented presented;
  Presented how = {NULL, {NULL}, &presented};
  if (take_arguments("texts", args, nargs, names, given) != 0) return NULL;
  if (PyUnicode_Check(given[TEXT]) || PyBytes_Check(given[TEXT])) {
    PyErr_SetString(PyExc_TypeError, "verify_many takes a list of texts");
    return NULL;
  }
  Gate* const gate = open_gate(self);
  if (gate == NULL) return NULL;
  PyObject* const list = PySequence_List(given[TEXT]);
  if (list == NULL) return NULL;
  if (take_presented(self, given, &how) == 0) bytes = decide_many(self, gate, list, how.given);
  drop_presented(&how);
  Py_DECREF(list);
  return bytes;
}

PyDoc_STRVAR(
    verify_doc,
    "verify($self, /, text, *, account=None, need=(), ip=b'', user_agent=b'')\n--\n\n"
    "Who presents this token? Raises Refused if it is not good.\n\n"
    "account: whose it is said to be (after \"who are you?\" was answered); UNKNOWN_ACCOUNT if "
    "the\n"
    "host knows no such login name. need: names of permissions or scopes without which it is\n"
    "refused. ip, user_agent: for \"last used\". Strip line ends from text first.");

static PyMethodDef verifier_methods[] = {
    {"verify", (PyCFunction)(void (*)(void))verify, METH_FASTCALL | METH_KEYWORDS, verify_doc},
    {"_decisions", (PyCFunction)(void (*)(void))decisions_of, METH_FASTCALL | METH_KEYWORDS, NULL},
    {"_bind", bind, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot verifier_slots[] = {
    {Py_tp_traverse, verifier_traverse},
    {Py_tp_clear, verifier_clear},
    {Py_tp_dealloc, verifier_free},
    {Py_tp_methods, verifier_methods},
    {0, NULL},
};
static PyType_Spec verifier_spec = {"libpat._decide.Verifier", sizeof(Verifier), 0,
                                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                    verifier_slots};

// ---- The module

static int add_type(PyObject* module, const char* name, PyType_Spec* spec) {
  PyObject* const type = PyType_FromSpec(spec);
  const int code = type == NULL ? -1 : PyModule_AddObjectRef(module, name, type);
  Py_XDECREF(type);
  return code;
}

static PyMethodDef functions[] = {
    {"accepted", accepted, METH_O, NULL},
    {"value", value, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "libpat._decide", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__decide(void) {
  PyObject* const module = PyModule_Create(&definition);
  if (module == NULL) return NULL;
  if (add_type(module, "Gate", &gate_spec) != 0 ||
      add_type(module, "Decided", &decided_spec) != 0 ||
      add_type(module, "Verifier", &verifier_spec) != 0 ||
      PyModule_AddIntConstant(module, "DECISION_BYTES", sizeof(pat_decision)) != 0) {
    Py_DECREF(module);
    return NULL;
  }
  return module;
}
