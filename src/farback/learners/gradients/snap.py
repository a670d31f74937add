"""Sparse n-step approximation of RTRL, SnAp-n: an influence that takes too long is left out.

    P_0        = dstart/dparams                                                         (1)
    P_t        = M_n * (J_t P_{t-1} + dstate_t/dparams)         with state_{t-1} held   (2)
    dE/dparams = sum_t P_t^T e_t                                                        (3)

    M_1        = where dstate_t/dparams, or P_0, is not zero for good                   (4)
    M_{k+1}    = M_k, and where S M_k is not zero, S the structure of J_t               (5)

M_n, of zeros and ones, times P entry by entry keeps those parameters of each entry of the state
that reach it within n steps. In a fully recurrent net of units, SnAp-1 uses of J_t the diagonal
alone, of an LSTM's what a unit's output and memory do to each other and to themselves. Once M_n no
longer grows with n this is RTRL.

What is zero for good is looked for at random numbers (_structure.py). The native engine gives it
neither place nor work, and SnAp-1 costs as much as a pass forward there; the reference engine takes
the whole product and cuts it.

Reference: J. Menick, E. Elsen, U. Evci, S. Osindero, K. Simonyan, A. Graves, Practical Real Time
Recurrent Learning with a Sparse Approximation to the Jacobian, 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ...engine.native import Backward, Forward
from ...errors import expect
from ...problem import Problem
from ...types import Params, Sequences
from ._gradient import Net
from ._influence import InfluenceGradient, Sensitive, approximated, product
from ._online import Advanced
from ._structure import structure


@dataclass(frozen=True)
class SnAp(InfluenceGradient):
    """RTRL with what reaches a unit later than that left out.

    Args:
        steps: n, at least 1.
    """

    steps: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, steps=self.steps)

    def advance(
        self, net: Net, params: Params, carry: Sensitive, sequences: Sequences, t: int
    ) -> Advanced:
        kept = _kept(net, self.steps)

        def moved(jacobian: Tensor, influence: Params) -> Params:
            return {
                name: torch.where(kept[name].to(it.device), product(jacobian, it), 0.0)
                for name, it in influence.items()
            }  # (2); M_n holds all of dstate_t/dparams

        return approximated(net, params, carry, sequences, t, moved)

    def schedule(self, problem: Problem) -> Backward | Forward:
        """As any that is carried along; M_n is a constant of the program."""
        _kept(problem, self.steps)
        return super().schedule(problem)


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def _kept(net: Net, steps: int) -> dict[str, Tensor]:
    """M_n of each parameter, [N, ...]."""
    found = structure(net)
    reaches = found.jacobian.double()

    def later(kept: Tensor) -> Tensor:
        return kept | (product(reaches, kept.double()) > 0)  # (5)

    masks = {}
    for name, own in found.influence.items():
        kept = own | found.start[name]  # (4)
        for _ in range(steps - 1):
            before, kept = kept, later(kept)
            if torch.equal(before, kept):
                break
        masks[name] = kept
    return masks
