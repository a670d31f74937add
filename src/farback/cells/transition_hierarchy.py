"""Temporal transition hierarchies: linear units, some of which correct a weight one step later.

    N_i(t) = sum_j (w_ij + L_ij(t-1)) x_j(t)                                                (1)

i are the outputs and the higher-order units alike, and all see the inputs alone. Where a unit u
was built for the weight from input j to unit i, L_ij(t-1) = N_u(t-1); everywhere else it is 0. A
unit corrects one weight, and the weight may be another higher-order unit's. So what was seen q
steps ago reaches an output over a chain of q units, without any feedback:

    tau_i = 0 for an output,  1 + tau_x for a unit that corrects a weight of unit x         (2)

says how many steps later a unit is felt in an output. The net is a product of inputs, linear in
each weight, and remembers as many steps as its longest chain is long.

Which weight each unit corrects is part of the parameters: numbers of a unit and of an input, and
-1 for a unit that is not there yet. They are read by comparison, so that their derivative is 0;
`learners.HigherOrderGrowth` builds units while it learns, and descent leaves the net as it is.

    start: the units' values before the first input. 0 at first; a learner that never resets the
           net leaves there what they were last.

What the source leaves open as far as it was read, and what is chosen here: all weights start at 0
(`width=0.0`), and a new unit's too, so that it changes nothing by coming.

Reference: M. B. Ring, Learning Sequential Tasks by Incrementally Adding Higher Orders, NIPS 5,
1993.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage, expect
from ..types import Params
from ._cell import Cell, uniform

_NOWHERE = -1.0
"""The target and the source of a unit that is not there."""


class Links(NamedTuple):
    """What each higher-order unit corrects, as rows of ones and zeros."""

    there: Float[Tensor, " K"]
    onto: Float[Tensor, "K units"]
    """A one at the unit whose weight it corrects: outputs first, then higher-order units."""

    out_of: Float[Tensor, "K I"]
    """A one at the input that the weight is from."""


@dataclass(frozen=True)
class TransitionHierarchy(Cell):
    """Ring's net.

    Args:
        most: higher-order units that there can be.
        built: those that there are at the start, each with the unit and the input of the weight
            that it corrects. Units are numbered from 0 on, outputs first, in the order of building.
        width: weights start uniform in [-width, width].
    """

    most: int = 40
    built: tuple[tuple[int, int], ...] = ()
    width: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, most=self.most)
        if len(self.built) > self.most:
            raise WrongUsage(
                f"built came with {len(self.built)} units, expected at most {self.most}; try "
                f"most={len(self.built)}."
            )
        if len(set(self.built)) < len(self.built):
            raise WrongUsage(
                f"built came as {self.built}, expected a unit for a weight at most once; leave "
                "out what comes again."
            )

    @property
    def structure(self) -> tuple[str, ...]:
        return ("onto", "out_of")

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        """Weights [units, I], outputs first; the weights that the units correct; their start."""
        for number, (unit, source) in enumerate(self.built):
            if not (0 <= unit < outputs + number and 0 <= source < inputs):
                weights = product(range(outputs + number), range(inputs))
                free = next((it for it in weights if it not in self.built), None)
                raise WrongUsage(
                    f"built came with {(unit, source)} as number {number}, expected one of the "
                    f"{outputs + number} units before it and one of {inputs} inputs; "
                    f"{'leave it out' if free is None else f'try {free}'}."
                )
        drawn = uniform(generator, outputs + self.most, inputs, width=self.width)
        missing = [(_NOWHERE, _NOWHERE)] * (self.most - len(self.built))
        onto, out_of = torch.tensor([*self.built, *missing]).to(drawn).unbind(1)
        return {
            "weights": drawn,
            "onto": onto,
            "out_of": out_of,
            "start": drawn.new_zeros(self.most),
        }

    def layout(self, params: Params) -> dict[str, int]:
        return {"outputs": len(params["weights"]) - self.most, "units": self.most}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        outputs = len(params["weights"]) - self.most
        return torch.cat([params["start"].new_zeros(outputs), params["start"]])

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        there, onto, out_of = links(params)
        corrections = state[-self.most :] * (out_of @ x)
        units = params["weights"] @ x + corrections @ onto  # (1)
        return units * torch.cat([units.new_ones(len(units) - self.most), there])

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        return state[: -self.most]


def links(params: Params) -> Links:
    """What each unit corrects."""
    units, inputs = params["weights"].shape
    onto, out_of = _marked(params["onto"], units), _marked(params["out_of"], inputs)
    return Links((params["onto"] > -0.5).to(onto), onto, out_of)


def delays(known: Links) -> Float[Tensor, " units"]:
    """Equation (2), tau of every unit; 0 for those that are not there."""
    outputs = known.onto.shape[1] - len(known.there)
    later = along(known.onto[:, outputs:], known.there)
    return torch.cat([later.new_zeros(outputs), later])


def along(parents: Float[Tensor, "K K"], own: Float[Tensor, " K"]) -> Float[Tensor, " K"]:
    """What all units come to, e = own + parents e, where each has to do with earlier ones alone.

    The sum of parents^q own over q < 2^n after n doublings; the longest chain has K units.
    """
    for _ in range(len(own).bit_length()):
        own, parents = own + parents @ own, parents @ parents
    return own


def _marked(numbers: Float[Tensor, " K"], count: int) -> Float[Tensor, "K count"]:
    """A one at each number, in a row of its own; no number is 0.5 away from what it means."""
    each = torch.arange(count).to(numbers)
    return ((numbers.unsqueeze(1) - each).abs() < 0.5).to(numbers)
