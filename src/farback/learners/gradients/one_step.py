"""Elman's procedure: the copied context is taken for an independent input.

    dE/dparams = sum_t (dstate_t/dparams)^T e_t         with state_{t-1} held           (1)

e_t is the error that enters through the output of step t; no error goes from one step to the one
before. It is truncated BPTT over a single step, and costs O(1) in memory online.

Reference: J. L. Elman, Finding Structure in Time, 1990; D. Servan-Schreiber, A. Cleeremans,
J. L. McClelland, Graded State Machines, 1991.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ...engine.native import Backward
from ...problem import CHUNK, Problem, read, summed, unroll
from ...types import Params, Sequences, plus
from ._gradient import ErrorGradient, Net
from ._online import Advanced, OnlineGradient, reading


@dataclass(frozen=True)
class OneStep(OnlineGradient):
    """Each step's error changes what that step itself did; a learned start is its first context."""

    @property
    def exact(self) -> bool:
        return False

    @property
    def backward_passes(self) -> float:
        return 1.0

    def __call__(self, net: Net, params: Params, sequences: Sequences) -> ErrorGradient:
        sequences = sequences.padded(CHUNK)
        states = unroll(net, params, sequences)
        readings = read(net, params, states, sequences)
        gradient = summed(net, params, states, sequences, readings.entering)  # (1)
        gradient = plus(readings.gradient, gradient)
        first = _to_start(net, params, states[0], sequences, readings.entering[0])
        return ErrorGradient(readings.loss.sum(0), readings.outputs, plus(gradient, first))

    def begin(self, net: Net, params: Params, sequences: Sequences) -> Tensor:
        """The state."""
        return net.start(params, sequences)

    def advance(
        self, net: Net, params: Params, carry: Tensor, sequences: Sequences, t: int
    ) -> Advanced:
        x, alive = sequences.inputs[t], sequences.alive[t]
        state = net.step(params, carry, x, alive)
        outputs, loss, entering, gradient = reading(net, params, state, sequences, t)
        own = net.summands(params, carry[None], x[None], alive[None], entering[None])  # (1)
        gradient = plus(gradient, own)
        if t == 0:
            gradient = plus(gradient, _to_start(net, params, carry, sequences, entering))
        return Advanced(state, outputs, loss, gradient, sequences.scored[t] > 0)

    def schedule(self, problem: Problem) -> Backward:
        return Backward(window=1, every=1)


def _to_start(
    net: Net, params: Params, start: Tensor, sequences: Sequences, entering: Tensor
) -> Params:
    """What the error of the first step gives to a learned start."""
    first, alive = sequences.inputs[0], sequences.alive[0]
    return net.origin(params, net.pull(params, start, first, alive, entering))
