"""What one chain of states can carry over whole boxes of states and inputs, and on what condition.

The box of inputs is the one given, or what the batch holds. The box of states is the one given; or
the smallest that was found which these inputs cannot lead out of; or, where that one certifies
nothing, the box of the states met, as long as the states stay among them.

Axes: N state, I input.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..flow.motion import Motion
from ._box import closed_box
from ._derivative import Term, whole
from ._enclosure import Enclosure, NoRule, enclosure
from ._interval import Interval
from ._product_bounds import ProductBounds, product_bounds

Range = tuple[float, float]
_MOST = 1024
_LOOKS = 4


@dataclass(frozen=True)
class Certificate:
    """The bounds over a box; `terms` is the Jacobian over it, `kind` is closed, given or met."""

    kind: str
    states: Interval
    inputs: Interval
    terms: tuple[Term, ...]
    bounds: ProductBounds


@torch.no_grad()
def certificate(
    motion: Motion, floor: float, states: Range | None, inputs: Range | None
) -> Certificate:
    """The bounds over the boxes asked for.

    Raises:
        NoRule: the step cannot be enclosed.
    """
    if motion.states.shape[-1] > _MOST:
        raise NoRule(f"a state of more than {_MOST} numbers is not enclosed")
    step = enclosure(motion)
    given = _met(_moving(motion)) if inputs is None else _filled(motion.inputs[0], inputs)
    met = _met(motion.states.flatten(0, 1))
    if states is not None:
        return _over(step, motion, _filled(motion.states[0], states), given, "given")
    box = closed_box(step, met, given)
    closed = _over(step, motion, box.states, given, "closed" if box.closed else "met")
    if not box.closed or closed.bounds.below(floor) is not None:
        return closed
    return _over(step, motion, met, given, "met")


def _over(
    step: Enclosure, motion: Motion, states: Interval, inputs: Interval, kind: str
) -> Certificate:
    known = step.derived(states, inputs)
    if not known.terms:
        raise NoRule("its next state does not depend on the state before")
    if not all(bool(it.largest.isfinite().all()) for term in known.terms for it in term):
        raise NoRule("its Jacobian has no finite bound over the box")
    _refuse_other_derivative(motion, known.terms, states, inputs)
    return Certificate(
        kind, states, inputs, known.terms, product_bounds(known.terms, motion.blocks)
    )


def _refuse_other_derivative(
    motion: Motion, terms: tuple[Term, ...], states: Interval, inputs: Interval
) -> None:
    """A backward pass of the user's own may be no derivative of the operators that were met."""
    over = whole(terms).map(lambda end: end.squeeze(1).t())
    slack = torch.finfo(motion.states.dtype).eps ** 0.5 * (1 + over.largest)
    for p in torch.linspace(0, len(motion.inputs) - 1, _LOOKS).long().unique().tolist():
        state, x = motion.states[p, :1], motion.inputs[p, :1]
        if not (states.holds(_met(state)) and inputs.holds(_met(x))):
            continue
        found = motion.at(state, x).matrix()[0].cpu().double()
        if not bool(((over.lo - slack <= found) & (found <= over.hi + slack)).all()):
            raise NoRule("its backward pass is not the derivative of its forward operators")


def _moving(motion: Motion) -> Tensor:
    return motion.inputs.flatten(0, 1) if motion.valid is None else motion.inputs[motion.valid]


def _met(values: Tensor) -> Interval:
    """The smallest box that holds rows [M, ...], as [1, ...]."""
    wide = values.cpu().double()
    if not wide.numel():
        return Interval(wide[:1], wide[:1])
    return Interval(wide.amin(0, keepdim=True), wide.amax(0, keepdim=True))


def _filled(like: Tensor, ends: Range) -> Interval:
    blank = torch.empty(1, *like.shape[1:], dtype=torch.float64)
    return Interval(torch.full_like(blank, ends[0]), torch.full_like(blank, ends[1]))
