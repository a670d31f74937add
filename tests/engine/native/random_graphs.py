"""Random functions of tensors: views, products, sums and matrices, of many sizes, used often."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

SHAPES = (1,), (3,), (13,), (70,), (4, 3), (1, 5), (7, 1), (9, 10), (2, 3, 4)
MOST = 150
"""Numbers of a tensor."""

Step = Callable[[list[Tensor]], Tensor]


def constants(rng: random.Random, shape: tuple[int, ...]) -> Tensor:
    """Mostly zeros and ones, which are left out where they do nothing."""
    numbers = rng.choice([(0.0, 1.0), (0.0, 0.0, 1.0, -1.0, 0.5), (1.0,), (0.0,), (2.0, -0.3)])
    size = int(torch.Size(shape).numel())
    drawn = [rng.choice(numbers) for _ in range(size)]
    return torch.tensor(drawn, dtype=torch.float64).reshape(shape)


class Drawn:
    """A function made of random steps, each a choice of operation and operands.

    Args:
        seed: decides everything.
        steps: how many.
    """

    def __init__(self, seed: int, steps: int = 10) -> None:
        self._rng = rng = random.Random(seed)
        self.shapes = [rng.choice(SHAPES) for _ in range(rng.randint(1, 3))]
        self._steps: list[Step] = []
        values = self.given(0)
        while len(self._steps) < steps:
            step = self._drawn(values)
            if step is None:
                continue
            made = step(values)
            if 0 < made.numel() <= MOST and made.ndim <= 3:
                self._steps.append(step)
                values.append(made)

    def given(self, seed: int) -> list[Tensor]:
        """Arguments."""
        generator = torch.Generator().manual_seed(seed)
        return [torch.randn(it, generator=generator, dtype=torch.float64) for it in self.shapes]

    def __call__(self, *given: Tensor) -> list[Tensor]:
        values = list(given)
        for step in self._steps:
            values.append(step(values))
        return values[len(given) + len(self._steps) // 2 :]

    def _drawn(self, values: list[Tensor]) -> Step | None:
        draw = self._rng.choice([_one, _one, _two, _two, _two, _viewed, _viewed, *_ONCE])
        return draw(self._rng, values)


def _place(rng: random.Random, values: list[Tensor]) -> int:
    """The newer, the likelier."""
    return max(rng.randrange(len(values)) for _ in range(2))


def _one(rng: random.Random, values: list[Tensor]) -> Step:
    at = _place(rng, values)
    function: Any = rng.choice(
        [
            torch.tanh,
            torch.sigmoid,
            lambda x: -x,
            lambda x: 1 - x,
            lambda x: x * x,
            lambda x: x * 0.5 + 1,
            torch.relu,
            lambda x: x.clamp(-1, 0.5),
            lambda x: torch.exp(-x * x),
            lambda x: (x > 0.2) * x,
            lambda x: torch.where(x > 0, x, 0.0),
            lambda x: torch.softmax(x, -1) if x.ndim else x,
            lambda x: x.detach(),
        ]
    )
    return lambda values: function(values[at])


def _two(rng: random.Random, values: list[Tensor]) -> Step | None:
    first, second = _place(rng, values), _place(rng, values)
    try:
        shape = torch.broadcast_shapes(values[first].shape, values[second].shape)
    except RuntimeError:
        return None
    if rng.random() < 0.25:
        constant = constants(rng, tuple(rng.choice([shape, values[first].shape])))
        return _joined(rng, lambda values: values[first], lambda values: constant)
    return _joined(rng, lambda values: values[first], lambda values: values[second])


def _joined(rng: random.Random, one: Step, other: Step) -> Step:
    function: Any = rng.choice(
        [
            *[torch.add, torch.sub, torch.mul, torch.mul, torch.maximum],
            lambda x, y: x / (1 + y * y),
            lambda x, y: torch.where(x > y, x * y, y),
            lambda x, y: x * y - y * y,
            lambda x, y: torch.add(x, y, alpha=-2),
        ]
    )
    return lambda values: function(one(values), other(values))


def _viewed(rng: random.Random, values: list[Tensor]) -> Step:
    at = _place(rng, values)
    x = values[at]
    axis = rng.randrange(-x.ndim, x.ndim) if x.ndim else 0
    size = x.shape[axis] if x.ndim else 1
    first, step = rng.randrange(size), rng.choice([1, 1, 1, 2, 3])
    end = rng.randint(first + 1, size)
    end_axis = rng.choice([0, -1])
    views: list[Any] = [
        lambda x: x.reshape(-1),
        lambda x: x.flatten().unsqueeze(end_axis),
        lambda x: x.movedim(0, -1) if x.ndim else x,
        lambda x: x.flip(axis) if x.ndim else x,
        lambda x: _cut(x, axis, slice(first, end, step)),
        lambda x: _cut(x, axis, slice(first, end, step)),
        lambda x: x.select(axis, first) if x.ndim else x,
        lambda x: _rolled(x, axis, first),
        lambda x: x.unsqueeze(0).expand(3, *x.shape),
    ]
    function = rng.choice(views)
    return lambda values: function(values[at])


def _cut(x: Tensor, axis: int, places: slice) -> Tensor:
    if not x.ndim:
        return x
    return x[(slice(None),) * (axis % x.ndim) + (places,)]


def _rolled(x: Tensor, axis: int, first: int) -> Tensor:
    parts = [_cut(x, axis, slice(first, None)), _cut(x, axis, slice(first))]
    return torch.cat(parts, axis) if x.ndim else x


def _reduced(rng: random.Random, values: list[Tensor]) -> Step | None:
    at = _place(rng, values)
    if not values[at].ndim:
        return None
    axis, keep = rng.randrange(-values[at].ndim, values[at].ndim), rng.random() < 0.5
    function: Any = rng.choice([torch.sum, torch.sum, torch.amax])
    return lambda values: function(values[at], dim=(axis,), keepdim=keep)


def _multiplied(rng: random.Random, values: list[Tensor]) -> Step | None:
    matrices = [place for place, it in enumerate(values) if it.ndim == 2]
    if not matrices:
        return None
    at, turned = rng.choice(matrices), rng.random() < 0.5
    matrix = values[at].T if turned else values[at]
    fits = [p for p, it in enumerate(values) if it.ndim in (1, 2) and len(it) == matrix.shape[1]]
    if not fits:
        return lambda values: values[at] @ values[at].T
    other = rng.choice(fits)
    return lambda values: (values[at].T if turned else values[at]) @ values[other]


def _together(rng: random.Random, values: list[Tensor]) -> Step | None:
    """A tensor, a constant, a product and another one, one behind the other."""
    at = _place(rng, values)
    x = values[at]
    alike = [place for place, it in enumerate(values) if it.shape == x.shape]
    if not x.ndim:
        return None
    other, axis = rng.choice(alike), rng.randrange(x.ndim)
    constant = constants(rng, tuple(x.shape))
    parts: list[Step] = [
        lambda values: values[at],
        lambda values: constant,
        lambda values: values[at] * values[other],
        lambda values: values[other],
    ]
    kept = rng.sample(parts, rng.randint(2, 3))
    return lambda values: torch.cat([it(values) for it in kept], axis)


def _replaced(rng: random.Random, values: list[Tensor]) -> Step | None:
    """A copy of a tensor with some of its rows changed."""
    at = _place(rng, values)
    if not values[at].ndim:
        return None
    row, source = rng.randrange(len(values[at])), rng.randrange(len(values[at]))
    return lambda values: torch.select_scatter(values[at], values[at][source] * 2, 0, row)


_ONCE = _reduced, _multiplied, _together, _replaced
