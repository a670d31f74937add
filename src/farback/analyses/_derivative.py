"""A derivative as a sum of slopes times matrices, each known up to an interval.

    (1)  dy/ds = sum over terms k of diag(a_k) W_k,   a_k a slope for each entry of y
    (2)  y = f(x):      the same W_k, a_k times f'(x)
    (3)  y = x + z:     the terms of both; two with the same W_k are one, with the slope a_k + a_l
    (4)  y = L x:       one term with slope 1 and the matrix L (sum over k of diag(a_k) W_k)

So the weights of a step are found as they are, behind the slopes that squash them: of
s' = tanh(W s + b) there is one term, with a in [0, 1] and W itself. (4) mixes the entries, and what
was wide before makes the matrix wide.

Axes: N state; every matrix has N first, and then the shape of y.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import vmap

from ._interval import Interval, point


class Term(NamedTuple):
    """Slopes of the shape of y, and a matrix [N, *shape]."""

    slope: Interval
    matrix: Interval


@dataclass(frozen=True)
class Known:
    """What is known of one value of a step: its interval, and its derivative (1)."""

    value: Interval
    terms: tuple[Term, ...] = ()


def given(value: Tensor) -> Known:
    """A number that does not depend on the state."""
    return Known(point(value))


def the_state(box: Interval, derive: bool) -> Known:
    """The state [1, N] itself."""
    size = box.lo.shape[-1]
    unit = point(torch.eye(size).unsqueeze(1))
    return Known(box, (Term(point(torch.ones_like(box.lo)), unit),) if derive else ())


def scaled(terms: Sequence[Term], by: Interval) -> tuple[Term, ...]:
    """(2): every slope times `by`."""
    spread = [widened(term, torch.broadcast_shapes(by.lo.shape, shape_of(term))) for term in terms]
    return tuple(Term(term.slope * by, term.matrix) for term in spread)


def joined(*parts: Sequence[Term]) -> tuple[Term, ...]:
    """(3), of terms of one shape; those without slopes of their own are one matrix."""
    found: list[Term] = []
    for term in (term for part in parts for term in part):
        bare = [n for n, own in enumerate(found) if _is_one(own.slope) and _is_one(term.slope)]
        if bare and found[bare[0]].matrix is not term.matrix:
            found[bare[0]] = Term(term.slope, found[bare[0]].matrix + term.matrix)
            continue
        same = [n for n, own in enumerate(found) if own.matrix is term.matrix]
        if same:
            slope = found[same[0]].slope + term.slope
            found[same[0]] = Term(slope, term.matrix)
        else:
            found.append(term)
    return tuple(found)


def _is_one(slope: Interval) -> bool:
    return bool((slope.lo == 1).all() and (slope.hi == 1).all())


def whole(terms: Sequence[Term]) -> Interval:
    """(1) as one matrix [N, *shape]."""
    total = terms[0].matrix * _over_state(terms[0])
    for term in terms[1:]:
        total = total + term.matrix * _over_state(term)
    return total


def linear(terms: Sequence[Term], act: Callable[[Interval], Interval]) -> tuple[Term, ...]:
    """(4): `act` takes and gives a matrix with N first."""
    if not terms:
        return ()
    matrix = act(whole(terms))
    return (Term(point(torch.ones(matrix.lo.shape[1:])), matrix),)


def moved(terms: Sequence[Term], act: Callable[[Tensor], Tensor]) -> tuple[Term, ...]:
    """The terms of a value whose entries are only put elsewhere."""
    return tuple(Term(term.slope.map(act), term.matrix.map(vmap(act))) for term in terms)


def widened(term: Term, shape: torch.Size) -> Term:
    """A term of a value that is read as one of a larger shape."""
    if shape_of(term) == shape:
        return term
    size, *own = term.matrix.lo.shape
    aligned = (size, *(1,) * (len(shape) - len(own)), *own)

    def act(matrix: Tensor) -> Tensor:
        return matrix.reshape(aligned).expand(size, *shape)

    slope = Interval(term.slope.lo.expand(shape), term.slope.hi.expand(shape))
    return Term(slope, term.matrix.map(act))


def shape_of(term: Term) -> torch.Size:
    """The shape of the value that the term belongs to."""
    return term.slope.lo.shape


def _over_state(term: Term) -> Interval:
    return term.slope.map(lambda end: end.unsqueeze(0))
