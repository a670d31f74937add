"""A plane through the states of a map: two directions through a point, and a grid on it.

    (1)  s = origin + u e_1 + v e_2,   e_1 and e_2 of length one

With two numbers in the state the plane is all of it. With more it goes through the two attractors
that are furthest apart and the saddle (or third attractor) that is furthest from their line;
without them it is that of the first principal components of the batch's states.

Axes: X and Y of the grid, M points, N state.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage
from ._autonomous import visited
from ._survey import Survey

_MARGIN = 0.35


@dataclass(frozen=True)
class Section:
    """(1), from x[0] to x[-1] and from y[0] to y[-1]; `about` says in words which plane it is."""

    origin: Float[Tensor, " N"]
    axes: Float[Tensor, "2 N"]
    x: Float[Tensor, " X"]
    y: Float[Tensor, " Y"]
    labels: tuple[str, str]
    about: str

    def grid(self) -> Float[Tensor, "M N"]:
        """Every point, row by row: M = Y X."""
        u, v = self.x.repeat(len(self.y)), self.y.repeat_interleave(len(self.x))
        return self.origin + torch.stack([u, v], 1) @ self.axes

    def within(self, states: Float[Tensor, "M N"]) -> Float[Tensor, "M 2"]:
        """The coordinates of each state's projection."""
        return (states - self.origin) @ self.axes.T


def by_coordinates(found: Survey, pair: tuple[int, int], resolution: int) -> Section:
    """The plane of two of the state's numbers through the mean state of the batch.

    Raises:
        WrongUsage: there are no such two numbers.
    """
    size = found.here.size
    if len(set(pair)) < 2 or not all(0 <= n < size for n in pair):
        raise WrongUsage(
            f"Basins(coordinates=...) came as {pair}, and two different places in a state of "
            f"{size} were expected; try (0, {size - 1})."
        )
    axes = torch.eye(size).to(found.here.motion.states)[list(pair)]
    origin = torch.zeros(size).to(axes)
    if size > 2:
        origin = visited(found.here.motion).mean(0) * (1 - axes.sum(0))
    labels = tuple(_named(found, n) for n in pair)
    about = "the state plane" if size == 2 else f"{' and '.join(labels)} through the mean state"
    return _framed(found, origin, axes, (labels[0], labels[1]), about, resolution)


def by_survey(found: Survey, resolution: int) -> Section:
    """The default plane."""
    states = torch.cat([it.points[:1] for it in found.attractors] or [visited(found.here.motion)])
    if found.here.size == 2:
        return by_coordinates(found, (0, 1), resolution)
    if len(found.attractors) < 2:
        every = visited(found.here.motion)
        origin = every.mean(0)
        axes = torch.linalg.svd(every - origin, full_matrices=False)[2][:2]
        names = ("first principal component", "second principal component")
        return _framed(
            found, origin, axes, names, "the batch's first principal components", resolution
        )
    apart = torch.cdist(states, states)
    first, second = divmod(int(apart.argmax()), len(states))
    origin, along = states[first], states[second] - states[first]
    along = along / along.norm()
    rest = [it.state[None] for it in found.saddles]
    others = torch.cat([*rest, states, visited(found.here.motion)]) - origin
    across = others - (others @ along)[:, None] * along
    chosen = across[: len(rest) + len(states)].norm(dim=1)
    if float(chosen.max()) < 1e-6 * float(apart.max()):  # all on one line
        chosen = across.norm(dim=1)
    second_axis = across[int(chosen.argmax())]
    if float(second_axis.norm()) < 1e-9:
        second_axis = torch.linalg.svd(along[None])[2][1]
    axes = torch.stack([along, second_axis / second_axis.norm()])
    names = ("along two attractors", "across them")
    about = "the plane through the two attractors furthest apart and what lies furthest across"
    return _framed(found, origin, axes, names, about, resolution)


def _framed(
    found: Survey,
    origin: Tensor,
    axes: Tensor,
    labels: tuple[str, str],
    about: str,
    resolution: int,
) -> Section:
    """With a margin around all that is to be seen."""
    seen = [visited(found.here.motion), *(it.points for it in found.attractors)]
    seen += [it.state[None] for it in found.others]
    places = (torch.cat(seen) - origin) @ axes.T
    low, high = places.amin(0), places.amax(0)
    margin = _MARGIN * (high - low).max().clamp(min=0.5)
    low, high = (low - margin).tolist(), (high + margin).tolist()
    like = {"dtype": origin.dtype, "device": origin.device}
    x, y = (torch.linspace(low[n], high[n], resolution, **like) for n in range(2))
    return Section(origin, axes, x, y, labels, about)


def _named(found: Survey, place: int) -> str:
    for name, where in found.here.motion.blocks.items():
        if where.start <= place < where.stop:
            return f"{name}[{place - where.start}]"
    return f"state[{place}]"
