"""The interface of a gradient that is carried back over a sequence, told by functions of one step.

    carried = 0                                                     behind the last step      (1)
    carried, added_t = back(state_{t-1}, carried + entering_t, parts_t)      t = T ... 1      (2)
    gradient = finish(sum_t added_t + origin(carried))                                        (3)

What enters and the parts come of the output of step t. Each sequence has a gradient of its own, and
those of a trial's sequences are added up. The reference engine runs the functions here, the native
one compiles them; a step behind a sequence's end carries on and adds nothing.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from operator import add
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from ...engine.native import Recursion
from ...problem import Problem, Trials, unroll
from ...types import Params, Sequences
from ._gradient import ErrorGradient, Gradient, Net


@dataclass(frozen=True)
class RecursiveGradient(Gradient):
    """A gradient that is its schedule."""

    @abstractmethod
    def schedule(self, problem: Problem) -> Recursion:
        """What is carried back and what each step adds, for one sequence."""

    def __call__(self, net: Net, params: Params, sequences: Sequences) -> ErrorGradient:
        states = unroll(net, params, sequences)
        step, outputs, losses = net.mapped(self._step), [], []
        carried: Any = None
        total: Any = None
        for t in reversed(range(sequences.steps)):
            x, target = sequences.inputs[t], sequences.targets[t]
            asked = x, target, sequences.scored[t]
            if carried is None:
                carried = net.mapped(self._nothing)(params, (states[t + 1], *asked))  # (1)
            given = states[t], states[t + 1], *asked, sequences.alive[t], carried
            output, loss, carried, added = step(params, given)  # (2)
            total = added if total is None else pytree.tree_map(add, total, added)
            outputs.append(output)
            losses.append(loss)
        gradient = net.mapped(self._end)(params, (carried, total))  # (3)
        if isinstance(net, Trials):
            gradient = {name: value.sum(1) for name, value in gradient.items()}
        return ErrorGradient(torch.stack(losses).sum(0), torch.stack(outputs[::-1]), gradient)

    def _nothing(self, problem: Problem) -> Callable[..., Any]:
        recursion = self.schedule(problem)

        def nothing(params: Params, given: tuple[Tensor, ...]) -> Any:
            return pytree.tree_map(torch.zeros_like, recursion.reading(params, *given)[2])

        return nothing

    def _step(self, problem: Problem) -> Callable[..., Any]:
        recursion = self.schedule(problem)

        def step(params: Params, given: tuple[Any, ...]) -> Any:
            before, after, x, target, scored, alive, carried = given
            output, loss, entering, parts = recursion.reading(params, after, x, target, scored)
            reached = pytree.tree_map(add, carried, entering)
            earlier, added = recursion.back(params, before, x, reached, parts)
            kept = [
                pytree.tree_map(lambda new, old: torch.where(alive, new, old), *both)
                for both in ((earlier, reached), (added, pytree.tree_map(torch.zeros_like, added)))
            ]
            return output, loss, *kept

        return step

    def _end(self, problem: Problem) -> Callable[..., Any]:
        recursion = self.schedule(problem)

        def end(params: Params, given: tuple[Any, Any]) -> Params:
            carried, total = given
            return recursion.finish(pytree.tree_map(add, total, recursion.origin(params, carried)))

        return end
