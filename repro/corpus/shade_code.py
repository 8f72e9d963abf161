"""Machine code of the shader, kept on disk and made anew when any of its sources changes.

Numba itself watches only the file that holds the stored function, not those whose functions and
constants were compiled into it.
"""

import hashlib
from functools import cache
from pathlib import Path

import numba
from numba.core.caching import FunctionCache

SOURCES = ("noise.py", "shadow.py", "shade*.py")
"""Files of this folder that hold compiled functions of the shader, or their constants."""


@cache
def sources_hash() -> str:
    """SHA-256 of the shader's sources, 64 hexadecimal digits."""
    files = sorted(path for name in SOURCES for path in Path(__file__).parent.glob(name))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


class _Cache(FunctionCache):
    """Numba's store of machine code, with the shader's sources as part of the key."""

    def _index_key(self, sig, codegen):
        return *super()._index_key(sig, codegen), sources_hash()


def stored(function):
    """Compile a function that Python calls, with all that it calls of the shader, and store it."""
    compiled = numba.njit(nogil=True, fastmath=True)(function)
    compiled._cache = _Cache(function)
    return compiled
