"""A training set that grows by the sequences that the net errs on.

Of a fixed training set the first sequences are learned from, one after the other. An epoch is a
step: all of the set is answered; where every sequence that is learned from was right, the first
`most` of the others that were wrong are learned from too, from then on; and each of those that are
learned from is presented to the descent, in their order.

All sequences of a step are answered, and count as presented; `learned` counts those that were
learned from, `epochs` the steps, and `members` how many sequences a net learns from by now. What is
right, the task says. With all of the set right nothing is added, and what is learned from goes on
being presented until the trial ends.

Reference: C. L. Giles, G. Z. Sun, H. H. Chen, Y. C. Lee, D. Chen, Higher Order Recurrent Networks
and Grammatical Inference, NIPS 2, 1990, who train on short strings and add longer ones so; how many
at a time is not known of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage, expect
from ..problem import CHUNK, Problem, Trials, answer
from ..types import Params, Sequences
from ._learner import Count, Learned, Learner, Memory, Passes, chosen
from .descent import Descent


@dataclass(frozen=True)
class GrowingSet(Learner):
    """Descent on some of a fixed training set, and on more of it by and by.

    Args:
        descent: how the net learns from one sequence.
        size: sequences of the training set, all of which come in a step.
        first: of these, how many are learned from at first.
        most: how many are added at a time.
    """

    descent: Descent
    size: int = 2047
    first: int = 31
    most: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, first=self.first, most=self.most)
        expect(self.first, size=self.size)
        if self.descent.batch != 1:
            raise WrongUsage(
                f"descent came with batch={self.descent.batch}, expected 1, since sets differ in "
                "size from trial to trial; try batch=1."
            )

    @property
    def presented(self) -> int:
        return self.size

    def passes(self, memory: Memory, presented: Count) -> Passes:
        """All are answered; what is learned from takes the descent's passes beside that."""
        learned = self.descent.passes(memory["descent"], memory["learned"])
        return Passes(presented + learned.forward, learned.backward)

    def dice(self, problem: Problem) -> int:
        return self.descent.dice(problem)

    def fits(self, problem: Problem) -> None:
        """A fixed training set of that size that comes in turn."""
        task = problem.task
        if task.training != self.size or not task.in_turn:
            raise WrongUsage(
                f"GrowingSet(size={self.size}) came with {task!r}, expected a fixed training set "
                "of that size that comes in turn; try DualParity(short=10, added=0), or another "
                "size."
            )
        self.descent.fits(problem)

    def init(self, net: Trials, params: Params, seeds: Sequence[int]) -> Memory:
        like = next(iter(params.values()))
        begun = (torch.arange(self.size) < self.first).to(like)
        none = like.new_zeros(len(seeds))
        return {
            "descent": self.descent.init(net, params, seeds),
            "member": begun.repeat(len(seeds), 1),
            "learned": none.double(),  # beyond what float32 can count
            "epochs": none,
        }

    def step(self, net: Trials, params: Params, memory: Memory, sequences: Sequences) -> Learned:
        whole = sequences.between(0, sequences.steps).padded(CHUNK)
        outputs = answer(net, params, whole)
        loss = net.losses(outputs, whole.targets, whole.scored)
        right, member = net.task.right(outputs, whole), memory["member"] > 0
        ready = (right | ~member).all(1, keepdim=True)
        wrong = ~right & ~member
        member = member | (ready & wrong & (wrong.cumsum(1) <= self.most))
        counts = member.sum(1)
        places = torch.argsort((~member).to(torch.int8), dim=1, stable=True)
        descent = memory["descent"]
        for number in range(int(counts.max())):
            due = number < counts
            place = torch.where(due, places[:, number], 0)
            one = whole.picked(place.unsqueeze(1)).padded(CHUNK)
            found = self.descent.step(net, params, descent, one)
            params = chosen(due, found.params, params)
            descent = chosen(due, found.memory, descent)
        remembered = {
            "descent": descent,
            "member": member.to(memory["member"]),
            "learned": memory["learned"] + counts,
            "epochs": memory["epochs"] + 1,
        }
        return Learned(params, remembered, outputs, loss)

    def counted(self, memory: Memory) -> dict[str, Float[Tensor, " R"]]:
        """Epochs, sequences learned from, and how many different ones by now."""
        counts = {name: memory[name] for name in ("epochs", "learned")}
        return counts | {"members": memory["member"].sum(1)}
