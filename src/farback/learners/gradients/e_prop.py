"""E-prop: RTRL in which a unit hears of its own past only.

    P_0        = dstart/dparams                                                         (1)
    P_t        = D_t P_{t-1} + dstate_t/dparams                 with state_{t-1} held   (2)
    dE/dparams = sum_t P_t^T e_t                                                        (3)

D_t is J_t without everything that goes from one unit to another. A unit owns one entry of each
block of the state, the k-th of each; an entry of a block that is not as long as the first is by
itself. P_t is the eligibility, e_t the learning signal: the error that enters through the output of
step t.

Two things are given up. First, what units do to each other through recurrent weights, and what
comes of that: no error is told to what reached a unit by way of others. The source splits a unit
into what it hides, s, and what it shows, z, and of J_t it keeps ds_t/ds_{t-1} with all z held, the
unit's own z too. `hidden` names the blocks that are s: of an LSTM ('c',), and D_t is the forget
gate; of the LSTM of 1997 ('s',), and (3) is the gradient that its authors cut. Without names all of
a unit counts, its weight to itself included, since the state of simple units is both. Second, with
`feedback`, the readout's weights on the way back: e_t = B^T dE/doutput_t, B random and fixed
("random e-prop"); without, e_t is the true error ("symmetric e-prop"). The readout itself learns by
its true gradient either way.

Reference: G. Bellec, F. Scherr, A. Subramoney, E. Hajek, D. Salaj, R. Legenstein, W. Maass, A
Solution to the Learning Dilemma for Recurrent Networks of Spiking Neurons, 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from ...engine.native import Backward, Forward
from ...errors import unknown
from ...problem import Problem, Trials
from ...types import Params, Sequences, of_trial
from ._feedback import feedback_of
from ._gradient import Net
from ._influence import InfluenceGradient, Sensitive, approximated, product
from ._online import Advanced


@dataclass(frozen=True)
class EProp(InfluenceGradient):
    """Each unit carries its own eligibility, and meets the error of the moment.

    Args:
        hidden: the blocks of the state that a unit keeps to itself; () for all.
        feedback: the seed of B; None for the error through the true readout.
    """

    hidden: tuple[str, ...] = ()
    feedback: int | None = None

    def advance(
        self, net: Net, params: Params, carry: Sensitive, sequences: Sequences, t: int
    ) -> Advanced:
        def moved(jacobian: Tensor, influence: Params) -> Params:
            own = torch.where(within.to(jacobian.device), jacobian, 0.0)
            return {name: product(own, it) for name, it in influence.items()}  # (2)

        one = of_trial(params, 0) if isinstance(net, Trials) else params
        within = _within(self.hidden, tuple(net.cell.layout(one).items()))
        back = feedback_of(net, self.feedback)
        return approximated(net, params, carry, sequences, t, moved, back)

    def schedule(self, problem: Problem) -> Backward | Forward:
        """As any that is carried along; B is a constant of the program."""
        feedback_of(problem, self.feedback)
        return super().schedule(problem)


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def _within(hidden: tuple[str, ...], layout: tuple[tuple[str, int], ...]) -> Bool[Tensor, "N N"]:
    """Where J_t goes from a hidden entry of a unit to an entry of the same unit.

    Raises:
        WrongUsage: the state has no block of such a name.
    """
    for name in hidden:
        if name not in dict(layout):
            raise unknown("block", name, dict(layout), where=" of the state")
    sizes = [size for _, size in layout]
    alone = range(sum(sizes), 2 * sum(sizes))  # units of a single entry
    unit = [
        place if size == sizes[0] else alone[sum(sizes[:block]) + place]
        for block, size in enumerate(sizes)
        for place in range(size)
    ]
    kept = np.repeat([not hidden or name in hidden for name, _ in layout], sizes)
    return torch.from_numpy(np.equal.outer(unit, unit) & kept)
