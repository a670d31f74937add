"""Truncated back-propagation through time, BPTT(h, h').

Every h' steps the errors of the last h' steps are run back over the last h steps and no further.
With a block that ends after step k,

    dE/dstate_t = e_t [t > k - h'] + J_{t+1}^T dE/dstate_{t+1}          k >= t > k - h          (1)
    dE/dparams  = sum over blocks and t of (dstate_t/dparams)^T dE/dstate_t                     (2)

The last block ends with its sequence, however short it is. Online, a block is run back under the
parameters of its end, through the states that were met on the way. With h = h' >= T this is BPTT,
with h = h' = 1 Elman's procedure.

Reference: R. J. Williams, J. Peng, An Efficient Gradient-Based Algorithm for On-Line Training of
Recurrent Network Trajectories, 1990.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...errors import WrongUsage
from ...problem import CHUNK, read, summed, unroll
from ...types import Params, Sequences, plus, zeros_like
from ._gradient import ErrorGradient, Net
from ._online import Advanced, OnlineGradient, reading


@dataclass(frozen=True)
class TruncatedBPTT(OnlineGradient):
    """BPTT over a window.

    Args:
        window: h, the steps that an error is run back over at most.
        every: h', the steps whose errors are run back together; at most `window`.
    """

    window: int = 10
    every: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.every <= self.window:
            raise WrongUsage(
                f"TruncatedBPTT came with window={self.window} and every={self.every}, expected "
                "1 <= every <= window; try TruncatedBPTT(window=10, every=5)."
            )

    @property
    def exact(self) -> bool:
        return False

    @property
    def backward_passes(self) -> float:
        """At most: errors near the start have less than a window before them."""
        return self.window / self.every

    def __call__(self, net: Net, params: Params, sequences: Sequences) -> ErrorGradient:
        sequences = sequences.padded(CHUNK)
        states = unroll(net, params, sequences)
        readings = read(net, params, states, sequences)
        gradient = zeros_like(params)
        for first in range(0, sequences.steps, self.every):
            ends = sequences.lengths.clamp(max=first + self.every)
            low, high = max(0, first + 1 - self.window), int(ends.max())
            met = states[low : high + 1]
            gradient = plus(gradient, self._block(net, params, met, sequences, low, first, ends))
        return ErrorGradient(readings.loss.sum(0), readings.outputs, gradient)

    def begin(self, net: Net, params: Params, sequences: Sequences) -> tuple[Tensor, ...]:
        """The states that were met, from the one before the window on."""
        return (net.start(params, sequences),)

    def advance(
        self, net: Net, params: Params, carry: tuple[Tensor, ...], sequences: Sequences, t: int
    ) -> Advanced:
        alive, end = sequences.alive[t], t + 1
        state = net.step(params, carry[-1], sequences.inputs[t], alive)
        met = (*carry, state)[-1 - self.window :]
        outputs, loss, _, _ = reading(net, params, state, sequences, t)
        due = alive & ((sequences.lengths == end) | (end % self.every == 0))
        gradient = zeros_like(params)
        if due.any():
            first = t - t % self.every
            ends = torch.where(due, end, first)
            low = end + 1 - len(met)
            gradient = self._block(net, params, torch.stack(met), sequences, low, first, ends)
        return Advanced(met, outputs, loss, gradient)

    def _block(
        self,
        net: Net,
        params: Params,
        states: Float[Tensor, "n+1 *batch N"],
        sequences: Sequences,
        low: int,
        first: int,
        ends: Int[Tensor, " *batch"],
    ) -> Params:
        """What the errors from step `first` to the `ends` give, run back over the window.

        Args:
            net: the problem.
            params: the parameters.
            states: the states met, from the one before step `low` on.
            sequences: the whole sequences.
            low: the first step of the longest window.
            first: the first step of the block.
            ends: the step after the block's last, for each sequence.
        """
        count = len(states) - 1
        steps = torch.arange(low, low + count, device=ends.device)
        steps = steps.reshape(-1, *(1,) * ends.ndim)
        counted, reached = (first <= steps) & (steps < ends), steps >= ends - self.window
        stretch = sequences.between(low, low + count)
        stretch = replace(stretch, scored=stretch.scored * counted).padded(CHUNK)
        missing = len(stretch.inputs) - count
        states = torch.cat([states, states[-1:].expand(missing, *states.shape[1:])])
        readings = read(net, params, states, stretch)

        adjoints, adjoint = list(torch.zeros_like(readings.entering)), torch.zeros_like(states[0])
        for t in reversed(range(count)):
            adjoint = torch.where(reached[t].unsqueeze(-1), adjoint + readings.entering[t], 0)
            adjoints[t] = adjoint
            if t > 0 or low == 0:
                x, alive = stretch.inputs[t], stretch.alive[t]
                adjoint = net.pull(params, states[t], x, alive, adjoints[t])  # (1)
        gradient = readings.gradient
        if low == 0:
            gradient = plus(gradient, net.origin(params, adjoint))
        return plus(gradient, summed(net, params, states, stretch, torch.stack(adjoints)))  # (2)
