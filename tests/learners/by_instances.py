"""The error as a function of weights of each step's own: slow, and nothing is carried back."""

from collections.abc import Callable

import torch
from torch import Tensor

from farback.problem import Problem
from farback.types import Params, Sequences


def apart(params: Params, given: Sequences) -> Params:
    """Every parameter once for the start and once for each step, [T + 1, ...]."""
    return {name: torch.stack([it] * (given.steps + 1)) for name, it in params.items()}


def outputs_of(problem: Problem, given: Sequences) -> Callable[[Params], Tensor]:
    """What the net answers, [T, O], as a function of such weights."""

    def outputs(weights: Params) -> Tensor:
        at = [{name: it[t] for name, it in weights.items()} for t in range(given.steps + 1)]
        state, made = problem.cell.start(at[0]), []
        for t, x in enumerate(given.inputs, start=1):
            state = problem.cell.step(at[t], state, x)
            made.append(problem.cell.read(at[t], state, x))
        return torch.stack(made)

    return outputs


def error_of(problem: Problem, given: Sequences) -> Callable[[Params], Tensor]:
    """The error as a function of such weights."""
    answered = outputs_of(problem, given)

    def error(weights: Params) -> Tensor:
        outputs = answered(weights)
        losses = [problem.task.loss(*it) for it in zip(outputs, given.targets, strict=True)]
        return (torch.stack(losses) * given.scored).sum()

    return error


def diagonal_hessian(error: Callable[[Params], Tensor], params: Params) -> Params:
    """d2E/dw2 of every number."""
    # jacfwd, in torch.func.hessian, warns of torch's own past.
    found = torch.func.jacrev(torch.func.jacrev(error))(params)
    return {
        name: found[name][name].reshape(it.numel(), -1).diagonal().reshape(it.shape)
        for name, it in params.items()
    }


def squared_outputs(problem: Problem, params: Params, given: Sequences) -> Params:
    """sum over scored outputs of (do/dw)^2: the curvature of squared errors by Gauss and Newton."""
    found = torch.func.jacrev(outputs_of(problem, given))(apart(params, given))
    return {name: torch.tensordot(given.scored, (it**2).sum(1), 1) for name, it in found.items()}


def gradient_by_instance(problem: Problem, params: Params, given: Sequences) -> Params:
    """dE/dw of every step's own weights, [T + 1, ...]."""
    return torch.func.grad(error_of(problem, given))(apart(params, given))
