"""Chunking: every net of a hierarchy foretells its next input, and the lowest what the next became.

The automatiser learns the target, its next input and the state of the chunker; the chunker learns
its next input, which may be many steps ahead, and the target where the automatiser failed on it.
Both by back-propagation through time over the last `window` steps of their own. `_lessons.py` has
the errors, with weight 1 each.

What the automatiser foretells, the chunker is not shown. What it is shown in the end are few inputs
far apart, between which it learns easily; the automatiser, taught its state at every step, learns
to keep it with errors that go back three steps over a lag of twenty.

Without `imitate` the automatiser is left alone with the target and its next input. That is the
conventional algorithm on the same net.

Counted: `surprising`, the share of steps at which the second level was shown an input, over about
the last 100 sequences.

Reference: J. Schmidhuber, Learning Complex, Extended Sequences Using the Principle of History
Compression, 1992; R. J. Williams, J. Peng, An Efficient Gradient-Based Algorithm for On-Line
Training of Recurrent Network Trajectories, 1990. The source says on-line, and not whether weights
change at every step or after a sequence, nor how the errors are weighted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from .._dice import bare
from ..cells._hierarchy import Hierarchy
from ..engine.reference import batched
from ..errors import WrongUsage, expect
from ..problem import CHUNK, Problem, Trials, unroll
from ..types import Params, Sequences
from ._learner import Count, Learned, Learner, Memory, Passes
from ._lessons import Watched, lessons
from .descent import descended
from .updates._update import Update
from .updates.sgd import SGD

_LAST = 100
"""Sequences over which the share of surprising steps is a mean, about."""


@dataclass(frozen=True)
class Chunking(Learner):
    """Train the nets of a hierarchy together, on-line: after each sequence.

    Args:
        update: what makes a step of the gradient of all nets.
        window: steps of its own that a net's error is run back over at most.
        imitate: whether the automatiser learns the chunker's state.
    """

    update: Update = SGD(lr=0.5)
    window: int = 3
    imitate: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, window=self.window)

    @property
    def presented(self) -> int:
        return 1

    def passes(self, memory: Memory, presented: Count) -> Passes:
        """At every step of a sequence each net takes its last `window` steps again, and back."""
        again = presented * self.window
        return Passes(presented + again, again)

    def fits(self, problem: Problem) -> None:
        """A hierarchy, and a target that it can be said to have missed."""
        cell = bare(problem.cell)
        if not isinstance(cell, Hierarchy):
            raise WrongUsage(
                f"{cell!r} came with {self!r}, expected a cell of several levels; try Chunker()."
            )
        cell.expect_symbols(problem.task.outputs, "output to be taught")

    def init(self, net: Trials, params: Params, seeds: Sequence[int]) -> Memory:
        none = next(iter(params.values())).new_zeros(len(next(iter(params.values()))))
        updates = batched(self.update.init, (0,))(params)
        return {"update": updates, "surprising": none, "sequences": none.clone()}

    def step(self, net: Trials, params: Params, memory: Memory, sequences: Sequences) -> Learned:
        sequences = sequences.padded(CHUNK)
        states = unroll(net, params, sequences)
        outputs, loss = _answered(net, params, states, sequences)
        watched = Watched(
            *(
                it.movedim(0, 2).contiguous()
                for it in (
                    states,
                    sequences.inputs,
                    sequences.targets,
                    sequences.scored,
                    sequences.alive,
                )
            )
        )
        taught = net.mapped(_lessons(self.window, self.imitate))(params, watched)
        gradient = {name: it.sum(1) for name, it in taught.gradient.items()}
        params, updates = descended(self.update)(params, gradient, memory["update"])
        share = (taught.shown[..., 1] / sequences.lengths).mean(-1)
        count = (memory["sequences"] + 1).clamp(max=_LAST)
        moved = memory["surprising"] + (share - memory["surprising"]) / count
        remembered = {"update": updates, "surprising": moved, "sequences": count}
        return Learned(params, remembered, outputs, loss)

    def counted(self, memory: Memory) -> dict[str, Float[Tensor, " R"]]:
        return {"surprising": memory["surprising"]}


def _answered(
    net: Trials, params: Params, states: Tensor, sequences: Sequences
) -> tuple[Tensor, Tensor]:
    """The outputs of all steps, and the errors of the sequences."""
    parts = [
        net.answers(params, states[1 + at : 1 + at + CHUNK], sequences.inputs[at : at + CHUNK])
        for at in range(0, len(sequences.inputs), CHUNK)
    ]
    outputs = torch.cat(parts)
    return outputs, net.losses(outputs, sequences.targets, sequences.scored)


_lessons = cache(lessons)
