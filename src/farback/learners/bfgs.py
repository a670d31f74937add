"""BFGS: a quasi-Newton method on the error of a whole training set.

    x <- x - a H g,   g = dE/dx,   E = the mean error of the batch,   a by a line search     (1)
    H <- (I - s y^T / y^T s) H (I - y s^T / y^T s) + s s^T / y^T s                            (2)

s is how the parameters x changed and y how the gradient did; H, an estimate of the inverse of the
Hessian, begins as the identity. The search is the library's; `iterations` of it are a step, and H
is carried on to the next. The library guesses the first length of each step's search anew, so that
two steps of one iteration are not quite one of two. It asks for the error and the gradient of one
batch many times over, so the batch should be the whole of a training set that comes in turn
(`Task.in_turn`): otherwise each step begins with another function, and H is of the one before.

A step presents its batch once, however often its error is worked out. That is counted:
`evaluations` of the error and the gradient, over the whole batch each, and `iterations`.

A trial's search has ended, and `ended` is 1, where no number of the gradient is larger than
`tolerance`, or where no length along the gradient itself makes the error smaller. It then stays
where it is, as long as the batch has the same error. Where no length along another direction does,
the next step begins with the identity. Where error, gradient or parameters are no longer finite,
the parameters become nan: the trial has diverged.

The errors are those of the trial's own arithmetic. In float32 a line search fails about where the
error changes in its last digits, in float64 far later.

The line search holds errors against slopes. A gradient that is no derivative of the error is
refused; where a cell cuts its derivative on purpose, the search may end early. Memory and time go
with the square of the number of parameters.

Reference: J. Nocedal, S. J. Wright, Numerical Optimization, 2006, chapter 6; the library, scipy
(scipy.optimize.minimize). Second-order nets were trained so by R. L. Watrous, G. M. Kuhn, Induction
of Finite-State Automata Using Second-Order Recurrent Networks, 1992.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize
from torch import Tensor

from .._dice import bare
from ..errors import WrongUsage, expect
from ..problem import Problem, Trials
from ..types import Params, Sequences, flat, of_trial, split_like, stacked
from ._learner import Count, Learned, Learner, Memory, Passes
from .descent import Descent
from .gradients._gradient import Gradient
from .gradients.bptt import BPTT
from .updates.sgd import SGD

_LINE_SEARCH_FAILED = 2
"""The library's status where no length along the direction makes the error smaller."""

Vector = Float[np.ndarray, " P"]


@dataclass(frozen=True)
class BFGS(Learner):
    """Steps along quasi-Newton directions.

    Args:
        batch: sequences of a step, such as the whole of a fixed training set.
        iterations: of (1) in a step.
        gradient: where the derivative comes from; an exact one.
        tolerance: a gradient none of whose numbers is larger is none.
    """

    batch: int = 100
    iterations: int = 10
    gradient: Gradient = BPTT()
    tolerance: float = 1e-5

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, batch=self.batch, iterations=self.iterations)
        expect(0, tolerance=self.tolerance)

    @property
    def presented(self) -> int:
        return self.batch

    def passes(self, memory: Memory, presented: Count) -> Passes:
        """Each evaluation takes the whole batch forward and back."""
        asked = memory["evaluations"] * self.batch
        return Passes(asked, asked * self.gradient.backward_passes)

    def fits(self, problem: Problem) -> None:
        """Any cell and task whose error is a function of parameters that can be any numbers."""
        if not self.gradient.exact:
            raise WrongUsage(
                f"BFGS came with {self.gradient!r}, expected an exact gradient, since its line "
                "search holds errors against slopes; try gradient=BPTT()."
            )
        cell = bare(problem.cell)
        if cell.dice or self.gradient.dice(problem):
            raise WrongUsage(
                f"BFGS came with {cell!r} and {self.gradient!r}, which throw dice, expected an "
                "error that parameters alone decide; try Descent(DiscreteError(), SGD(lr=0.1)), "
                "or a cell without thresholds."
            )
        if not cell.free:
            raise WrongUsage(
                f"BFGS came with {cell!r}, whose parameters are probabilities, expected parameters "
                "that can be any numbers; try ExpectationMaximization(), or bounds=None."
            )
        Descent(self.gradient, SGD()).fits(problem)

    def init(self, net: Trials, params: Params, seeds: Sequence[int]) -> Memory:
        trials, size = len(seeds), len(flat(of_trial(params, 0)))
        none = torch.zeros(trials, dtype=torch.float64)
        return {
            "inverse": torch.eye(size, dtype=torch.float64).repeat(trials, 1, 1),
            "ended": none + torch.nan,  # the error at which the search came to its end
            "evaluations": none,
            "iterations": none.clone(),
        }

    def step(self, net: Trials, params: Params, memory: Memory, sequences: Sequences) -> Learned:
        rows = range(len(memory["ended"]))
        errors = [
            _Error(self.gradient, net, of_trial(params, row), sequences.trials([row]))
            for row in rows
        ]
        searched = [self._searched(errors[row], of_trial(memory, row)) for row in rows]
        like = next(iter(params.values()))
        moved = [
            split_like(x.to(like), of_trial(params, row)) for row, (x, _) in enumerate(searched)
        ]
        outputs = [error.outputs for error in errors]
        steps = max(len(it) for it in outputs)
        return Learned(
            stacked(moved),
            stacked([remembered for _, remembered in searched]),
            torch.cat([_lengthened(it, steps) for it in outputs], 1),
            torch.cat([error.loss for error in errors]),
        )

    def counted(self, memory: Memory) -> dict[str, Float[Tensor, " R"]]:
        """Evaluations of error and gradient, iterations, and whether the search came to an end."""
        return {
            "evaluations": memory["evaluations"],
            "iterations": memory["iterations"],
            "ended": 1 - memory["ended"].isnan().double(),
        }

    def _searched(self, error: _Error, memory: Params) -> tuple[Float[Tensor, " P"], Params]:
        """Where a step takes one trial, and what it then remembers."""
        begun = error.start
        at_start = error(begun)[0]
        if at_start == float(memory["ended"]):
            count = memory["evaluations"] + error.count
            return torch.from_numpy(begun), memory | {"evaluations": count}
        inverse = _definite(memory["inverse"].cpu().numpy())
        with np.errstate(all="ignore"):
            found: Any = minimize(
                error,
                begun,
                jac=True,
                method="BFGS",
                options={
                    "maxiter": self.iterations,
                    "gtol": self.tolerance,
                    "hess_inv0": inverse,
                },
            )
        x, kept, ended = found.x, _definite(found.hess_inv), torch.nan
        if found.status == _LINE_SEARCH_FAILED:
            kept = np.eye(len(x))
            stuck = found.nit == 0 and np.array_equal(inverse, kept)
            ended = found.fun if stuck else ended
        elif found.success:
            ended = found.fun
        if not (np.isfinite(found.fun) and np.isfinite(found.jac).all() and np.isfinite(x).all()):
            x, ended = np.full_like(begun, np.nan), torch.nan
        return torch.from_numpy(x), {
            "inverse": memory["inverse"].new_tensor(kept),
            "ended": memory["ended"].new_tensor(ended),
            "evaluations": memory["evaluations"] + error.count,
            "iterations": memory["iterations"] + found.nit,
        }


class _Error:
    """The error of one trial's sequences and its derivative, as functions of its parameters.

    Args:
        gradient: where the derivative comes from.
        net: the problem.
        params: the trial's parameters at the start.
        sequences: its sequences, [T, 1, B, ...].
    """

    def __init__(
        self, gradient: Gradient, net: Trials, params: Params, sequences: Sequences
    ) -> None:
        self._gradient, self._net, self._like, self._sequences = gradient, net, params, sequences
        self.start: Vector = flat(params).double().cpu().numpy()
        self.count = 0
        self._at = np.full_like(self.start, np.nan)
        self._found = 0.0, self.start
        self(self.start)
        self.outputs, self.loss = self._answered
        """What the net answered before it learned, [T, 1, B, O], and its errors, [1, B]."""

    def __call__(self, x: Vector) -> tuple[float, Vector]:
        """The mean error and its gradient; twice in a row at one point it is worked out once."""
        if self.count and np.array_equal(x, self._at):
            return self._found
        like = next(iter(self._like.values()))
        params = split_like(torch.from_numpy(x.copy()).to(like), self._like)
        whole = {name: value.unsqueeze(0) for name, value in params.items()}
        found = self._gradient(self._net, whole, self._sequences)
        slopes = flat(of_trial(found.gradient, 0))
        batch = found.loss.shape[1]
        self._answered = found.outputs, found.loss
        self._at, self.count = x.copy(), self.count + 1
        self._found = (
            float(found.loss.double().mean()),
            (slopes.double() / batch).cpu().numpy(),
        )
        return self._found


def _definite(inverse: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
    """The matrix as the library wants it: the identity where it is not positive definite."""
    same = (inverse + inverse.T) / 2  # rounding leaves it a little asymmetric
    try:
        np.linalg.cholesky(same)
    except np.linalg.LinAlgError:
        return np.eye(len(same))
    return same if np.isfinite(same).all() else np.eye(len(same))


def _lengthened(outputs: Float[Tensor, "T 1 B O"], steps: int) -> Float[Tensor, "T2 1 B O"]:
    """Zeros behind the end."""
    missing = outputs.new_zeros(steps - len(outputs), *outputs.shape[1:])
    return torch.cat([outputs, missing])
