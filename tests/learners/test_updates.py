"""Every update keeps the contract; the ones that torch has as well agree with torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from farback._catalogue import member, names
from farback.errors import WrongUsage
from farback.learners.updates._update import Memory, Step, Update
from farback.learners.updates.adam import Adam
from farback.learners.updates.chain import Chain
from farback.learners.updates.clip import Clip
from farback.learners.updates.momentum import Momentum
from farback.learners.updates.sgd import SGD
from farback.testing import check_update
from farback.types import Params

MADE = {"chain": lambda: Chain((Clip(1.0), Momentum(), Adam(lr=0.01)))}
"""Members that cannot be made without a choice."""


def gradients(count: int, scale: float = 1.0) -> list[Params]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"weights": (3, 2), "bias": (2,)}

    def one() -> Params:
        return {
            name: scale * torch.randn(it, generator=generator, dtype=torch.float64)
            for name, it in shapes.items()
        }

    return [one() for _ in range(count)]


def descended(update: Update, given: list[Params]) -> list[Params]:
    """Where the parameters were after each gradient, from zeros on."""
    params = {name: torch.zeros_like(value) for name, value in given[0].items()}
    memory, met = update.init(params), []
    for gradient in given:
        step, memory = update(gradient, memory, params)
        params = {name: value - step[name] for name, value in params.items()}
        met.append(params)
    return met


def descended_by_torch(
    optimizer: Callable[[list[torch.Tensor]], torch.optim.Optimizer], given: list[Params]
) -> list[Params]:
    params = {name: torch.zeros_like(value) for name, value in given[0].items()}
    descend, met = optimizer(list(params.values())), []
    for gradient in given:
        for name, value in params.items():
            value.grad = gradient[name].clone()
        descend.step()
        met.append({name: value.clone() for name, value in params.items()})
    return met


@pytest.mark.parametrize("name", names("updates"))
def test_an_update_keeps_the_contract(name: str) -> None:
    check_update(MADE.get(name, member("updates", name))())


def test_clip_by_the_mean_keeps_the_contract() -> None:
    check_update(Clip(0.5, of_mean=True))


@pytest.mark.parametrize(
    ("update", "optimizer"),
    [
        (SGD(lr=0.3), lambda it: torch.optim.SGD(it, lr=0.3)),
        (Momentum(lr=0.3, momentum=0.8), lambda it: torch.optim.SGD(it, lr=0.3, momentum=0.8)),
        (
            Adam(lr=0.02, beta1=0.8, beta2=0.99, epsilon=1e-6),
            lambda it: torch.optim.Adam(it, lr=0.02, betas=(0.8, 0.99), eps=1e-6),
        ),
    ],
    ids=["sgd", "momentum", "adam"],
)
def test_an_update_equals_torch(update: Update, optimizer: Any) -> None:
    given = gradients(6)
    for mine, theirs in zip(
        descended(update, given), descended_by_torch(optimizer, given), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_clip_equals_torch(scale: float) -> None:
    (gradient,) = gradients(1, scale)
    clipped = Clip(0.7)(gradient, {}, gradient).step
    theirs = [torch.zeros_like(value) for value in gradient.values()]
    for into, value in zip(theirs, gradient.values(), strict=True):
        into.grad = value.clone()
    torch.nn.utils.clip_grad_norm_(theirs, 0.7)
    for mine, into in zip(clipped.values(), theirs, strict=True):
        assert into.grad is not None
        # torch adds 1e-6 to the norm that it divides by.
        torch.testing.assert_close(mine, into.grad, rtol=2e-6, atol=0)


def test_a_clipped_gradient_has_the_norm_and_the_direction() -> None:
    (gradient,) = gradients(1, 50.0)
    clipped = Clip(0.5)(gradient, {}, gradient).step
    before, after = (
        torch.cat([it.flatten() for it in tree.values()]) for tree in (gradient, clipped)
    )
    torch.testing.assert_close(after, before * 0.5 / before.norm(), rtol=1e-14, atol=0)


def test_a_short_gradient_is_not_clipped_at_all() -> None:
    (gradient,) = gradients(1, 1e-3)
    clipped = Clip(0.5)(gradient, {}, gradient).step
    assert all(torch.equal(clipped[name], value) for name, value in gradient.items())


@pytest.mark.parametrize("largest", [1e30, 1e-40, 0.0])
def test_clip_neither_overflows_nor_divides_by_zero(largest: float) -> None:
    gradient = {"w": torch.tensor([largest, -largest / 2, 0.0])}
    clipped = Clip(1.0)(gradient, {}, gradient).step["w"]
    expected = torch.tensor([2.0, -1.0, 0.0]) / 5**0.5 if largest > 1 else gradient["w"]
    torch.testing.assert_close(clipped, expected)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_clip_does_not_hide_a_gradient_that_is_not_finite(broken: float) -> None:
    gradient, before = {"w": torch.tensor([1.0, broken])}, {"w": torch.ones(2)}
    assert not Clip(1.0)(gradient, {}, gradient).step["w"].isfinite().all()
    for given in ([gradient], [before, gradient]):
        assert not clipped(Clip(1.0, of_mean=True), given)[-1]["w"].isfinite().all()


def clipped(update: Clip, given: list[Params]) -> list[Params]:
    """What comes of each gradient, one after the other."""
    memory, met = update.init(given[0]), []
    for gradient in given:
        step, memory = update(gradient, memory, gradient)
        met.append(step)
    return met


@pytest.mark.parametrize("times", [0.5, 1.0, 10.0])
def test_clip_by_the_mean_cuts_at_a_multiple_of_the_mean_norm_of_all_before(times: float) -> None:
    scales = torch.logspace(-1, 2, 12)[
        torch.randperm(12, generator=torch.Generator().manual_seed(1))
    ]
    given = [
        {name: float(scale) * value for name, value in it.items()}
        for scale, it in zip(scales, gradients(12), strict=True)
    ]
    norms = [float(torch.cat([it.flatten() for it in tree.values()]).norm()) for tree in given]
    found, cut = clipped(Clip(times, of_mean=True), given), 0
    for t, (mine, gradient) in enumerate(zip(found, given, strict=True)):
        threshold = times * sum(norms[:t]) / t if t else float("inf")
        expected = Clip(threshold)(gradient, {}, gradient).step
        torch.testing.assert_close(mine, expected, rtol=1e-12, atol=0)
        cut += norms[t] > threshold
    assert 0 < cut < 12


def test_before_any_gradient_other_than_zero_clip_by_the_mean_cuts_nothing() -> None:
    zero, one = {"w": torch.zeros(2)}, {"w": torch.tensor([3.0, 4.0])}
    found = clipped(Clip(0.5, of_mean=True), [zero, zero, one, one])
    assert [it["w"].tolist() for it in found[:3]] == [[0, 0], [0, 0], [3, 4]]
    # The mean of 0, 0 and 5, halved.
    torch.testing.assert_close(found[3]["w"], one["w"] / 5 * 0.5 * 5 / 3)


def test_the_mean_norm_stays_a_number_where_a_norm_is_none() -> None:
    huge = {"w": torch.full((4,), 3e38)}
    update = Clip(1.0, of_mean=True)
    _, memory = update(huge, update.init(huge), huge)
    assert memory["norms"]["mean"].isfinite()


def test_a_chain_hands_each_step_on_as_the_next_gradient() -> None:
    given = gradients(4, 10.0)
    clipped = [Clip(1.0)(it, {}, it).step for it in given]
    chained = descended(Chain((Clip(1.0), Momentum(0.01))), given)
    torch.testing.assert_close(chained, descended(Momentum(0.01), clipped), rtol=0, atol=0)


def test_a_chain_of_chains_is_the_chain_of_their_links() -> None:
    given = gradients(4)
    nested = Chain((Chain((Momentum(), Adam())), Momentum()))
    flat = Chain((Momentum(), Adam(), Momentum()))
    torch.testing.assert_close(descended(nested, given), descended(flat, given), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Chain(()), "links"),
        (lambda: Chain((0.1,)), "links"),  # type: ignore
        (lambda: Clip(0.0), "norm"),
        (lambda: Clip(float("nan")), "norm"),
        (lambda: Momentum(momentum=1.0), "momentum"),
        (lambda: Adam(beta2=1.5), "beta2"),
    ],
)
def test_a_wrong_argument_is_refused_by_its_name(make: Callable[[], Update], word: str) -> None:
    with pytest.raises(WrongUsage, match=word):
        make()


@dataclass(frozen=True)
class Uphill(Update):
    def init(self, params: Params) -> Memory:
        return {}

    def __call__(self, gradient: Params, memory: Memory, params: Params) -> Step:
        return Step({name: -value for name, value in gradient.items()}, memory)


@dataclass(frozen=True)
class InPlace(Update):
    def init(self, params: Params) -> Memory:
        return {}

    def __call__(self, gradient: Params, memory: Memory, params: Params) -> Step:
        return Step({name: value.mul_(0.5) for name, value in gradient.items()}, memory)


@dataclass(frozen=True)
class Looking(Update):
    def init(self, params: Params) -> Memory:
        return {}

    def __call__(self, gradient: Params, memory: Memory, params: Params) -> Step:
        rate = 1.0 / float(gradient["bias"].abs().max())
        return Step({name: rate * value for name, value in gradient.items()}, memory)


@dataclass(frozen=True)
class Narrow(Update):
    def init(self, params: Params) -> Memory:
        return {}

    def __call__(self, gradient: Params, memory: Memory, params: Params) -> Step:
        return Step({name: value.float() for name, value in gradient.items()}, memory)


@dataclass(frozen=True)
class Growing(Update):
    def init(self, params: Params) -> Memory:
        return {}

    def __call__(self, gradient: Params, memory: Memory, params: Params) -> Step:
        return Step(gradient, {**memory, str(len(memory)): gradient})


@pytest.mark.parametrize(
    ("update", "sentence"),
    [
        (Uphill(), "goes downhill"),
        (InPlace(), "writes into its arguments"),
        (Looking(), "it can be traced"),
        (Narrow(), "float32"),
        (Growing(), "its memory has"),
    ],
    ids=lambda it: type(it).__name__ if isinstance(it, Update) else "",
)
def test_the_battery_sees_what_is_wrong(update: Update, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_update(update)
