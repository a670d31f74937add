"""Real-time recurrent learning: the derivative of the state by the parameters, carried forward.

    P_0        = dstart/dparams                                                 (1)
    P_t        = J_t P_{t-1} + dstate_t/dparams         with state_{t-1} held   (2)
    dE/dparams = sum_t P_t^T e_t                                                (3)

J_t is the Jacobian of one step and e_t the error that enters through its output. Nothing is kept
of the past but P, [N, P]; the cost is O(N^2 P) a step, O(n^4) in a fully recurrent net of n units.

Reference: R. J. Williams, D. Zipser, A Learning Algorithm for Continually Running Fully Recurrent
Neural Networks, 1989; A. J. Robinson, F. Fallside, The Utility Driven Dynamic Error Propagation
Network, 1987.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from ...types import Params, Sequences, plus
from ._gradient import ErrorGradient, Net
from ._online import Advanced, OnlineGradient, reading, whole


class Sensitive(NamedTuple):
    """A state, and how the parameters brought it about."""

    state: Float[Tensor, "*batch N"]
    influence: Params
    """P, [*batch, N, ...] each."""


@dataclass(frozen=True)
class RTRL(OnlineGradient):
    """Exact, for any cell, without a pass back."""

    @property
    def exact(self) -> bool:
        return True

    @property
    def backward_passes(self) -> float:
        return 0.0

    def __call__(self, net: Net, params: Params, sequences: Sequences) -> ErrorGradient:
        return whole(self, net, params, sequences)

    def begin(self, net: Net, params: Params, sequences: Sequences) -> Sensitive:
        """Equation (1)."""
        return Sensitive(net.start(params, sequences), net.start_influence(params, sequences))

    def advance(
        self, net: Net, params: Params, carry: Sensitive, sequences: Sequences, t: int
    ) -> Advanced:
        x, alive = sequences.inputs[t], sequences.alive[t]
        state, jacobian, own = net.sensitivity(params, carry.state, x, alive)
        carried = {name: _product(jacobian, each) for name, each in carry.influence.items()}
        influence = plus(carried, own)  # (2)
        outputs, loss, entering, gradient = reading(net, params, state, sequences, t)
        gradient = plus(gradient, net.projected(influence, entering))  # (3)
        carry, due = Sensitive(state, influence), sequences.scored[t] > 0
        return Advanced(carry, outputs, loss, gradient, due)


def _product(
    jacobian: Float[Tensor, "*batch N N"], influence: Float[Tensor, "*batch N ..."]
) -> Float[Tensor, "*batch N ..."]:
    """J P, whatever the shape of the parameter."""
    return (jacobian @ influence.reshape(*jacobian.shape[:-1], -1)).reshape_as(influence)
