"""The states that a box of inputs can lead to.

    (1)  F(S, X) inside S:  from S, under any inputs in X, the state never leaves S

The smallest such S is wanted that holds the states met. It is looked for by growing: where F(S, X)
sticks out of S, S is moved out by that much, and twice as far at each further try, since what adds
up over steps (a cell that forgets by a factor f) goes on adding up to 1 / (1 - f) of it. Once (1)
holds, S is replaced by what S leads to, with the states met, which keeps (1) and is smaller.

Axes: N state, I input; both boxes have one row.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from ._enclosure import Enclosure
from ._interval import Interval, down, up

_TRIES = 60
_SHRINKINGS = 50
_FAR = 1e9


class Box(NamedTuple):
    """A box of states, and whether (1) was proved of it."""

    states: Interval
    closed: bool


def closed_box(step: Enclosure, met: Interval, inputs: Interval) -> Box:
    """The box of states that the inputs cannot lead out of; `met` itself where none was found."""
    unit = met.hull(Interval(-torch.ones_like(met.lo), torch.ones_like(met.hi)))
    if unit.holds(step.leads(unit, inputs)):  # what is squashed, or mixed of squashed values
        return Box(_shrunk(step, unit, met, inputs), True)
    box, push = met, 1.0
    for _ in range(_TRIES):
        led = step.leads(box, inputs)
        if box.holds(led):
            return Box(_shrunk(step, box, met, inputs), True)
        below, above = (box.lo - led.lo).clamp(min=0), (led.hi - box.hi).clamp(min=0)
        box = Interval(down(box.lo - push * below), up(box.hi + push * above))
        if not bool(torch.isfinite(box.largest).all()) or float(box.largest.max()) > _FAR:
            return Box(met, False)
        push = min(2 * push, 2.0**16)
    return Box(met, False)


def _shrunk(step: Enclosure, box: Interval, met: Interval, inputs: Interval) -> Interval:
    for _ in range(_SHRINKINGS):
        smaller = step.leads(box, inputs).meet(box).hull(met)
        if not bool(
            ((box.hi - box.lo) - (smaller.hi - smaller.lo) > 1e-3 * (box.hi - box.lo)).any()
        ):
            return smaller
        box = smaller
    return box
