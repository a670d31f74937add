"""A part of a trial says all that it is, in values of the kinds that its class asks for."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Tuple  # noqa: UP035

import numpy as np
import pytest
import torch

from farback import cells, learners, tasks
from farback.cells import squashings
from farback.errors import WrongUsage
from farback.learners import gradients, updates
from farback.testing._learned_start import LearnedStart
from farback.trials import Study
from farback.trials._configuration import check_configuration

BPTT, SGD = gradients.BPTT(), updates.SGD(lr=0.5)


@dataclass(frozen=True)
class Untold(LearnedStart):
    secret: float = field(default=1.0, repr=False)


@dataclass(frozen=True)
class Taps(LearnedStart):
    taps: object = torch.ones(3)


@dataclass(frozen=True)
class Unsaid(LearnedStart):
    what: Any = None


class Plain(LearnedStart):
    def __init__(self, secret: float) -> None:
        super().__init__()
        object.__setattr__(self, "secret", secret)


@dataclass(frozen=True, slots=True)
class Slotted(LearnedStart):
    """What a dataclass with slots is made anew for, and calls its parents by `super()`."""

    extra: float = 1

    def __post_init__(self) -> None:
        super().__post_init__()

    def twice(self) -> str:
        return 2 * super().__repr__()


def test_a_part_may_have_slots() -> None:
    part = Slotted(extra=2)
    assert (part.extra, repr(part)) == (2.0, "Slotted(units=3, extra=2.0)")
    assert part.twice() == 2 * "Slotted(units=3)"
    check_configuration(part)
    with pytest.raises(WrongUsage, match="extra came as 'x' for Slotted"):
        Slotted(extra="x")  # type: ignore


@pytest.mark.parametrize(
    "part",
    [
        cells.LSTM1997(blocks=1, input_bias=(-1.0,)),
        tasks.EmbeddedReber(),
        learners.Construction(learners.Descent(BPTT, updates.Chain((updates.Clip(), SGD)))),
        cells.Elman(width=1),
        Unsaid(what=0.5),
        Unsaid(what=(0.5, None, "x")),
    ],
)
def test_a_part_of_the_kinds_that_its_class_asks_for_will_do(part: object) -> None:
    check_configuration(part)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (lambda: cells.Elman(hidden=2.5), "hidden came as 2.5 for Elman, expected int"),  # type: ignore
        (lambda: cells.Elman(squashing=squashings.Tanh), "expected Squashing"),  # type: ignore
        (lambda: learners.Descent(SGD, BPTT), "gradient came as SGD"),  # type: ignore
        (lambda: learners.Descent(BPTT, updates.SGD(lr=True)), "lr came as True"),  # type: ignore
        (lambda: updates.Chain([SGD]), "links came as"),  # type: ignore
        (Untold, "Untold has secret, which its repr does not tell"),
        (lambda: Plain(2.0), "Plain has secret, which its repr does not tell"),
        (Taps, "taps came as Tensor for Taps"),
        (
            lambda: Taps(taps=(torch.tensor(0.1),)),
            "taps came as Tensor for Taps",
        ),  # a repr rounds it
        (lambda: Taps(taps=[1.0]), "taps came as list for Taps"),
        (lambda: Taps(taps=object), "taps came as type for Taps"),
    ],
)
def test_a_part_that_is_no_configuration_is_told(part: Any, said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        check_configuration(part())


def test_equal_parts_are_written_alike() -> None:
    one, other = updates.SGD(lr=1), updates.SGD(lr=np.float64(1))
    assert repr(one) == repr(other) == "SGD(lr=1.0)"
    assert repr(cells.Elman(hidden=np.int64(3))) == repr(cells.Elman(hidden=3))
    lstm = cells.LSTM1997(blocks=2, input_bias=(-1, np.float32(-2)))
    assert lstm.input_bias == (-1.0, -2.0) and {type(it) for it in lstm.input_bias} == {float}


@dataclass(frozen=True)
class Wide(LearnedStart):
    pair: Tuple = ()  # type: ignore  # noqa: UP006
    text: Literal["a", "b"] = "a"
    number: complex = 1j
    clip: float = None  # type: ignore  # an implicit Optional
    bias: tuple[float, ...] = ()
    total: float = field(init=False, default=0.0)


class Pair(NamedTuple):
    x: float
    y: float


@dataclass(frozen=True)
class Unions(LearnedStart):
    share: float | int = 1.0
    pair: tuple[float, float] = (1.0, 2.0)


@pytest.mark.parametrize("value", [3, 3.0, 2**53 + 1])
def test_a_number_of_a_union_keeps_its_type(value: float) -> None:
    kept = Unions(share=value).share
    assert (kept, type(kept)) == (value, type(value))


def test_a_named_tuple_stays_one() -> None:
    assert type(Unions(pair=Pair(1.0, 2.0)).pair) is Pair


def test_a_whole_number_that_no_float_holds_is_told() -> None:
    with pytest.raises(WrongUsage, match="lr came as 9007199254740993 for SGD, expected float"):
        updates.SGD(lr=2**53 + 1)


@pytest.mark.parametrize("given", [{"pair": (1, 2)}, {"number": 1}, {"bias": (1, np.float32(2))}])
def test_what_fits_is_taken(given: dict[str, Any]) -> None:
    Wide(clip=1.0, **given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": np.ones(2)}, r"text came as array.* expected Literal\['a', 'b'\]; try text='a'"),
        ({}, "clip came as None for Wide, expected float; give one of that kind"),
        ({"clip": 10**400}, "clip came as 1000"),
        ({"clip": 1.0, "bias": [1, 2]}, r"bias came as \[1, 2\] .* try bias=\(1, 2\)"),
    ],
)
def test_what_does_not_fit_is_told_with_what_would(given: dict[str, Any], said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        Wide(**given)


@pytest.mark.parametrize("update", [updates.SGD, updates.Momentum, updates.Adam])
@pytest.mark.parametrize("lr", [-0.1, float("nan")])
def test_a_learning_rate_that_is_negative_or_no_number_is_told(update: Any, lr: float) -> None:
    with pytest.raises(WrongUsage, match="lr came as"):
        update(lr=lr)


@pytest.mark.parametrize(
    ("cell", "learner", "named"),
    [
        (cells.Elman(), learners.Annealing(bound=1e300), "bound came as 1e\\+300 for Annealing"),
        (cells.Elman(), learners.Annealing(epsilon=math.nan), "epsilon came as nan"),
        (cells.Elman(width=math.nan), learners.Guessing(), "width came as nan for Elman"),
        (
            cells.ThresholdNet(limits=(-1e300, 1.0)),
            learners.Descent(gradients.DiscreteError(), updates.SGD()),
            "limits came as -1e\\+300",
        ),
        (
            cells.Elman(squashing=squashings.Logistic(high=1e39)),
            learners.Descent(BPTT, SGD),
            "high came as 1e\\+39 for Logistic",
        ),
    ],
    ids=repr,
)
def test_a_number_that_the_arithmetic_has_no_room_for_is_refused(
    cell: cells.Cell, learner: learners.Learner, named: str
) -> None:
    with pytest.raises(WrongUsage, match=named):
        Study(cell, tasks.Parity(), learner, sequences=100)


def test_what_float32_has_no_room_for_float64_may_have() -> None:
    Study(
        cells.Elman(),
        tasks.Parity(),
        learners.Multigrid(width=1e300),
        sequences=100,
        dtype="float64",
    )
