# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Builds the extension against an installed libpat (build_native.py finds it) and puts libpat.so
beside it into the wheel. Everything else stands in pyproject.toml."""

import os
import shutil
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import build_native  # noqa: E402


class BuildWithLibrary(build_ext):
    def run(self) -> None:
        super().run()
        installed = build_native.find_installed()
        package = os.path.dirname(self.get_ext_fullpath("libpat._native"))
        shutil.copyfile(installed.library, os.path.join(package, installed.soname))


INSTALLED = build_native.find_installed()
setup(
    version=INSTALLED.version,
    ext_modules=[
        Extension(
            "libpat._decide",
            ["decide.c", "decided.c"],
            depends=["decided.h", INSTALLED.library],
            include_dirs=[INSTALLED.include],
            extra_objects=[INSTALLED.library],
            extra_link_args=["-Wl,-rpath,$ORIGIN"],
            extra_compile_args=["-O2", "-g0", "-Wall", "-Wextra", "-fvisibility=hidden"],
            py_limited_api=True,
        )
    ],
    cffi_modules=["build_native.py:ffibuilder"],
    cmdclass={"build_ext": BuildWithLibrary},
    options={"bdist_wheel": {"py_limited_api": "cp310"}},
)
