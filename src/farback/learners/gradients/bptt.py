"""Back-propagation through time, over the whole sequence.

    dE/dstate_t = e_t + J_{t+1}^T dE/dstate_{t+1}                (1)
    dE/dparams  = sum_t (dstate_t/dparams)^T dE/dstate_t         (2)

e_t is the error that enters through the output of step t, and J_{t+1} the Jacobian of the next
step. States are kept, so the cost is O(T) in time and in memory.

Reference: R. J. Williams, D. Zipser, Gradient-Based Learning Algorithms for Recurrent Networks and
Their Computational Complexity, 1995, section 3; P. J. Werbos, Backpropagation Through Time: What It
Does and How to Do It, 1990.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ...engine.native import Backward
from ...problem import CHUNK, Problem, read, summed, unroll
from ...types import Params, Sequences, plus
from ._gradient import ErrorGradient, Gradient, Net


@dataclass(frozen=True)
class BPTT(Gradient):
    """Epochwise BPTT: one pass forward, one back."""

    @property
    def exact(self) -> bool:
        return True

    @property
    def backward_passes(self) -> float:
        return 1.0

    def __call__(self, net: Net, params: Params, sequences: Sequences) -> ErrorGradient:
        sequences = sequences.padded(CHUNK)
        states = unroll(net, params, sequences)
        readings = read(net, params, states, sequences)
        adjoints = list(torch.zeros_like(readings.entering))
        adjoint = torch.zeros_like(states[0])
        for t in reversed(range(sequences.steps)):
            adjoints[t] = adjoint + readings.entering[t]
            adjoint = net.pull(
                params, states[t], sequences.inputs[t], sequences.alive[t], adjoints[t]
            )  # (1)
        gradient = plus(readings.gradient, net.origin(params, adjoint))
        gradient = plus(gradient, summed(net, params, states, sequences, torch.stack(adjoints)))
        return ErrorGradient(readings.loss.sum(0), readings.outputs, gradient)

    def schedule(self, problem: Problem) -> Backward:
        return Backward()
