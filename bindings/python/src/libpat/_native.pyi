# What cffi builds from pat/c.h (build_native.py).
from typing import Any

ffi: Any
lib: Any
