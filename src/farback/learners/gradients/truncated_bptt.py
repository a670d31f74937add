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
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...engine.native import Backward
from ...errors import WrongUsage
from ...problem import CHUNK, Problem, read, summed, unroll
from ...types import Params, Sequences, plus, zeros_like
from ._gradient import ErrorGradient, Net
from ._online import Advanced, OnlineGradient, reading


class Back(NamedTuple):
    """What the errors of one block are at the steps of its window."""

    adjoints: Float[Tensor, "n *batch N"]
    before: Float[Tensor, "*batch N"]
    """At the start; zero where the window does not reach it."""


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
        super().__post_init__()
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
        adjoints, at_start = torch.zeros_like(readings.entering), torch.zeros_like(states[0])
        for first in range(0, sequences.steps, self.every):
            ends = sequences.lengths.clamp(max=first + self.every)
            low, high = max(0, first + 1 - self.window), int(ends.max())
            entering = [torch.zeros_like(at_start)] * (first - low)
            entering.extend(readings.entering[first:high])
            back = self._back(net, params, states[low:high], sequences, low, ends, entering)
            adjoints[low:high] += back.adjoints
            at_start = at_start + back.before
        gradient = plus(readings.gradient, net.origin(params, at_start))
        gradient = plus(gradient, summed(net, params, states, sequences, adjoints))  # (2)
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
        scored = (sequences.scored[t - t % self.every : end] > 0).any(0)
        due = alive & scored & ((sequences.lengths == end) | (end % self.every == 0))
        gradient = zeros_like(params)
        if due.any():
            gradient = self._block(net, params, torch.stack(met), sequences, end, due)
        return Advanced(met, outputs, loss, gradient, due)

    def schedule(self, problem: Problem) -> Backward:
        return Backward(self.window, self.every)

    def _block(
        self,
        net: Net,
        params: Params,
        states: Float[Tensor, "n+1 *batch N"],
        sequences: Sequences,
        end: int,
        due: Bool[Tensor, " *batch"],
    ) -> Params:
        """The gradient of the block that ends before step `end`, for the sequences that are due."""
        count = len(states) - 1
        low, first = end - count, (end - 1) - (end - 1) % self.every
        stretch = sequences.between(low, end)
        counted = torch.arange(low, end, device=due.device) >= first
        scored = stretch.scored * (counted.reshape(-1, *(1,) * due.ndim) & due)
        # Windows near the start are shorter; padded, they have few shapes.
        stretch = replace(stretch, scored=scored).padded(min(self.window, CHUNK))
        missing = len(stretch.inputs) - count
        padded = torch.cat([states, states[-1:].expand(missing, *states.shape[1:])])
        readings = read(net, params, padded, stretch)
        ends = torch.full_like(sequences.lengths, end)
        entering = list(readings.entering[:count])
        back = self._back(net, params, states[:-1], sequences, low, ends, entering)
        adjoints = torch.cat([back.adjoints, torch.zeros_like(padded[:missing])])
        gradient = plus(readings.gradient, net.origin(params, back.before))
        return plus(gradient, summed(net, params, padded[:-1], stretch, adjoints))  # (2)

    def _back(
        self,
        net: Net,
        params: Params,
        states: Float[Tensor, "n *batch N"],
        sequences: Sequences,
        low: int,
        ends: Int[Tensor, " *batch"],
        entering: list[Tensor],
    ) -> Back:
        """Equation (1), for one block.

        Args:
            net: the problem.
            params: the parameters.
            states: the states before the steps of the longest window.
            sequences: the whole sequences.
            low: the first of those steps.
            ends: the step after the block's last, for each sequence.
            entering: the errors of the block, zero where others enter.
        """
        adjoints, adjoint = list(entering), torch.zeros_like(states[0])
        for t in reversed(range(low, low + len(states))):
            reached = t >= ends - self.window
            now = torch.where(reached.unsqueeze(-1), adjoint + entering[t - low], 0)
            adjoints[t - low] = now
            adjoint = torch.zeros_like(now)
            # The state before the window is nobody's, unless it is the start.
            if t > low or t == 0:
                x, alive = sequences.inputs[t], sequences.alive[t]
                adjoint = net.pull(params, states[t - low], x, alive, now)
        return Back(torch.stack(adjoints), adjoint)
