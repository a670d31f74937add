"""Evolutionary programming of nets: the better half stays, and each of it has a mutated child.

    T(net) = 1 - f(net) / f_max                                                            (1)
    w <- w + N(0, (alpha u T)^2)           for each weight of a child, u uniform in [0, 1) once (2)
    k = least + floor(U[0, 1) u T (most - least + 1))                                      (3)

`population` nets are tried, one a step, on `batch` sequences each; then a generation ends. Nets are
ranked by error, those tried earlier first among equals; the worse half is replaced by children, the
best parent's first. A child has its parent's weights changed by (2), and then, each with a chance
of its own, k nodes more, k nodes fewer, k links more, k links fewer. A new link has weight 0, a new
node no links, and a node that goes takes its links along. There is no crossover. The better a
parent, the less its child differs from it.

The source's nets have any links at all, between any hidden nodes up to a bound. Here they are
masks over a fully recurrent cell: its hidden units are the most nodes that there can be, a bias is
a link from a unit that is always on, and what is not there has weight 0.

A net's error is that of the sequences it was tried on. Parents are tried again beside their
children, so that a lucky one does not stay for long; the source, whose error is exact, need not. A
trial is judged by the best net of the last whole generation, or by a better one found since. Where
the error is exact too, that is the best net so far. `generations` are counted, and the `links` and
`nodes` of the best net.

What the sources that could be read leave open for languages, and what is chosen here: f = 1 -
error / `worst`, not below 0, with f_max = 1, so that T = error / `worst`; the chances of the four
kinds of change (0.25 each); the numbers that come or go (1 to 3 nodes, 1 to 5 links); nets at the
start (0 to all hidden units, a share of the possible links that is uniform in [0, 1), weights in
[-1, 1]). The factor u is the later paper's, at second hand; `instantaneous=False` is without.

Reference: G. M. Saunders, P. J. Angeline, J. B. Pollack, Structural and Behavioral Evolution of
Recurrent Networks, NIPS 6, 1994; P. J. Angeline, G. M. Saunders, J. B. Pollack, An Evolutionary
Algorithm that Constructs Recurrent Neural Networks, 1994 (not read).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .._dice import plain
from ..engine.native import Told
from ..errors import WrongUsage, expect
from ..problem import Problem
from ..types import Params, flat, split_like
from ._learner import Memory
from ._mutation import Drawn, Net, drawn, fresh, mutated, parted, sizes_of
from ._search import Search, Tried


@dataclass(frozen=True)
class Evolution(Search):
    """GNARL: weights and structure by mutation alone.

    Args:
        batch: sequences that a net is tried on in a generation.
        population: nets of a generation.
        worst: the error whose fitness is 0; 1/8 is that of an answer in the middle of 0 and 1.
        alpha: the standard deviation of a weight's change at temperature 1.
        instantaneous: whether each child's temperature is its parent's times a uniform number.
        nodes: the least and the most that come or go at a time.
        links: the same of links.
        odds: the chances that nodes come, nodes go, links come, links go.
        width: weights start uniform in [-width, width].
    """

    batch: int = 20
    population: int = 50
    worst: float = 0.125
    alpha: float = 1.0
    instantaneous: bool = True
    nodes: tuple[int, int] = (1, 3)
    links: tuple[int, int] = (1, 5)
    odds: tuple[float, float, float, float] = (0.25, 0.25, 0.25, 0.25)
    width: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(2, population=self.population)
        for name in ("worst", "alpha", "width"):
            if not 0 < (value := getattr(self, name)) < math.inf:
                raise WrongUsage(
                    f"{name} came as {value}, expected more than 0 and a number; try {name}=1.0."
                )
        for name in ("nodes", "links"):
            came = getattr(self, name)
            if len(came) != 2 or not 0 <= came[0] <= came[1]:
                raise WrongUsage(
                    f"{name} came as {came}, expected the least and the most; try {name}=(1, 3)."
                )
        if len(self.odds) != 4 or not all(0 <= it <= 1 for it in self.odds):
            raise WrongUsage(
                f"odds came as {self.odds}, expected four chances, that nodes come, nodes go, "
                "links come, links go; try odds=(0.25, 0.25, 0.25, 0.25)."
            )

    def fits(self, problem: Problem) -> None:
        """A fully recurrent net with hidden units whose biases tell them from the outputs."""
        task, shapes = plain(problem.task), {}
        for name, value in problem.parameters(0).items():
            shapes[name] = tuple(value.shape)
        hidden = shapes.get("hidden_bias", (0,))[0]
        units = hidden + task.outputs
        expected = {"weights": (units, task.inputs + units), "hidden_bias": (hidden,)}
        if "output_bias" in shapes:
            expected["output_bias"] = (task.outputs,)
        if not hidden or shapes != expected:
            raise WrongUsage(
                f"{problem.cell!r} came, expected weights [units, inputs + units] and the biases "
                "of the hidden units, which tell them from the outputs; try "
                "FullyRecurrent(hidden=5, hidden_bias=True, output_bias=True)."
            )

    def chances(self, params: Params) -> int:
        return sum(sizes_of(params, self.nodes[1], self.links[1]))

    def begin(self, params: Params) -> Memory:
        """The first generation is drawn as it is tried; the start, with all links, is shown first.

        The net to be tried stands first in the population, and goes to its end.
        """
        start = flat(params)
        none = start.new_zeros(())
        whole = Net(start, torch.ones_like(start), torch.ones_like(params["hidden_bias"])).row
        each = start.new_zeros(self.population)
        return {
            "population": start.new_zeros(self.population, len(whole)),
            "errors": each.clone(),  # of the generation before
            "ranks": each.clone(),  # and their ranks, 0 for the best
            "now": {"errors": each.clone(), "ranks": each.clone()},  # of those tried in this one
            "best": whole,
            "leader": whole.clone(),  # the best of this generation
            "lowest": start.new_full((2,), torch.inf),  # the errors of these two
            "turn": none.clone(),
            "generations": none.clone(),
            **_size(parted(whole, params)),
        }

    def propose(self, params: Params, memory: Memory, chance: Float[Tensor, " C"]) -> Tried:
        chances = drawn(chance, params, self.nodes[1], self.links[1])
        population, rank = memory["population"], memory["ranks"][0]
        child = rank >= self._parents
        own = memory["ranks"] == rank - self._parents
        parent = parted(own.to(population) @ population, params)
        error = torch.where(own, memory["errors"], 0.0).sum()
        later = torch.where(child, self._child(parent, error, chances, params).row, population[0])
        first = memory["generations"] == 0
        net = torch.where(first, fresh(chances, params, self.width).row, later)
        tried = split_like(parted(net, params).weights, params)
        return tried, memory | {"population": torch.cat([net.unsqueeze(0), population[1:]])}

    def judge(self, params: Params, memory: Memory, told: Told) -> Tried:
        error = told.losses.mean()
        error = torch.where(error.isfinite(), error, torch.inf)
        net = memory["population"][0]
        lowest, leading = memory["lowest"].unbind()
        leads, better = error < leading, error < lowest
        leader, least = (
            torch.where(leads, net, memory["leader"]),
            torch.where(leads, error, leading),
        )
        turn = memory["turn"] + 1
        ended = turn >= self.population
        # A generation without a finite error has no leader.
        led = ended & least.isfinite()
        best = torch.where(led, leader, torch.where(better, net, memory["best"]))
        lowest = torch.where(led, least, torch.where(better, error, lowest))
        now = self._ranked(memory, error)
        before = {name: torch.roll(memory[name], -1) for name in ("errors", "ranks")}
        return split_like(parted(best, params).weights, params), memory | {
            "population": torch.roll(memory["population"], -1, 0),
            "now": now,
            "best": best,
            "leader": leader,
            "lowest": torch.stack([lowest, torch.where(ended, torch.inf, least)]),
            "turn": torch.where(ended, 0.0, turn),
            "generations": memory["generations"] + ended.to(error),
            **_size(parted(best, params)),
            **{name: torch.where(ended, now[name], it) for name, it in before.items()},
        }

    def counted(self, memory: Memory) -> dict[str, Float[Tensor, " R"]]:
        """Generations, and what the best net is made of."""
        return {name: memory[name] for name in ("generations", "links", "nodes")}

    @property
    def _parents(self) -> int:
        """Nets that stay: half, and the middle one where the population is odd."""
        return self.population - self.population // 2

    def _child(self, parent: Net, error: Tensor, chances: Drawn, params: Params) -> Net:
        heat = (error / self.worst).clamp(max=1)  # (1)
        return mutated(
            parent,
            heat * chances.heat if self.instantaneous else heat,
            chances,
            params,
            alpha=self.alpha,
            nodes=self.nodes,
            links=self.links,
            odds=self.odds,
        )

    def _ranked(self, memory: Memory, error: Tensor) -> dict[str, Tensor]:
        """Errors and ranks of this generation with one more, behind those that it has."""
        errors, ranks = memory["now"]["errors"], memory["now"]["ranks"]
        numbers = torch.arange(self.population).to(errors)
        here = numbers >= self.population - memory["turn"]
        above = (here & (errors > error)).to(ranks)
        rank = (here & (errors <= error)).to(ranks).sum()
        return {
            "errors": torch.cat([errors[1:], error.unsqueeze(0)]),
            "ranks": torch.cat([(ranks + above)[1:], rank.unsqueeze(0)]),
        }


def _size(net: Net) -> dict[str, Tensor]:
    """How many links and hidden units a net has."""
    return {"links": net.links.sum(), "nodes": net.nodes.sum()}
