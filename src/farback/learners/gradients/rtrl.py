"""Real-time recurrent learning: the derivative of the state by the parameters, carried forward.

    P_0        = dstart/dparams                                                 (1)
    P_t        = J_t P_{t-1} + dstate_t/dparams         with state_{t-1} held   (2)
    dE/dparams = sum_t P_t^T e_t                                                (3)
               = sum_t P_{t-1}^T (J_t^T e_t) + (dstate_t/dparams)^T e_t         (4)

J_t is the Jacobian of one step and e_t the error that enters through its output. Nothing is kept
of the past but P, [N, P]; the cost is O(N^2 P) a step, O(n^4) in a fully recurrent net of n units.

Reference: R. J. Williams, D. Zipser, A Learning Algorithm for Continually Running Fully Recurrent
Neural Networks, 1989; A. J. Robinson, F. Fallside, The Utility Driven Dynamic Error Propagation
Network, 1987.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ...types import Params, Sequences, plus
from ._gradient import Net
from ._influence import InfluenceGradient, Sensitive, product
from ._online import Advanced, reading


@dataclass(frozen=True)
class RTRL(InfluenceGradient):
    """Exact, for any cell, without a pass back."""

    @property
    def exact(self) -> bool:
        return True

    def advance(
        self, net: Net, params: Params, carry: Sensitive, sequences: Sequences, t: int
    ) -> Advanced:
        x, alive = sequences.inputs[t], sequences.alive[t]
        state, jacobian, own = net.sensitivity(params, carry.state, x, alive)
        outputs, loss, entering, gradient = reading(net, params, state, sequences, t)
        back = entering.unsqueeze(-2) @ jacobian
        past: Params = {}
        carried: Params = {}
        for name, each in carry.influence.items():  # one after the other, while P is at hand
            past[name], carried[name] = product(back, each), product(jacobian, each)
        influence = plus(carried, own)  # (2)
        through = net.projected(past, torch.ones_like(entering[..., :1]))
        gradient = plus(plus(through, net.projected(own, entering)), gradient)  # (4)
        carry, due = Sensitive(state, influence), sequences.scored[t] > 0
        return Advanced(carry, outputs, loss, gradient, due)
