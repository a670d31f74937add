"""Growth of higher orders: weights learn as the net runs, and get units where they cannot settle.

    e_i(t)   = -dE_t/dO_i                     for an output, T_i - O_i of the squared error  (1)
    e_u(t)   = dw_xy(t)                       for the unit u that corrects w_xy              (2)
    dw_ij(t) = x_j(t - tau_i) e_i(t)                                                         (3)
    w_ij    <- w_ij + eta dw_ij(t)            at every step                                  (4)

tau is 0 for an output and 1 + tau_x for u. A unit adds to one weight, and the net is linear in each
weight: dw_ij(t) is exactly -dE_t/dw_ij, whatever the weights are and although nothing is carried
back. Of every link two running means are kept, at the steps at which dw is not 0,

    mean_ij <- (1 - sigma) mean_ij + sigma dw_ij(t)                                          (5)
    size_ij <- (1 - sigma) size_ij + sigma |dw_ij(t)|                                        (6)

and a unit for w_ij is built where changes are large and come to nothing,

    size_ij > Theta g(N) (eps + |mean_ij|)                                                   (7)

up to the most that the cell can have, of the links into one unit that of the largest ratio alone.
Then, for all links into i, mean = 1 and size = 0, with which all links begin.

What the source leaves open as far as it was read, and what is chosen here:

- g(N), how the threshold depends on the number of units, which is lost in the scan that was read.
  Constant by default: the gap task is published with one order of the net built in each set, up to
  49 units, and with log N the next order takes ever longer; with N, no unit is built on Reber
  strings. N is taken as that of inputs, outputs and units.
- whether the weight that a unit corrects learns on. By default it does not (`frozen`): with both,
  and with all weights along a chain of d units, what an error e asks for is made d + 1 times, and
  the error behind it is (1 - (d + 1) eta) e. With the published eta of 1.5 that diverges, and with
  the last weight of a chain alone it is e / -2.
- that means move only where dw is not 0 (`always=True` moves them at every step): with symbols one
  by one, a link is seldom used, and its means would be gone in between.
- that learning goes on over the ends of sequences (`reset=False`), which the source has of Reber
  strings. The state is then left in the net's start, so that its tests begin there too.

`units` are counted.

Reference: M. B. Ring, Learning Sequential Tasks by Incrementally Adding Higher Orders, NIPS 5,
1993.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils import _pytree as pytree

from .._dice import bare
from ..cells.transition_hierarchy import Links, TransitionHierarchy, along, delays, links
from ..errors import WrongUsage
from ..problem import Problem, Trials
from ..types import Params, Sequences
from ._learner import Count, Learned, Learner, Memory, Passes

Growth = Literal["constant", "log", "linear"]


class _Done(NamedTuple):
    """One step of one trial."""

    params: Params
    memory: Memory
    state: Float[Tensor, " N"]
    output: Float[Tensor, " O"]
    loss: Float[Tensor, ""]


@dataclass(frozen=True)
class HigherOrderGrowth(Learner):
    """Ring's rule.

    Args:
        eta: the rate of learning, (4).
        sigma: the rate of the means, (5) and (6).
        theta: Theta of (7).
        eps: eps of (7), for links whose changes cancel.
        growth: g of (7): 1, or the logarithm or the number of inputs, outputs and units.
        frozen: whether the weight that a unit corrects stays as it is from then on.
        always: whether the means move at every step, and not only where a link's dw is not 0.
        reset: whether each sequence begins with a net that has seen nothing.
    """

    eta: float = 0.04
    sigma: float = 0.08
    theta: float = 1.0
    eps: float = 0.1
    growth: Growth = "constant"
    frozen: bool = True
    always: bool = False
    reset: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("eta", "theta", "eps"):
            if not 0 < (value := getattr(self, name)) < math.inf:
                raise WrongUsage(
                    f"{name} came as {value}, expected more than 0 and a number; try {name}=0.1."
                )
        if not 0 < self.sigma <= 1:
            raise WrongUsage(
                f"sigma came as {self.sigma}, expected more than 0 and at most 1; try sigma=0.1."
            )

    @property
    def presented(self) -> int:
        return 1

    def passes(self, memory: Memory, presented: Count) -> Passes:
        return Passes(presented, 0.0)

    def fits(self, problem: Problem) -> None:
        """A transition hierarchy, whose links tell what to build and where errors go."""
        if not isinstance(bare(problem.cell), TransitionHierarchy):
            raise WrongUsage(
                f"{problem.cell!r} came, expected a net to which units can be added; try "
                "TransitionHierarchy(most=40)."
            )

    def init(self, net: Trials, params: Params, seeds: Sequence[int]) -> Memory:
        weights = params["weights"]
        deep = weights.shape[1] - net.task.outputs + 1  # an input for each tau
        return {
            "mean": torch.ones_like(weights),
            "size": torch.zeros_like(weights),
            "seen": weights.new_zeros(len(weights), deep, weights.shape[2]),
            "units": (params["onto"] > -0.5).sum(1).to(weights),
        }

    def step(self, net: Trials, params: Params, memory: Memory, sequences: Sequences) -> Learned:
        advance = net.mapped(self._advance)
        if self.reset:
            memory = memory | {"seen": torch.zeros_like(memory["seen"])}
        state, outputs, losses = net.start(params, sequences), [], []
        for t in range(sequences.steps):
            own = pytree.tree_map(lambda it: it.unsqueeze(1), memory)
            asked = sequences.inputs[t], sequences.targets[t], sequences.scored[t]
            done = advance(params, (own, state, *asked, sequences.alive[t]))
            # There is one sequence, and what was learned from it is the trial's.
            params = {name: it.squeeze(1) for name, it in done.params.items()}
            memory = {name: it.squeeze(1) for name, it in done.memory.items()}
            state = done.state
            outputs.append(done.output)
            losses.append(done.loss)
        if not self.reset:
            params = params | {"start": state[:, 0, net.task.outputs :].clone()}
        return Learned(params, memory, torch.stack(outputs), torch.stack(losses).sum(0))

    def counted(self, memory: Memory) -> dict[str, Float[Tensor, " R"]]:
        """Higher-order units."""
        return {"units": memory["units"]}

    def _advance(self, problem: Problem) -> Callable[..., _Done]:
        """A step of a sequence, answered and learned from."""

        def advance(params: Params, given: tuple[Any, ...]) -> _Done:
            memory, state, x, target, scored, alive = given
            state = problem.step(params, state, x, alive)
            output = problem.cell.read(params, state, x)
            loss = torch.where(scored > 0, problem.task.loss(output, target) * scored, 0)
            seen = torch.cat([x.unsqueeze(0), memory["seen"][:-1]])
            known = links(params)
            changes = changes_of(known, seen, -problem.slopes(output, target, scored))  # (3)
            learned, remembered = self._learned(params, memory, known, changes)
            after = learned, remembered | {"seen": seen}
            params, memory = pytree.tree_map(
                lambda new, old: torch.where(alive, new, old), after, (params, memory)
            )
            return _Done(params, memory, state, output, loss)

        return advance

    def _learned(
        self, params: Params, memory: Memory, known: Links, changes: Float[Tensor, "units I"]
    ) -> tuple[Params, Memory]:
        """Equations (4) to (7)."""
        corrected = known.onto.T @ known.out_of > 0.5
        fixed = corrected if self.frozen else torch.zeros_like(corrected)
        weights = params["weights"] + self.eta * torch.where(fixed, 0, changes)

        there = torch.cat([known.there.new_ones(len(weights) - len(known.there)), known.there])
        moves = (there > 0.5).unsqueeze(1) & ((changes != 0) | self.always)
        rate = self.sigma * moves.to(weights)
        mean = memory["mean"] + rate * (changes - memory["mean"])
        size = memory["size"] + rate * (changes.abs() - memory["size"])

        ratio = torch.where(corrected, 0, size / (self.eps + mean.abs()))
        most = ratio.amax(1)
        due = most > self.theta * self._grown(weights.shape[1] + there.sum())
        place = memory["units"] + due.to(ratio).cumsum(0) - 1
        comes = due & (place < len(known.there))
        first = (ratio >= most.unsqueeze(1)).to(ratio).cumsum(1) < 0.5
        source = first.to(ratio).sum(1)  # of the largest ratio; the first of several
        numbers = torch.arange(len(there)).to(ratio)
        places = torch.arange(len(known.there)).to(ratio)
        arrives = ((places.unsqueeze(1) - place).abs() < 0.5) & comes
        new, arriving = arrives.any(1), arrives.to(ratio)
        built = {
            "weights": weights,
            "onto": torch.where(new, arriving @ numbers, params["onto"]),
            "out_of": torch.where(new, arriving @ source, params["out_of"]),
        }
        renewed = comes.unsqueeze(1)
        remembered = {
            "mean": torch.where(renewed, 1, mean),
            "size": torch.where(renewed, 0, size),
            "units": memory["units"] + comes.to(ratio).sum(),
        }
        return params | built, memory | remembered

    def _grown(self, units: Float[Tensor, ""]) -> Float[Tensor, ""]:
        """g(N)."""
        if self.growth == "constant":
            return torch.ones_like(units)
        return units.log() if self.growth == "log" else units


def changes_of(
    known: Links, seen: Float[Tensor, "lags I"], wrong: Float[Tensor, " O"]
) -> Float[Tensor, "units I"]:
    """Equations (1) to (3): what each weight's change would be.

    Args:
        known: what each unit corrects.
        seen: the inputs of this step and of those before, latest first.
        wrong: -dE/dO of this step.
    """
    late, outputs = delays(known), len(wrong)
    lags = torch.arange(len(seen)).to(late)
    felt = ((late.unsqueeze(1) - lags).abs() < 0.5).to(seen) @ seen  # x_j(t - tau_i)
    passed = ((known.onto @ felt) * known.out_of).sum(1)  # x_y(t - tau_x), by the unit
    direct = passed * (known.onto[:, :outputs] @ wrong)
    through = along(passed.unsqueeze(1) * known.onto[:, outputs:], direct)  # (2)
    return felt * torch.cat([wrong, through]).unsqueeze(1)
