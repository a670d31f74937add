"""The loss, its gradient and its curvature along directions through the parameters.

    (1)  E(theta + s d),   g(s) = dE/dtheta there,   H d = (d/ds) g
    (2)  H d = (g(+e) - g(-e)) / 2e   where the subject has no second derivative
    (3)  T = Q^T H Q over the Krylov space d, H d, H^2 d, ...;   its largest eigenvalue in modulus
         and H's vector Q y: the sharpest curvature found

A direction is one tensor for each parameter; norms and products run over all of them together.

Axes: S places on a line, X, Y those of a plane.

Reference: Pearlmutter 1994 (products with H); Lanczos 1950 (Krylov spaces).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from ..flow.landscape import Landscape

Direction = tuple[Tensor, ...]

TWICE, DIFFERENCES = "double backward", "finite differences of the gradient"
"""How products with H are had."""

_GRAPHS = 12
"""A graph to differentiate twice holds about so many times a forward's (measured on an LSTM)."""

_MOST_BYTES = 2**31
"""Beyond which the gradient is rather taken twice."""

_RESOLVED = 0.1
"""A jump is resolved where this share of it is left in the smallest interval."""

_ALIKE = 1e-3
"""How far H d may be from (2), as a share of it, to be taken for the same."""


def dot(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """The inner product over all parameters, in float64."""
    return sum(float((a.double() * b.double()).sum()) for a, b in zip(one, other, strict=True))


def length(direction: Sequence[Tensor]) -> float:
    """The norm over all parameters."""
    return math.sqrt(dot(direction, direction))


def along(start: Direction, *steps: tuple[float, Direction]) -> Direction:
    """Start + sum of s d."""
    found = start
    for size, direction in steps:
        found = tuple(a + size * b for a, b in zip(found, direction, strict=True))
    return found


def unit(direction: Direction) -> Direction:
    """The direction with norm one."""
    size = length(direction)
    return tuple(part / size for part in direction)


def without(direction: Direction, *others: Direction) -> Direction:
    """What is orthogonal to others, which have norm one and are orthogonal themselves."""
    for _ in range(2):  # twice is enough in floating arithmetic
        for other in others:
            direction = along(direction, (-dot(direction, other), other))
    return direction


@dataclass(frozen=True)
class Terrain:
    """A landscape, and what can be asked of it at a place."""

    landscape: Landscape

    def value(self, at: Direction) -> float:
        """E alone."""
        with torch.no_grad():
            return float(self.landscape.loss(at))

    def gradient(self, at: Direction) -> tuple[float, Direction]:
        """E and g."""
        with torch.enable_grad():
            given = [x.detach().clone().requires_grad_() for x in at]
            value = self.landscape.loss(given)
            return float(value.detach()), _derivative(value, given)

    def curvature(self, at: Direction, first: Direction, *, method: str | None = None) -> Curvature:
        """H at a place, held against (2) along a first direction of norm one, or by a method.

        A function that is not made for it refuses to be differentiated twice, or silently gives
        zero; one that cuts the graph gives another derivative than that of its gradient.
        """
        differences = self._differences(at)
        if method == DIFFERENCES or _GRAPHS * self._held(at) > _MOST_BYTES:
            return Curvature(differences, first, differences(first), DIFFERENCES)
        with torch.enable_grad():
            given = [x.detach().clone().requires_grad_() for x in at]
            found = _derivative(self.landscape.loss(given), given, again=True)
        kept = [place for place, part in enumerate(found) if part.requires_grad]

        def product(direction: Direction) -> Direction:
            if not kept:  # E is linear
                return tuple(torch.zeros_like(x) for x in at)
            return torch.autograd.grad(
                [found[place] for place in kept],
                given,
                [direction[place] for place in kept],
                retain_graph=True,
                allow_unused=True,
                materialize_grads=True,
            )

        if method == TWICE:
            return Curvature(product, first, product(first), TWICE)
        expected = differences(first)
        least = torch.finfo(at[0].dtype).eps ** 0.5 * length([x.detach() for x in found])
        try:
            image = product(first)
            apart = length(along(image, (-1.0, expected)))
            if apart <= _ALIKE * length(expected) + least / max(length(at), 1e-3):
                return Curvature(product, first, image, TWICE)
        except (RuntimeError, NotImplementedError):  # a function without a second derivative
            pass
        return Curvature(differences, first, expected, DIFFERENCES)

    def _held(self, at: Direction) -> int:
        """Bytes that a forward keeps for its backward."""
        sizes: dict[int, int] = {}

        def packed(x: Tensor) -> Tensor:
            storage = x.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
            return x

        with torch.enable_grad(), saved_tensors_hooks(packed, lambda x: x):
            value = self.landscape.loss([x.detach().clone().requires_grad_() for x in at])
        return sum(sizes.values()) if value.requires_grad else 0

    def _differences(self, at: Direction) -> Callable[[Direction], Direction]:
        """(2), for directions of norm one; the step is the cube root of the type's precision."""
        step = torch.finfo(at[0].dtype).eps ** (1 / 3) * max(length(at), 1e-3)

        def product(direction: Direction) -> Direction:
            _, after = self.gradient(along(at, (step, direction)))
            _, before = self.gradient(along(at, (-step, direction)))
            return tuple((a - b) / (2 * step) for a, b in zip(after, before, strict=True))

        return product


def _derivative(value: Tensor, given: Sequence[Tensor], *, again: bool = False) -> Direction:
    return torch.autograd.grad(
        value, given, create_graph=again, allow_unused=True, materialize_grads=True
    )


@dataclass(frozen=True)
class Sharpest:
    """The eigenvalue of H with the largest modulus, and its direction, as far as found."""

    value: float
    direction: Direction


@dataclass(frozen=True)
class Curvature:
    """H at a place: its products, the first of them, and how they are had."""

    product: Callable[[Direction], Direction]
    first: Direction
    image: Direction
    method: str

    def along_first(self) -> float:
        """d^T H d."""
        return dot(self.image, self.first)

    def sharpest(self, steps: int) -> Sharpest:
        """(3), in at most `steps` products."""
        space, images = [self.first], [self.image]
        while len(images) < steps:
            rest = without(images[-1], *space)
            if length(rest) <= 1e-6 * length(images[-1]):  # the space is closed
                break
            space.append(unit(rest))
            images.append(self.product(space[-1]))
        projected = np.array([[dot(one, image) for image in images] for one in space])
        values, vectors = np.linalg.eigh((projected + projected.T) / 2)
        best = int(np.abs(values).argmax())
        weights = zip(vectors[:, best].tolist(), space, strict=True)
        direction = along(tuple(torch.zeros_like(x) for x in self.first), *weights)
        return Sharpest(float(values[best]), unit(direction))


def by_filter(like: Direction, generator: torch.Generator) -> Direction:
    """A random direction whose rows have the norms of the parameters' own; of norm one in all."""
    found = []
    for part in like:
        drawn = torch.randn(part.shape, generator=generator, dtype=torch.float64).to(part)
        rows = tuple(range(1, part.dim())) if part.dim() > 1 else None
        own, came = (
            torch.linalg.vector_norm(x, dim=rows, keepdim=rows is not None) for x in (part, drawn)
        )
        found.append(drawn * own / came)
    return unit(tuple(found)) if length(found) > 0 else unit(tuple(map(torch.ones_like, like)))


@dataclass(frozen=True)
class Line:
    """E and the gradient's norm at places s along a direction, and the slope g . d there."""

    places: Float[np.ndarray, " S"]
    values: Float[np.ndarray, " S"]
    norms: Float[np.ndarray, " S"]
    slopes: Float[np.ndarray, " S"]

    def at(self, first: int, last: int | None = None) -> Line:
        """The places from `first` to `last`."""
        where = slice(first, (first if last is None else last) + 1)
        return Line(*(getattr(self, name)[where] for name in self.__dataclass_fields__))

    def jumps(self) -> Float[np.ndarray, " S1"]:
        """How far E changes between neighbours beyond what the slopes at both say; 0 if unknown."""
        mean = (self.slopes[1:] + self.slopes[:-1]) / 2
        with np.errstate(invalid="ignore"):
            beyond = np.abs(np.diff(self.values) - np.diff(self.places) * mean)
        return np.where(np.isfinite(beyond), beyond, 0.0)

    def joined(self, other: Line) -> Line:
        """The places of both, in order."""
        columns = [(getattr(self, n), getattr(other, n)) for n in self.__dataclass_fields__]
        order = np.argsort(np.concatenate(columns[0]), kind="stable")
        return Line(*(np.concatenate(column)[order] for column in columns))


def line(terrain: Terrain, start: Direction, direction: Direction, places: np.ndarray) -> Line:
    """The line through `start`."""
    rows = []
    for place in places.tolist():
        value, gradient = terrain.gradient(along(start, (place, direction)))
        rows.append((value, length(gradient), dot(gradient, direction)))
    return Line(places, *np.array(rows).reshape(-1, 3).T)


def refined(
    terrain: Terrain, start: Direction, direction: Direction, coarse: Line, halvings: int
) -> Line:
    """Places inside the interval in which E jumps most, halved towards the jump again and again."""
    first = int(coarse.jumps().argmax())
    kept = coarse.at(first, first + 1)
    enough = _RESOLVED * float(kept.jumps().max())
    for _ in range(halvings):
        jumps = kept.jumps()
        place = int(jumps.argmax())
        if jumps[place] <= enough:
            break
        middle = kept.places[place : place + 2].mean(keepdims=True)
        kept = kept.joined(line(terrain, start, direction, middle))
    return kept.at(1, len(kept.places) - 2)
