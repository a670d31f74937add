"""The C functions of lanes, compiled at each width and called with arrays."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import farback.engine

COMPILER = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
HEADERS = Path(farback.engine.__file__).parent / "native"
FLAGS = "-O3 -march=native -ffp-contract=off -fno-math-errno -Wno-psabi"
WIDTHS = 1, 2, 4, 8, 16
WIDEST = WIDTHS[-1]
TYPES = np.float32, np.float64
SMOOTH = "EXP", "LOG", "TANH", "SIGMOID", "EXPM1"
EXACT = "ABS", "NEG", "SIGN", "RELU", "FLOOR", "RECIP"
LIBRARY = "SIN", "COS", "TAN", "ASIN", "ACOS", "ATAN", "SINH", "COSH", "ERF", "ERFC", "LOG1P"
OTHERS = "RSQRT", "SOFTPLUS", "CUBED"
ONE = "SQRT", *SMOOTH, *EXACT, *LIBRARY, *OTHERS
TWO = "MAXIMUM", "MINIMUM", "POW"
COMPARISONS = "LT", "LE", "GT", "GE", "EQ", "NE"
CHOSEN = *(f"CHOOSE_{it}" for it in COMPARISONS), "CHOOSE_NOT", "CHOOSE_AND", "CHOOSE_OR"
THREE = "FMA", *CHOSEN

SOURCE = (
    """
#include "lanes.h"
#include "functions.h"
static inline V CUBED(V a) { return POWI(a, 3); }
#define TOLD(name, mask) \
  static inline V name(V a, V b, V c) { (void)c; return SELECT(mask, a, c); }
"""
    + "".join(f"TOLD(CHOOSE_{it}, {it}(a, b))\n" for it in COMPARISONS)
    + """
TOLD(CHOOSE_NOT, NOT(LT(a, b)))
TOLD(CHOOSE_AND, AND(LT(a, b), LT(b, c)))
TOLD(CHOOSE_OR, OR(LT(a, b), LT(b, c)))
#define EACH(name, expression)                                                   \
  void call_##name(const R *p, const R *q, const R *r, R *out, long n) {         \
    (void)q, (void)r;                                                            \
    for (long i = 0; i < n; i += LANES) {                                        \
      V a, b, c, d;                                                              \
      memcpy(&a, p + i, sizeof a), memcpy(&b, q + i, sizeof b);                  \
      memcpy(&c, r + i, sizeof c), (void)b, (void)c;                             \
      d = expression;                                                            \
      memcpy(out + i, &d, sizeof d);                                             \
    }                                                                            \
  }
"""
    + "".join(f"EACH({it}, {it}(a))\n" for it in ONE)
    + "".join(f"EACH({it}, {it}(a, b))\n" for it in TWO)
    + "".join(f"EACH({it}, {it}(a, b, c))\n" for it in THREE)
    + "EACH(ANY, SPLAT(ANY(LT(a, b))))\nEACH(ALL, SPLAT(ALL(LT(a, b))))\n"
)

Array = np.ndarray[Any, Any]
Call = Callable[..., Array]


class Library:
    """The functions at one width and type, of arrays."""

    def __init__(self, folder: Path, width: int, kind: type, *flags: str) -> None:
        file = folder / f"lanes{width}{kind.__name__}{''.join(flags)}.so"
        source = folder / "lanes.c"
        macros = f"-DLANES={width}", f"-DDOUBLE={int(kind is np.float64)}", f"-I{HEADERS}"
        command = [COMPILER, *FLAGS.split(), *flags, *macros, "-shared", "-fPIC"]
        subprocess.run([*command, str(source), "-o", str(file), "-lm"], check=True)  # type: ignore[list-item]
        self._code, self._kind = ctypes.CDLL(str(file)), kind

    def __getattr__(self, name: str) -> Call:
        return partial(self._call, name)

    def _call(self, name: str, *arguments: Array) -> Array:
        given = [np.ascontiguousarray(it, dtype=self._kind) for it in arguments]
        given += [given[0]] * (3 - len(given))
        count = len(given[0])
        assert count % WIDEST == 0
        out = np.empty_like(given[0])
        pointers = (it.ctypes.data_as(ctypes.c_void_p) for it in (*given, out))
        getattr(self._code, f"call_{name}")(*pointers, ctypes.c_long(count))
        return out


class Libraries:
    """Each compiled at the first use of its type, two at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._made = folder, {}
        (folder / "lanes.c").write_text(SOURCE, encoding="utf-8")

    def widths(self, kind: type, *flags: str) -> list[Library]:
        key = kind, flags
        if key not in self._made:
            with ThreadPoolExecutor(2) as pool:
                make = partial(Library, self._folder)
                self._made[key] = list(pool.map(lambda it: make(it, kind, *flags), WIDTHS))
        return self._made[key]
