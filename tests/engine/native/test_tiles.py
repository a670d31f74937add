"""Loops over a layer and over the way back through it become one, where nothing forbids it."""

import pytest
import torch

from farback import tasks
from farback.cells import Elman
from farback.engine.native._reading import may_read
from farback.engine.native._tiles import tiled
from farback.learners import Descent
from farback.learners.gradients import BPTT
from farback.learners.updates import SGD
from farback.problem import Problem
from farback.trials._compiled import native

LAYER = [
    "V *restrict const b0 = (V *)(work + 0);",
    "for (int i = 0; i < 16; i += 8)",
    "for (int j = 0; j < 1; j++) {",
    "V s0 = SPLAT((R)0);",
    "for (int k = 0; k < 8; k++) {",
    "const V c = s[k];",
    "s0 = FMA(p[(i + 0) + k], c, s0);",
    "}",
    "b0[(i + 0)] = s0;",
    "}",
]
MIDDLE = [
    "V *restrict const b1 = (V *)(work + 16);",
    "V b2[8];",
    "for (int i0 = 0; i0 < 16; i0++) {",
    "b1[i0] = SIGMOID(b0[i0]);",
    "}",
    "const V v1 = x[0] * x[1];",
]
BACK = [
    "for (int i = 0; i < 8; i += 8)",
    "for (int j = 0; j < 1; j++) {",
    "V s0 = SPLAT((R)0);",
    "for (int k = 0; k < 16; k++) {",
    "const V c = b1[k];",
    "s0 = FMA(p[(i + 0) + 8 * k], c, s0);",
    "}",
    "b2[(i + 0)] = s0;",
    "}",
]


def test_a_layer_and_its_way_back_become_one_loop() -> None:
    found = tiled([*LAYER, *MIDDLE, *BACK])
    assert found.count("for (int i = 0; i < 16; i += 8) {") == 1
    assert "r0 = FMA(p[(0 + 0) + 8 * k], c, r0);" in found
    assert found.index("const V v1 = x[0] * x[1];") < found.index("b2[(0 + 0)] = r0;")


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("b1[i0] = SIGMOID(b0[i0]);", "b1[i0] = SIGMOID(b0[15 + -1 * i0]);"),
        ("b1[i0] = SIGMOID(b0[i0]);", "b3[i0] = SIGMOID(b0[i0]);"),
        ("const V v1 = x[0] * x[1];", "g[0] = x[0] * x[1];"),
        ("s0 = FMA(p[(i + 0) + 8 * k], c, s0);", "s0 = FMA(v1, c, s0);"),
        ("V b2[8];", "const V v2 = b0[3] * b0[4];"),
        ("const V c = s[k];", "const V c = b1[8 * k];"),
        ("for (int k = 0; k < 16; k++) {", "for (int k = 0; k < 15; k++) {"),
    ],
    ids=[
        "another row",
        "another source",
        "elsewhere",
        "a later number",
        "before",
        "a later row",
        "other rows",
    ],
)
def test_what_has_to_wait_keeps_its_place(line: str, other: str) -> None:
    lines = [other if it == line else it for it in (*LAYER, *MIDDLE, *BACK)]
    assert lines.count(other) == 1
    assert tiled(lines) == lines


def test_a_readout_of_many_symbols_is_read_once_a_step() -> None:
    problem = Problem(Elman(hidden=8), tasks.NoiseFreeLag(delay=100))
    source = native(problem, Descent(BPTT(), SGD(0.1)), torch.float32).program.source
    assert "for (int i = 0; i < 96; i += 8) {" in source


@pytest.mark.parametrize(
    ("line", "first", "last", "reads"),
    [
        ("const V v1 = carry[7];", 8, 20, False),
        ("const V v1 = carry[8];", 8, 20, True),
        ("for (int i0 = 0; i0 < 8; i0++) b1[i0] = carry[i0];", 8, 20, False),
        ("for (int i0 = 0; i0 < 9; i0++) b1[i0] = carry[i0];", 8, 20, True),
        ("for (int i = 5; i < 9; i += 1) b1[i] = carry[i];", 8, 20, True),
        ("for (int i0 = i; i0 < i + 4; i0++) b1[i0] = carry[i0];", 8, 20, True),
        ("for (int i0 = 0; i0 < 3; i0++) b1[i0] = carry[30 + -5 * i0];", 8, 21, True),
        ("for (int i0 = 0; i0 < 3; i0++) b1[i0] = carry[30 + 5 * i0];", 8, 21, False),
        ("outer(carry + 30, 1);", 8, 20, True),
    ],
)
def test_what_a_line_may_read(line: str, first: int, last: int, reads: bool) -> None:
    lines = ["for (int i0 = 0; i0 < 2; i0++) b0[i0] = p[i0];", line]
    assert may_read(lines, "carry", first, last) is reads
