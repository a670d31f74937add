"""Gradient flossing: Lyapunov exponents are pushed to zero, before a net learns and while it does.

    Q_t R_t  = J_t Q_{t-1}                              QR decomposition, Q [N, k]      (1)
    lambda_i = 1/T sum_t ln |R_t[i, i]|                                                 (2)
    F        = sum_i lambda_i^2                         i = 1 ... k                     (3)

An error that goes back over q steps grows about as exp(lambda_1 q), so that exponents of zero are
errors that neither vanish nor explode. dF/dparams goes back through (1), the decomposition too, and
through the states. J_t is the Jacobian of a step on the sequences that are presented, and F a mean
over them; Q_0 is random and always the same, so that (2) holds a transient of the first steps.

The first `before` steps of the learner floss and do nothing else. From then on it descends, and at
every `every`-th of these steps it flosses first, on the same sequences. A step that flosses takes
one pass more forward and one back, each with a Jacobian at every step.

The source pushes the first k of N exponents by Adam, for some hundreds of steps ahead of training
and for some in between. The defaults here have that shape; they were not looked up.

Reference: R. Engelken, Gradient Flossing: Improving Gradient Descent through Dynamic Control of
Jacobians, 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import grad, jacrev, vmap
from torch.utils import _pytree as pytree

from ..draws import Draws
from ..engine.reference import batched
from ..errors import WrongUsage, expect
from ..problem import CHUNK, Problem, Trials, answer
from ..types import Params, Sequences, of_trial
from ._learner import Count, Learned, Learner, Memory, Passes
from .descent import Descent, descended
from .gradients._gradient import expect_jacobian
from .updates._update import Update
from .updates.adam import Adam


@dataclass(frozen=True)
class Flossing(Learner):
    """Descent in a net that is kept where its errors keep their size.

    Args:
        descent: how the net learns.
        exponents: k, how many of the largest are pushed to zero.
        update: what makes a step of the gradient of (3).
        before: steps of flossing before the net learns.
        every: steps of learning from one flossing to the next; 0 for no flossing among them.
    """

    descent: Descent
    exponents: int = 1
    update: Update = Adam(lr=0.001)
    before: int = 500
    every: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, exponents=self.exponents)
        expect(0, before=self.before, every=self.every)

    @property
    def presented(self) -> int:
        return self.descent.presented

    def passes(self, memory: Memory, presented: Count) -> Passes:
        """Those of the descent, and one forward and one back where a step flosses.

        Before there is a descent, the answers of a step are one forward too.
        """
        steps = memory["count"]
        first = steps.clamp(max=self.before)
        later = steps - first
        among = torch.zeros_like(later)
        if self.every:
            # Of the `later` steps the first is number 0, which does not floss.
            among = (later - 1).clamp(min=0) // self.every
        flossed = (first + among) * self.presented
        learned = self.descent.passes(memory["descent"], later * self.presented)
        answered = first * self.presented
        return Passes(learned.forward + answered + flossed, learned.backward + flossed)

    def dice(self, problem: Problem) -> int:
        return self.descent.dice(problem)

    def fits(self, problem: Problem) -> None:
        """A net with a Jacobian, and as many exponents at its start."""
        expect_jacobian(problem.cell, self)
        self.descent.fits(problem)
        params = problem.parameters(0)
        size = len(problem.cell.start(params))
        if self.exponents > size:
            raise WrongUsage(
                f"exponents came as {self.exponents} for a state of {size} numbers, which has as "
                f"many; try exponents={size}."
            )
        one = problem.task.sample(Draws((0,), "size")).to(torch.float64).one(0, 0).between(0, 4)
        axes = first_axes(size, self.exponents)
        slopes = grad(lambda it: _tension(problem, it, one, axes))(params)
        if not all(bool(it.isfinite().all()) for it in slopes.values()):
            raise WrongUsage(
                f"exponents came as {self.exponents}, and {problem.cell!r} forgets some of those "
                "directions within a step, an exponent of minus infinity; try "
                f"{'fewer' if self.exponents > 1 else 'another cell'}."
            )

    def init(self, net: Trials, params: Params, seeds: Sequence[int]) -> Memory:
        none = next(iter(params.values())).new_zeros(len(next(iter(params.values()))))
        return {
            "descent": self.descent.init(net, params, seeds),
            "update": batched(self.update.init, (0,))(params),
            "count": none,
        }

    def step(self, net: Trials, params: Params, memory: Memory, sequences: Sequences) -> Learned:
        count = int(memory["count"][0])  # the same for all trials
        learning = count - self.before
        among = self.every > 0 and learning > 0 and learning % self.every == 0
        changed, remembered = params, memory | {"count": memory["count"] + 1}
        if learning < 0 or among:
            slopes = _slopes(net, params, sequences, self.exponents)
            changed, flossed = descended(self.update)(params, slopes, memory["update"])
            remembered |= {"update": flossed}
        if learning < 0:
            sequences = sequences.between(0, sequences.steps).padded(CHUNK)
            outputs = answer(net, params, sequences)
            loss = net.losses(outputs, sequences.targets, sequences.scored)
            return Learned(changed, remembered, outputs, loss)
        learned = self.descent.step(net, changed, memory["descent"], sequences)
        return learned._replace(memory=remembered | {"descent": learned.memory})


def first_axes(size: int, count: int) -> Float[Tensor, "N k"]:
    """Q_0."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(size, count, generator=generator, dtype=torch.float64)
    return torch.linalg.qr(drawn).Q


def exponents(
    problem: Problem, params: Params, sequence: Sequences, axes: Float[Tensor, "N k"]
) -> Float[Tensor, " k"]:
    """The largest Lyapunov exponents along a sequence, per step, in the order of (1)."""
    state = problem.cell.start(params)
    total = torch.zeros_like(axes[0])
    for x, alive in zip(sequence.inputs, sequence.alive, strict=True):
        jacobian = jacrev(problem.step, argnums=1)(params, state, x, alive)
        axes, lengths = torch.linalg.qr(jacobian @ axes)  # (1)
        total = total + torch.where(alive, lengths.diagonal().abs().log(), 0)
        state = problem.step(params, state, x, alive)
    return total / sequence.alive.sum()  # (2)


def _tension(problem: Problem, params: Params, sequence: Sequences, axes: Tensor) -> Tensor:
    """Equation (3) for one sequence."""
    return exponents(problem, params, sequence, axes).square().sum()


def _slopes(net: Trials, params: Params, sequences: Sequences, count: int) -> Params:
    """dF/dparams of every trial, [R, ...]: a mean over its sequences."""
    problem = Problem(net.cell, net.task)
    sequences = sequences.between(0, sequences.steps)

    def tension(params: Params, inputs: Tensor, alive: Tensor) -> Tensor:
        def one(x: Tensor, alive: Tensor) -> Tensor:
            sequence = Sequences(x, x, x, alive, alive)
            return _tension(problem, params, sequence, axes)

        return vmap(one, (1, 1))(inputs, alive).mean()

    # Through so many steps there is nothing to trace once and replay: lengths differ.
    with torch.inference_mode(False), torch.no_grad():
        size = len(problem.cell.start(of_trial(params, 0)))
        axes = first_axes(size, count).to(sequences.inputs)
        given = pytree.tree_map(torch.clone, (params, sequences.inputs, sequences.alive))
        return vmap(grad(tension), (0, 1, 1))(*given)
