"""The threshold unit's wish for a change: its rule, its mean, and that a loop keeps its size."""

import pytest
import torch
from torch import Tensor
from torch.func import vjp

from farback.cells import LatchingNeuron, ThresholdLatch, ThresholdNet
from farback.cells._cell import Cell
from farback.cells._threshold import threshold
from farback.errors import WrongUsage
from farback.types import Params

GRID = (torch.arange(1 << 12, dtype=torch.float64) + 0.5) / (1 << 12)
"""Dice that stand for all: what they average is the integral, for wishes on the grid."""


def numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def passed(x: Tensor, dice: Tensor, wish: float, margin: float = 0.25) -> Tensor:
    """-dC/dx where -dC/dy is the wish."""
    back = vjp(lambda x: threshold(x, dice, margin, (-2.0, 2.0)), x)[1]
    return -back(torch.full_like(x, -wish))[0]


def chosen(dice: Tensor, wish: float) -> Tensor:
    """S for each die, as two units on either side of 0 show it."""
    low, high = (torch.full_like(dice, it) for it in (-1.5, 1.5))
    return (
        2 * (passed(low, dice, wish) != 0).double() - 2 * (passed(high, dice, wish) != 0).double()
    )


def test_the_sign_of_zero_is_plus() -> None:
    found = threshold(numbers(-1e-300, 0.0, 3.0), numbers(0.5, 0.5, 0.5), 0.1, (-2.0, 2.0))
    assert found.tolist() == [-1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("x", "wish", "change"),
    [
        (-1.5, 2, 1.5),
        (1.5, 2, 0),
        (1.5, -2, -1.75),
        (-1.5, -2, 0),
        (0, -2, -0.25),
        (1.5, -9, -1.75),
    ],
)
def test_a_certain_wish_asks_for_the_change_that_fulfils_it(
    x: float, wish: float, change: float
) -> None:
    assert passed(torch.full_like(GRID, x), GRID, wish).unique().tolist() == [change]
    after = threshold(numbers(x + change), numbers(0.5), 0.25, (-2.0, 2.0))
    assert after.item() == (1 if wish > 0 else -1)


@pytest.mark.parametrize("wish", [-2.0, -1.25, -0.5, 0.0625, 0.75, 2.0])
def test_the_discrete_wish_has_the_real_one_for_its_mean(wish: float) -> None:
    found = chosen(GRID, wish)
    assert set(found.tolist()) <= {-2.0, 2.0}
    assert found.mean().item() == wish


def test_the_discrete_wish_has_the_real_one_for_its_mean_over_drawn_dice() -> None:
    dice = torch.rand(200_000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for wish in (-1.3, 0.4):
        found = chosen(dice, wish)
        assert abs(found.mean().item() - wish) < 4 * found.std().item() / len(dice) ** 0.5


def test_where_nothing_is_wished_nothing_is_asked() -> None:
    assert not passed(torch.linspace(-2, 2, len(GRID), dtype=torch.float64), GRID, 0.0).any()


def reached(cell: Cell, params: Params, steps: int, error: float) -> float:
    """The error at the first state of a latch that is silent after its first input."""
    states = [cell.start(params)]
    xs = [numbers(float(t == 0), 0.0, *[0.5] * cell.dice) for t in range(steps)]
    for x in xs:
        states.append(cell.step(params, states[-1], x))
    adjoint = numbers(error)
    for state, x in zip(reversed(states[1:-1]), reversed(xs[1:]), strict=True):
        adjoint = vjp(lambda s, x=x: cell.step(params, s, x), state)[1](adjoint)[0]
    return adjoint.item()


@pytest.mark.parametrize("steps", [2, 10, 100, 1000])
def test_a_wish_goes_around_the_loop_undiminished(steps: int) -> None:
    params = {"h": numbers(1.0), "w": numbers(1.5)}
    # w (w + lam) >= MAX, so that the wish is certain at every step.
    for dice_cell in (ThresholdLatch(), ThresholdLatch(margin=0.5)):
        expected = 1.5 * (1.5 + dice_cell.margin)
        assert reached(dice_cell, params, steps, 2.0) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("w", [1.25, 1.4, 1.5])
def test_a_wish_around_the_loop_keeps_its_size_or_is_lost_by_chance(w: float) -> None:
    lam = ThresholdLatch().margin
    for y, wish in ((-1.0, w * w), (1.0, -w * (w + lam))):
        found = passed(torch.full_like(GRID, w * y), GRID, wish, lam)
        kept = (found != 0).double().mean().item()
        assert kept == pytest.approx(min((2 + abs(wish)) / 4, 1), abs=1 / len(GRID))
        assert w * found[found != 0].unique().item() == pytest.approx(wish, rel=1e-12)


def test_an_error_around_the_loop_of_a_tanh_latch_decays() -> None:
    params = {"h": numbers(1.0), "w": numbers(1.5)}
    far = [abs(reached(LatchingNeuron(), params, steps, 2.0)) for steps in (10, 100)]
    assert far[0] < 0.05 and far[1] < 1e-20


def test_a_net_draws_for_the_outputs_that_it_knows_of() -> None:
    with pytest.raises(WrongUsage, match="try outputs=2"):
        ThresholdNet().parameters(torch.Generator(), 1, 2)


@pytest.mark.parametrize("bad", [{"margin": 0.0}, {"limits": (0.0, 2.0)}, {"limits": (2.0, -2.0)}])
def test_a_rule_that_asks_for_nothing_is_refused(bad: dict[str, object]) -> None:
    for kind in (ThresholdLatch, ThresholdNet):
        with pytest.raises(WrongUsage, match="expected"):
            kind(**bad)
