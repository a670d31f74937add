"""Strings whose first symbol, x or y, comes again after p - 1 others: what 2a and 2b share.

Symbols stand in the order a_1 ... a_{p-1}, x, y.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import WrongUsage
from ._task import Baseline

TOLERANCE = 0.25
SHORTEST = 3


def refuse(task: str, delay: int) -> None:
    """Refuse a delay without a symbol to predict in the middle.

    Raises:
        WrongUsage: it is too short.
    """
    if delay < SHORTEST:
        raise WrongUsage(
            f"{task} came with delay {delay}, expected at least {SHORTEST}; try {task}(delay=100)."
        )


def number_of_x(delay: int) -> int:
    """Where x stands among the symbols; y is the next."""
    return delay - 1


def baseline(delay: int, *, expected: float) -> Baseline:
    """Each symbol as often as it is the next one: 1/p, and 1/(2p) for x and y.

    Args:
        delay: p.
        expected: the squares of the right answer before the end, summed over outputs.
    """
    shares = (1 / delay,) * (delay - 1) + (1 / (2 * delay),) * 2
    squares = (expected * (delay - 1) + 1) / delay
    return Baseline(shares, right=0.0, error=squares - sum(it**2 for it in shares))


def informative(inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
    """The first step."""
    first = torch.zeros(inputs.shape[:-1], dtype=torch.bool)
    first[0] = True
    return first


def at_last(answers: Float[Tensor, "T *batch O"]) -> Bool[Tensor, "T *batch"]:
    """Where the answer is x or y."""
    return answers[..., -2:].bool().any(-1)
