"""A cell on a task: parameters, the steps of a sequence, its error, and their derivatives.

    state_t  = step(params, state_{t-1}, x_t)                  alive steps; else state_{t-1}   (1)
    output_t = read(params, state_t, x_t)                                                      (2)
    E        = sum_t scored_t loss(output_t, target_t)                                         (3)

`Problem` is the meeting point, for one sequence. `Trials` is the same problem for R trials of B
sequences each, with a graph traced once for each function. Both have the same methods, and time is
the first axis of both, so that a gradient or a learner is written once and runs on either. Sums
over time are taken in chunks of `CHUNK` steps, and a chunk behind the end adds an exact zero: a
sequence's gradient does not depend on how far it was padded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import grad, jacrev, vjp, vmap

from ._dice import diced
from .cells._cell import Cell
from .draws import seed_of
from .engine.reference import Function, batched
from .tasks._task import Task
from .types import Params, Sequences, plus, stacked

CHUNK = 16
"""Steps whose errors and weight gradients are taken together."""


class Readings(NamedTuple):
    """What the outputs of some steps say, and where their error enters."""

    outputs: Float[Tensor, "T *batch O"]
    loss: Float[Tensor, "T *batch"]
    entering: Float[Tensor, "T *batch N"]
    """dE/dstate_t through the output of the same step."""

    gradient: Params
    """dE/dparams through the outputs, summed over steps and sequences."""


class Sensitivity(NamedTuple):
    """One step and its derivatives."""

    state: Float[Tensor, "*batch N"]
    jacobian: Float[Tensor, "*batch N N"]
    """dstate_t/dstate_{t-1}."""

    influence: Params
    """dstate_t/dparams with state_{t-1} held: [*batch, N, ...] each."""


class Problem:
    """A cell on a task, for one sequence: [T, I] without further axes.

    Args:
        cell: the cell; where steps are decided by chance, it shows the cell what is the cell's.
        task: the task; likewise with dice behind its inputs, as many as that takes.
        dice: how many a gradient wants of every step, behind those of the cell.
    """

    def __init__(self, cell: Cell, task: Task, dice: int = 0) -> None:
        self.cell, self.task = diced(cell, task, dice)

    def parameters(self, seed: int) -> Params:
        """The parameters at the start of the trial with this seed, in float64.

        Raises:
            WrongUsage: the cell cannot have the task's inputs and outputs.
        """
        generator = torch.Generator().manual_seed(seed_of(seed, "parameters"))
        return self.cell.parameters(generator, self.task.inputs, self.task.outputs)

    def start(self, params: Params, sequences: Sequences) -> Float[Tensor, " N"]:
        """The state before the first step."""
        return self.cell.start(params)

    def origin(self, params: Params, adjoint: Float[Tensor, " N"]) -> Params:
        """What the adjoint of the first state gives to the parameters, where it depends on them."""
        return vjp(self.cell.start, params)[1](adjoint)[0]

    def start_influence(self, params: Params, sequences: Sequences) -> Params:
        """dstate_0/dparams, [*batch, N, ...] each: zeros where the cell learns no start."""
        return jacrev(self.cell.start)(params)

    def step(self, params: Params, state: Tensor, x: Tensor, alive: Tensor) -> Float[Tensor, " N"]:
        """Equation (1)."""
        return torch.where(alive, self.cell.step(params, state, x), state)

    def pull(
        self, params: Params, state: Tensor, x: Tensor, alive: Tensor, adjoint: Tensor
    ) -> Float[Tensor, " N"]:
        """dE/dstate_{t-1} from the adjoint dE/dstate_t: one step back in time."""
        return vjp(lambda state: self.step(params, state, x, alive), state)[1](adjoint)[0]

    def answers(self, params: Params, states: Tensor, xs: Tensor) -> Float[Tensor, "T *batch O"]:
        """Equation (2) at some steps, [T, *batch, ...]."""
        read = vmap(self.cell.read, (None, 0, 0))(params, states.flatten(0, -2), xs.flatten(0, -2))
        return read.reshape(*states.shape[:-1], -1)

    def readings(
        self, params: Params, states: Tensor, xs: Tensor, targets: Tensor, scored: Tensor
    ) -> Readings:
        """Equations (2) and (3) at some steps, [T, *batch, ...], and where their error enters."""
        shape = scored.shape

        def error(params: Params, states: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
            outputs = vmap(self.cell.read, (None, 0, 0))(params, states, xs.flatten(0, -2))
            losses = vmap(self.task.loss)(outputs, targets.flatten(0, -2))
            losses = torch.where(scored.flatten() > 0, losses * scored.flatten(), 0)
            return losses.sum(), (outputs, losses)

        (gradient, entering), (outputs, losses) = grad(error, argnums=(0, 1), has_aux=True)(
            params, states.flatten(0, -2)
        )
        return Readings(
            outputs.reshape(*shape, -1),
            losses.reshape(shape),
            entering.reshape(*shape, -1),
            gradient,
        )

    def losses(self, outputs: Tensor, targets: Tensor, scored: Tensor) -> Float[Tensor, " *batch"]:
        """Equation (3) of outputs at some steps, [T, *batch, ...], for each sequence."""
        each = vmap(self.task.loss)(outputs.flatten(0, -2), targets.flatten(0, -2))
        each = each.reshape(scored.shape)
        return torch.where(scored > 0, each * scored, 0).sum(0)

    def slopes(self, output: Tensor, target: Tensor, scored: Tensor) -> Float[Tensor, " O"]:
        """dE/doutput at one step."""
        return torch.where(scored > 0, grad(self.task.loss)(output, target) * scored, 0)

    def summands(
        self, params: Params, states: Tensor, xs: Tensor, alive: Tensor, adjoints: Tensor
    ) -> Params:
        """The weight gradient's summands of some steps, [T, *batch, ...], added up.

        Args:
            params: the parameters.
            states: the state before each step.
            xs: its input.
            alive: whether it counts.
            adjoints: dE/dstate after it.
        """

        def steps(params: Params) -> Tensor:
            return vmap(self.step, (None, 0, 0, 0))(
                params, states.flatten(0, -2), xs.flatten(0, -2), alive.flatten()
            )

        return vjp(steps, params)[1](adjoints.flatten(0, -2))[0]

    def sensitivity(self, params: Params, state: Tensor, x: Tensor, alive: Tensor) -> Sensitivity:
        """One step, its Jacobian, and its derivative by the parameters."""
        after, back = vjp(lambda p, state: self.step(p, state, x, alive), params, state)[:2]
        influence, jacobian = vmap(back)(torch.eye(len(after)).to(after))
        return Sensitivity(after, jacobian, influence)

    def projected(self, influence: Params, adjoint: Float[Tensor, "*rows N"]) -> Params:
        """What adjoints dE/dstate give to the parameters through dstate/dparams, added up."""
        axes = adjoint.ndim
        return {name: torch.tensordot(adjoint, each, axes) for name, each in influence.items()}

    def mapped(self, make: Callable[[Problem], Function]) -> Function:
        """A function of params and of what belongs to one sequence, made for this problem."""
        return make(self)


class Trials:
    """A problem for R trials of B sequences: [T, R, B, I], parameters [R, ...]."""

    def __init__(self, problem: Problem) -> None:
        self.cell, self.task = problem.cell, problem.task
        each, shared = (0, 0, 0, 0), (None, 0, 0, 0)
        steps = (0, 1, 1, 1, 1)
        trials_second: Any = Readings(1, 1, 1, 0)  # type: ignore
        self._start = batched(problem.cell.start, (0,))
        self._start_influence = batched(jacrev(problem.cell.start), (0,))
        self.origin = batched(lambda p, a: problem.origin(p, a.sum(0)), (0, 0))
        self.step = batched(problem.step, each, shared)
        self.pull = batched(problem.pull, (*each, 0), (*shared, 0))
        self.readings = batched(problem.readings, steps, out=trials_second)
        self.slopes = batched(problem.slopes, (0, 0, 0), (0, 0, 0))
        self.summands = batched(problem.summands, steps)
        self.sensitivity = batched(problem.sensitivity, each, shared)
        self.projected = batched(problem.projected, (0, 0))
        self.answers = batched(problem.answers, (0, 1, 1), out=1)
        self.losses = batched(problem.losses, (1, 1, 1))
        self._problem = problem
        self._mapped: dict[Callable[[Problem], Function], Function] = {}

    def parameters(
        self, seeds: Iterable[int], dtype: torch.dtype, device: torch.device | str = "cpu"
    ) -> Params:
        """The parameters of every trial at its start."""
        drawn = stacked([self._problem.parameters(seed) for seed in seeds])
        return {name: value.to(device=device, dtype=dtype) for name, value in drawn.items()}

    def mapped(self, make: Callable[[Problem], Function]) -> Function:
        """What is made for one sequence, for those of all trials: [R, B, ...] each."""
        if make not in self._mapped:
            self._mapped[make] = batched(make(self._problem), (0, 0), (None, 0))
        return self._mapped[make]

    def start(self, params: Params, sequences: Sequences) -> Float[Tensor, "R B N"]:
        """The state before the first step, the same for all sequences of a trial."""
        return _for_rows(self._start(params), sequences)

    def start_influence(self, params: Params, sequences: Sequences) -> Params:
        """dstate_0/dparams, [R, B, N, ...] each, the same for all sequences of a trial."""
        influence = self._start_influence(params)
        return {name: _for_rows(each, sequences) for name, each in influence.items()}


def _for_rows(value: Float[Tensor, "R *rest"], sequences: Sequences) -> Float[Tensor, "R B *rest"]:
    """What belongs to a trial, repeated for each of its sequences."""
    rows = sequences.inputs.shape[2]
    return torch.stack([value] * rows, 1)


def unroll(
    net: Problem | Trials, params: Params, sequences: Sequences
) -> Float[Tensor, "T+1 *batch N"]:
    """The states before the first step and after every step; padding repeats the last."""
    states = [net.start(params, sequences)]
    for t in range(sequences.steps):
        states.append(net.step(params, states[-1], sequences.inputs[t], sequences.alive[t]))
    states.extend(states[-1:] * (len(sequences.alive) - sequences.steps))
    return torch.stack(states)


def read(net: Problem | Trials, params: Params, states: Tensor, sequences: Sequences) -> Readings:
    """The outputs of all steps and their errors, `CHUNK` steps at a time."""
    parts = [
        net.readings(
            params,
            states[1 + first : 1 + first + CHUNK],
            sequences.inputs[first : first + CHUNK],
            sequences.targets[first : first + CHUNK],
            sequences.scored[first : first + CHUNK],
        )
        for first in range(0, len(sequences.inputs), CHUNK)
    ]
    outputs, losses, entering, gradients = zip(*parts, strict=True)
    return Readings(
        torch.cat(outputs), torch.cat(losses), torch.cat(entering), reduce(plus, gradients)
    )


def answer(net: Problem | Trials, params: Params, sequences: Sequences) -> Tensor:
    """The outputs of every step, [T, *batch, O], without derivatives."""
    sequences = sequences.padded(CHUNK)
    states = unroll(net, params, sequences)
    parts = [
        net.answers(
            params, states[1 + first : 1 + first + CHUNK], sequences.inputs[first : first + CHUNK]
        )
        for first in range(0, len(sequences.inputs), CHUNK)
    ]
    return torch.cat(parts)


def summed(
    net: Problem | Trials, params: Params, states: Tensor, sequences: Sequences, adjoints: Tensor
) -> Params:
    """The weight gradient through the steps, sum_t (dstate_t/dparams)^T adjoint_t, by chunks."""
    parts = [
        net.summands(
            params,
            states[first : first + CHUNK],
            sequences.inputs[first : first + CHUNK],
            sequences.alive[first : first + CHUNK],
            adjoints[first : first + CHUNK],
        )
        for first in range(0, len(sequences.inputs), CHUNK)
    ]
    return reduce(plus, parts)
