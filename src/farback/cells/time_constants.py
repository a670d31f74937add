"""Units with time constants: each forgets at a rate of its own.

    c_i(t) = tau_i c_i(t-1) + (1 - tau_i) tanh(net_i(t))                                    (1)
    net(t) = W x(t) + U c(t-1) + b                                                          (2)

Along unit i alone the error goes back by tau_i a step: without recurrent weights its rate is just
ln tau_i. With tau = 0 a unit is Elman's. Time constants are fixed, or learned through the logistic
function, in which they start at their values. Mozer's reduced description net for the gap task has
some units of tau 0 and some between 0.75 and 0.95.

Reference: M. C. Mozer, Induction of Multiscale Temporal Structure, 1992.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage
from ..types import Params
from ._hidden import Hidden


@dataclass(frozen=True)
class TimeConstants(Hidden):
    """Units of several time scales.

    Args:
        tau: from 0 to below 1, one for each of the hidden units in turn, again and again.
        learned: whether they are.
        recurrent: whether units see each other; without it each has its own past alone.
    """

    tau: tuple[float, ...] = (0.0, 0.9)
    learned: bool = False
    recurrent: bool = True

    @classmethod
    def multiscale(cls, hidden: int = 10, slow: int = 4) -> TimeConstants:
        """Mozer's for the gap task: the last units evenly spread from 0.75 to 0.95."""
        spread = [0.75 + 0.2 * it / max(1, slow - 1) for it in range(slow)]
        return cls(hidden=hidden, tau=(0.0,) * (hidden - slow) + tuple(spread))

    def refuse(self) -> None:
        if not self.tau or not all(0 <= it < 1 for it in self.tau):
            raise WrongUsage(
                f"tau came as {self.tau}, expected numbers from 0 to below 1; try (0.0, 0.9)."
            )
        if self.learned and not all(it > 0 for it in self.tau):
            raise WrongUsage(
                f"tau came as {self.tau} to be learned, expected numbers above 0, which a logistic "
                "function can have; try (0.1, 0.9)."
            )

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """W and b; U where units see each other; the logits of learned time constants."""
        params = {
            "input": self.uniform(generator, self.hidden, inputs),
            "bias": self.uniform(generator, self.hidden),
        }
        if self.recurrent:
            params["state"] = self.uniform(generator, self.hidden, self.hidden)
        if self.learned:
            params["tau"] = torch.logit(self._fixed(params["bias"]))
        return params

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        net = params["input"] @ x + params["bias"]
        if self.recurrent:
            net = net + params["state"] @ state  # (2)
        tau = torch.sigmoid(params["tau"]) if self.learned else self._fixed(net)
        return tau * state + (1 - tau) * torch.tanh(net)  # (1)

    def _fixed(self, like: Tensor) -> Float[Tensor, " H"]:
        each = [self.tau[it % len(self.tau)] for it in range(self.hidden)]
        return torch.tensor(each, dtype=torch.float64).to(like)
