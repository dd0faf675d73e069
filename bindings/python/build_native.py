# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Describes the extension libpat._native to cffi: the functions are those of pat/c.h and
pat/c_keys.h as installed, read at build time, so that the header is the one source.

Where libpat is installed: the environment variable PAT_PREFIX, else what pkg-config says.
"""

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from glob import escape, glob

import cffi

HERE = os.path.dirname(os.path.abspath(__file__))

# Python functions that C calls: see native_shim.c and src/libpat/callbacks.py.
CALLBACKS = """
extern "Python" int32_t libpat_keyring_load(void*, char*, size_t, size_t*);
extern "Python" int64_t libpat_clock(void*);
extern "Python" int32_t libpat_password_check(void*, const char*, size_t);
extern "Python" int32_t libpat_pass_progress(void*, const pat_pass_progress*);
"""


@dataclass(frozen=True)
class Installed:
    include: str
    library: str  # the file
    soname: str
    version: str


def _pkg_config(question: str) -> str:
    command = ["pkg-config", question, "libpat"]
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return "".join(shlex.split(answer))  # it quotes blanks
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit("libpat is not found: set PAT_PREFIX to where it is installed") from error


def find_installed() -> Installed:
    prefix = os.environ.get("PAT_PREFIX")
    if prefix:
        include = os.path.join(prefix, "include")
        directories = [os.path.join(prefix, directory) for directory in ("lib", "lib64")]
        directories += sorted(glob(os.path.join(escape(prefix), "lib", "*-linux-gnu*")))
    else:
        include = _pkg_config("--variable=includedir")
        directories = [_pkg_config("--variable=libdir")]
    abi = re.search(r"PAT_ABI = ([0-9]+)", _read(include, "pat", "c_types.h"))
    if abi is None:
        raise SystemExit("these headers are not those of libpat")
    soname = f"libpat.so.{abi[1]}"
    for directory in directories:
        library = os.path.join(directory, soname)
        if os.path.exists(library):
            package = _read(directory, "pkgconfig", "libpat.pc")
            version = re.search(r"^Version: *([0-9.]+)$", package, flags=re.MULTILINE)
            if version is None:
                raise SystemExit("libpat.pc has no version")
            return Installed(include, os.path.realpath(library), soname, version[1])
    raise SystemExit(f"libpat is not installed there: no {soname} in {' '.join(directories)}")


def _read(*parts: str) -> str:
    path = os.path.join(*parts)
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise SystemExit(f"libpat is not installed there: no {path}") from error


def declarations(include: str) -> str:
    """What the C headers declare, as cffi reads it: no preprocessor, no C++, no attributes."""
    text = "".join(_read(include, "pat", f"{name}.h") for name in ("c_types", "c", "c_keys"))
    text = re.sub(r"#ifdef __cplusplus\n.*?#endif\n", "", text, flags=re.DOTALL)
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"\bPAT_API(_CHECKED)?\b", "", text)


def _prototypes(shim: str) -> str:
    """The functions of the shim, whose definitions begin with "static" at the line's beginning."""
    found = re.findall(r"^static (?!inline )([^;{]*\))\s*\{", shim, flags=re.MULTILINE)
    return "".join(prototype + ";\n" for prototype in found)


def _builder() -> cffi.FFI:
    installed = find_installed()
    with open(os.path.join(HERE, "native_shim.c"), encoding="utf-8") as file:
        shim = file.read()
    builder = cffi.FFI()
    builder.cdef(declarations(installed.include) + _prototypes(shim) + CALLBACKS)
    builder.set_source(
        "libpat._native",
        shim,
        include_dirs=[installed.include],
        extra_objects=[installed.library],
        extra_link_args=["-Wl,-rpath,$ORIGIN"],
        extra_compile_args=["-O2", "-g0"],
    )
    return builder


ffibuilder = _builder()
