"""Sequential construction: a part of the net stays away until the error no longer falls.

With E_m the mean error of a trial's m-th `window` sequences, the parameters named in `added` are
zero and get no gradient up to the end of the first window with

    E_m > (1 - share) E_{m-1}                           (1)

From then on they are part of the net, with the values that they were drawn with. Where they are all
that the outputs read of a memory cell, there is no memory cell until then; its own weights get no
error and keep their first values.

It keeps a net from abusing memory cells for what can be learned without memory. The source adds
them "once the error has stopped decreasing" and says no more. On its experiment 2a the error of the
net without cells falls like 1/n towards what chance leaves, n sequences presented, and never stops:
window and share decide when cells come, and no choice of them is more right than another. The
defaults are a fall of less than 2 % from 100 sequences to the next 100.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, 1997, section 4, abuse problem;
after S. E. Fahlman, The Recurrent Cascade-Correlation Learning Algorithm, 1991.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils import _pytree as pytree

from .._dice import bare
from ..engine.native import Told
from ..errors import WrongUsage, expect, unknown
from ..problem import Problem, Trials
from ..types import Params, Sequences
from ._learner import Compiled, Count, Learned, Learner, Memory, Passes, chosen
from .descent import Descent
from .updates._update import Memory as UpdateMemory
from .updates._update import Step, Update


@dataclass(frozen=True)
class Construction(Learner):
    """Descent in a net that is given some of its parameters late, each trial in its own time.

    Args:
        descent: how the net learns, before and after.
        added: the names of the parameters that come late.
        window: sequences whose mean error is compared with that of as many before.
        share: the fall, relative to the error before, under which it counts as none.
    """

    descent: Descent
    added: tuple[str, ...] = ("readout",)
    window: int = 100
    share: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, window=self.window)
        if not self.added:
            raise WrongUsage(
                f"added came as {self.added!r}, expected a tuple of names of parameters; "
                "try ('readout',)."
            )
        if not 0 <= self.share < 1:
            raise WrongUsage(
                f"share came as {self.share}, expected at least 0 and below 1; try 0.02."
            )

    @property
    def presented(self) -> int:
        return self.descent.presented

    def passes(self, memory: Memory, presented: Count) -> Passes:
        return self.descent.passes(memory["descent"], presented)

    def dice(self, problem: Problem) -> int:
        return self.descent.dice(problem)

    def fits(self, problem: Problem) -> None:
        """A net that has the parameters."""
        self.descent.fits(problem)
        known = problem.parameters(0)
        for name in self.added:
            if name not in known:
                raise unknown(
                    "parameter", name, known, where=f" of {type(bare(problem.cell)).__name__}"
                )

    def init(self, net: Trials, params: Params, seeds: Sequence[int]) -> Memory:
        return self._memory(self._descent.init(net, params, seeds), params)

    def step(self, net: Trials, params: Params, memory: Memory, sequences: Sequences) -> Learned:
        begun = self._begun(params, memory)
        learned = self._descent.step(net, begun, memory["descent"], sequences)
        remembered = memory | {"descent": learned.memory}
        ended, remembered = self._ended(learned.params, learned.loss, remembered)
        return Learned(ended, remembered, learned.outputs, learned.loss)

    def compiled(self, problem: Problem) -> Compiled | None:
        inner = self._descent.compiled(problem)
        if inner is None:
            return None
        params = problem.parameters(0)
        several = self._memory(_several(inner.learning.memory), _several(params))

        def update(params: Params, gradient: Params, memory: Memory) -> tuple[Params, Memory]:
            params, descent = inner.learning.update(params, gradient, memory["descent"])
            return params, memory | {"descent": descent}

        def before(params: Params, memory: Memory, chance: Tensor) -> tuple[Params, Memory]:
            return _one(self._begun(_several(params), _several(memory))), memory

        def after(params: Params, memory: Memory, told: Told) -> tuple[Params, Memory]:
            ended = self._ended(_several(params), told.losses.unsqueeze(0), _several(memory))
            return _one(ended[0]), _one(ended[1])

        learning = replace(
            inner.learning, memory=_one(several), update=update, before=before, after=after
        )
        return inner._replace(learning=learning)

    def _memory(self, descent: Memory, params: Params) -> Memory:
        none = next(iter(params.values())).new_zeros(len(next(iter(params.values()))))
        return {
            "descent": descent,
            "drawn": {name: params[name].clone() for name in self.added},
            "count": none,
            "sum": none.clone(),
            "before": none + torch.inf,
        }

    def _begun(self, params: Params, memory: Memory) -> Params:
        """The net as it is for these sequences."""
        drawn, present = memory["drawn"], memory["descent"]["late"]["present"] > 0
        # They come as they were drawn at the first step, as zeros later.
        given = {name: params[name] for name in drawn}
        away = {name: torch.zeros_like(value) for name, value in drawn.items()}
        return params | chosen(present, given, away)

    def _ended(
        self, params: Params, losses: Float[Tensor, "R B"], memory: Memory
    ) -> tuple[Params, Memory]:
        """What was learned, with what comes now; `memory` is as the descent left it."""
        drawn, present = memory["drawn"], memory["descent"]["late"]["present"] > 0
        count = memory["count"] + losses.shape[1]
        total = memory["sum"] + losses.sum(1)
        error, ended = total / count, count >= self.window
        comes = ended & ~present & (error > (1 - self.share) * memory["before"])  # (1)

        late = chosen(comes, drawn, {name: params[name] for name in drawn})
        none = torch.zeros_like(count)
        now = memory["descent"] | {"late": {"present": (present | comes).to(none)}}
        remembered = {
            "descent": now,
            "drawn": drawn,
            "count": chosen(ended, none, count),
            "sum": chosen(ended, none, total),
            "before": chosen(ended, error, memory["before"]),
        }
        return params | late, remembered

    @property
    def _descent(self) -> Descent:
        return replace(self.descent, update=_Late(self.descent.update, self.added))


def _several(tree: Any) -> Any:
    """One trial as a group of one."""
    return pytree.tree_map(lambda it: it.unsqueeze(0), tree)


def _one(tree: Any) -> Any:
    return pytree.tree_map(lambda it: it.squeeze(0), tree)


@dataclass(frozen=True)
class _Late(Update):
    """An update that feels no gradient of the parameters which are not there yet."""

    update: Update
    added: tuple[str, ...]

    def init(self, params: Params) -> UpdateMemory:
        none = next(iter(params.values())).new_zeros(())
        return self.update.init(params) | {"late": {"present": none}}

    def __call__(self, gradient: Params, memory: UpdateMemory, params: Params) -> Step:
        late = memory["late"]
        felt = gradient | {
            name: torch.where(late["present"] > 0, gradient[name], 0.0) for name in self.added
        }
        own = {name: tree for name, tree in memory.items() if name != "late"}
        step, own = self.update(felt, own, params)
        return Step(step, own | {"late": late})
