"""The contract of a gradient: held against BPTT, finite differences, and its own other forms.

    (E(p + h d) - E(p - h d)) / 2h = dE/dp . d + O(h^2)             (1)

Every exact gradient equals BPTT, BPTT too equals (1), and a whole sequence is its steps, a batch
its sequences.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce

import torch
from torch import Tensor

from ..cells.lstm1997 import LSTM1997
from ..cells.squashings.tanh import Tanh
from ..cells.threshold_net import ThresholdNet
from ..draws import Draws
from ..errors import WrongUsage
from ..learners.gradients._gradient import ErrorGradient, Gradient
from ..learners.gradients._online import OnlineGradient, whole
from ..learners.gradients.bptt import BPTT
from ..problem import Problem, Trials
from ..types import Params, Sequences, of_trial, plus
from ._contract import check_configuration, copied, keep, require, require_close, require_kind, same
from ._learned_start import LearnedStart
from ._noise import Noise

_CLOSE = 1e-10
"""In float64, relative to the largest number, or absolute where that is below 1."""

_H = 1e-5
_CLOSE_TO_DIFFERENCES = 1e-6

_SEEDS, _OTHERS = (3, 8), (3, 9)
_ROWS = 2


VALUE = {"a gradient is a frozen value that its repr tells whole": check_configuration}


def check_gradient(
    gradient: Gradient, problems: Iterable[Problem] | None = None, *, batched: bool = True
) -> None:
    """Hold a gradient to the contract, on each problem.

    Args:
        gradient: the gradient.
        problems: what it is tried on; by default noise, and cells with a learned start, with a
            whole derivative and with a cut one; or threshold units, where it refuses all of those.
        batched: whether on trials too, which are traced first, for about a second a problem.

    >>> from farback.learners import gradients
    >>> check_gradient(gradients.RTRL())

    Raises:
        ContractBroken: the first claim that it breaks, and how.
    """
    require_kind(gradient, Gradient)
    keep(VALUE, gradient, repr(gradient))
    for given in problems or _default(gradient):
        problem = Problem(given.cell, given.task, gradient.dice(given))
        name = f"{gradient!r} on {problem.cell!r} and {problem.task!r}"
        bench = _Bench(gradient, problem, Trials(problem))
        keep(CLAIMS, bench, name)
        if batched:
            keep(BATCHED, bench, name)


def _default(gradient: Gradient) -> Iterable[Problem]:
    cells = LearnedStart(), LSTM1997(truncated=False), LSTM1997()
    threshold = ThresholdNet(outputs=2), ThresholdNet(outputs=2, squashing=Tanh())
    for some in cells, threshold:
        problems = [Problem(cell, Noise(steps=20)) for cell in some]
        taken = [it for it in problems if not _refused(gradient, it)]
        if taken:
            break
    return taken or problems


def _refused(gradient: Gradient, given: Problem) -> bool:
    problem = Problem(given.cell, given.task, gradient.dice(given))
    bench = _Bench(gradient, problem, Trials(problem))
    try:
        gradient(problem, bench.params(), bench.one)
    except WrongUsage:
        return True
    except Exception:  # that is for the claims to say
        return False
    return False


@dataclass(frozen=True)
class _Bench:
    """A gradient, and what it is tried on."""

    gradient: Gradient
    problem: Problem
    net: Trials

    def params(self, seed: int = _SEEDS[0]) -> Params:
        return self.problem.parameters(seed)

    def drawn(self, seeds: tuple[int, int] = _SEEDS) -> Sequences:
        """Two trials of two sequences."""
        return self.problem.task.sample(Draws(seeds, "contract", count=_ROWS))

    @cached_property
    def one(self) -> Sequences:
        return self.drawn().one(0, 0)

    @cached_property
    def alone(self) -> ErrorGradient:
        """The gradient of that single sequence."""
        return self.gradient(self.problem, self.params(), self.one)

    def together(self, seeds: tuple[int, int] = _SEEDS) -> ErrorGradient:
        """The gradients of two trials."""
        params = self.net.parameters(seeds, torch.float64)
        return self.gradient(self.net, params, self.drawn(seeds))


def _shapes_and_types(bench: _Bench) -> None:
    claims = {"shapes": lambda it: tuple(it.shape), "types": lambda it: it.dtype}
    for dtype in (torch.float64, torch.float32):
        params = {name: value.to(dtype) for name, value in bench.params().items()}
        found = bench.gradient(bench.problem, params, bench.one.to(dtype))
        for what, look in claims.items():
            came, expected = (
                {name: look(value) for name, value in tree.items()}
                for tree in (found.gradient, params)
            )
            require(came == expected, f"its gradient has the {what} {came}, expected {expected}.")
        require(found.loss.shape == (), f"its loss is {tuple(found.loss.shape)}, expected ().")
    require(bench.gradient.backward_passes >= 0, "it counts less than no passes back.")


def _pure(bench: _Bench) -> None:
    params, sequences = bench.params(), bench.one
    given = copied((params, vars(sequences)))
    found = bench.gradient(bench.problem, params, sequences)
    require(same((params, vars(sequences)), given), "it writes into its arguments.")
    again = bench.alone
    require(same(vars(found), vars(again)), "it gives other numbers at the second call.")


def _error_and_outputs(bench: _Bench) -> None:
    found, sequences = bench.alone, bench.one
    error, outputs = _plain(bench.problem, bench.params(), sequences)
    require_close(found.loss, error, _CLOSE, "its error is not that of a plain loop")
    answered = found.outputs[: len(outputs)]
    require_close(answered, outputs, _CLOSE, "its outputs are not those of a plain loop")


def _padding(bench: _Bench) -> None:
    padded = bench.one.padded(bench.one.steps + 7)
    found = bench.gradient(bench.problem, bench.params(), padded)
    require(same(found.gradient, bench.alone.gradient), "padding changes the gradient.")


def _equal_to_bptt(bench: _Bench) -> None:
    # Where a cell decides by chance what it passes back, there is no derivative to be exact about.
    if bench.gradient.exact and bench.problem.cell.has_jacobian:
        expected = BPTT()(bench.problem, bench.params(), bench.one).gradient
        _require_trees(bench.alone.gradient, expected, "it is exact, and differs from BPTT")


def _finite_differences(bench: _Bench) -> None:
    if not (bench.gradient.exact and bench.problem.cell.exact):
        return
    params, sequences, gradient = bench.params(), bench.one, bench.alone.gradient
    generator = torch.Generator().manual_seed(0)
    for name, value in params.items():
        direction = torch.randn(value.shape, generator=generator, dtype=value.dtype)
        above, below = (
            _plain(bench.problem, params | {name: value + h * direction}, sequences)[0]
            for h in (_H, -_H)
        )
        difference = (above - below) / (2 * _H)  # (1)
        slope = (gradient[name] * direction).sum()
        sentence = f"its derivative along '{name}' is not that of finite differences"
        require_close(slope, difference, _CLOSE_TO_DIFFERENCES, sentence)


def _step_by_step(bench: _Bench) -> None:
    gradient, net = bench.gradient, bench.problem
    if not isinstance(gradient, OnlineGradient):
        return
    params, sequences = bench.params(), bench.one
    sentence = "with the parameters held, its steps do not add up to the whole"
    _require_alike(whole(gradient, net, params, sequences), bench.alone, sentence)
    carry = gradient.begin(net, params, sequences)
    given = copied(carry)
    once, again = (gradient.advance(net, params, carry, sequences, 0) for _ in range(2))
    require(same(carry, given), "a step writes into the carry that it is given.")
    require(same(once, again), "a step gives other numbers at the second call.")
    for t in range(sequences.steps):
        advanced = gradient.advance(net, params, carry, sequences, t)
        carry = advanced.carry
        learned = any(value.any() for value in advanced.gradient.values())
        require(bool(advanced.due) or not learned, f"step {t} is not due and has a gradient.")


def _alone_as_among_others(bench: _Bench) -> None:
    together, drawn = bench.together(), bench.drawn()
    sentence = "a sequence alone gives another gradient than among others"
    for trial, seed in enumerate(_SEEDS):
        alone = [
            bench.gradient(bench.problem, bench.params(seed), drawn.one(trial, row))
            for row in range(_ROWS)
        ]
        for row, one in enumerate(alone):
            steps = drawn.one(trial, row).steps
            outputs = together.outputs[:steps, trial, row]
            require_close(together.loss[trial, row], one.loss, _CLOSE, sentence)
            require_close(outputs, one.outputs[:steps], _CLOSE, sentence)
        mine = of_trial(together.gradient, trial)
        _require_trees(mine, reduce(plus, (it.gradient for it in alone)), sentence)


def _step_by_step_among_others(bench: _Bench) -> None:
    if isinstance(bench.gradient, OnlineGradient):
        params = bench.net.parameters(_SEEDS, torch.float64)
        steps = whole(bench.gradient, bench.net, params, bench.drawn())
        sentence = "batched, its steps do not add up to the whole"
        _require_alike(steps, bench.together(), sentence)


def _whatever_the_others(bench: _Bench) -> None:
    one, other = (bench.together(seeds).gradient for seeds in (_SEEDS, _OTHERS))
    for name, value in one.items():
        kept = torch.equal(value[0], other[name][0])
        require(kept, f"by '{name}', a trial has other bits beside another trial.")


CLAIMS = {
    "numbers have the shapes and the type of the parameters": _shapes_and_types,
    "it is pure": _pure,
    "error and outputs are those of a plain loop": _error_and_outputs,
    "padding changes nothing": _padding,
    "an exact gradient equals BPTT": _equal_to_bptt,
    "an exact gradient equals finite differences": _finite_differences,
    "the steps of an online gradient add up": _step_by_step,
}
"""What a gradient promises for a single sequence, and the check of each promise."""

BATCHED = {
    "a sequence has its gradient alone as among others": _alone_as_among_others,
    "the steps of an online gradient add up among others": _step_by_step_among_others,
    "a trial's bits do not depend on the trials beside it": _whatever_the_others,
}
"""What it promises for several trials."""


def _plain(problem: Problem, params: Params, sequences: Sequences) -> tuple[Tensor, Tensor]:
    """The error of one sequence and its outputs, by a loop over the steps."""
    state, error, outputs = problem.cell.start(params), torch.zeros((), dtype=torch.float64), []
    for t in range(sequences.steps):
        x, target = sequences.inputs[t], sequences.targets[t]
        state = problem.cell.step(params, state, x)
        outputs.append(problem.cell.read(params, state, x))
        if sequences.scored[t] > 0:
            error = error + sequences.scored[t] * problem.task.loss(outputs[-1], target)
    return error, torch.stack(outputs)


def _require_alike(found: ErrorGradient, expected: ErrorGradient, sentence: str) -> None:
    steps = min(len(found.outputs), len(expected.outputs))
    require_close(found.loss, expected.loss, _CLOSE, sentence)
    require_close(found.outputs[:steps], expected.outputs[:steps], _CLOSE, sentence)
    _require_trees(found.gradient, expected.gradient, sentence)


def _require_trees(found: Params, expected: Params, sentence: str) -> None:
    for name, value in expected.items():
        require_close(found[name], value, _CLOSE, f"{sentence}, by '{name}'")
