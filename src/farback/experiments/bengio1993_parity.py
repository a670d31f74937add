"""Seven methods on the parity problem, by the length of its strings: tables 3 and 4.

The net of the gradient and search methods has one input, one hidden and one output unit, 7
parameters; EM has two states, each of which can follow each.

What the source leaves open: in which order units change. The output sees the hidden unit of its own
step here, without which no parameters of this net solve the problem. Of threshold units the net
needs a bias on its output too, an eighth parameter, and starts at -1; what discrete errors wish at
most, their margin and their rate are the best of eight settings tried on strings of 3.

The copies of the tables that could be read have lost their empty cells. Numbers whose place is
known from where they are quoted later are claims at that place (annealing and discrete errors at T
= 50, EM at 500); those of the back-propagations and of multigrid are placed from the left, since
their errors rise from near 0 to near a half; the others are left out.

EM's rates (its first, and how it falls and rises) were chosen by a small sweep of ours.

Reference: Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to Backpropagation,
1993, tables 3 and 4; quoted in S. Hochreiter, J. Schmidhuber, LSTM Can Solve Hard Long Time Lag
Problems, 1996, section 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..cells.fully_recurrent import FullyRecurrent
from ..cells.squashings.tanh import Tanh
from ..cells.state_network import StateNetwork
from ..cells.threshold_net import ThresholdNet
from ..learners.descent import Descent
from ..learners.expectation_maximization import ExpectationMaximization
from ..learners.gradients.discrete_error import DiscreteError
from ..learners.updates.sgd import SGD
from ..tasks.parity import Parity
from ._protocol1993 import Protocol1993, Tables

_LENGTHS = 3, 5, 10, 20, 50, 100, 500

_PRINTED = {
    "back-propagation": ((2, 20, 41, 38, 43), (3.6e3, 5.5e3, 8.7e3, 1.6e4, 1.1e4)),
    "pseudo-Newton": (
        (3, 25, 41, 44, 40, 47),
        (2.5e2, 8.9e3, 8.9e3, 7.7e4, 1.1e4, 1.1e5),
    ),
    "time-weighted pseudo-Newton": ((26, 39, 43, 44), (4.5e4, 7.0e4, 3.4e4, 8.1e4)),
    "multigrid": ((15, 44, 45), (4.2e3, 1.5e4, 3.1e4)),
    "discrete errors": ((None, None, None, None, 5.0), (None, None, None, None, 5.4e4)),
    "annealing": ((None, None, None, None, 0.0), (None, None, None, None, 8.1e5)),
    "EM": ((None, None, None, None, None, None, 12.0), (None, None, None, None, None, None, 3.4e3)),
}
"""Error in per cent and presentations by length, None where the place of a number is not known."""

_CAPS = {
    "back-propagation": 20_000,
    "pseudo-Newton": 110_000,
    "time-weighted pseudo-Newton": 80_000,
    "multigrid": 30_000,
    "discrete errors": 55_000,
    "annealing": 1_200_000,
    "EM": 4000,
}


@dataclass(frozen=True)
class Bengio1993Parity(Protocol1993):
    """Error and presentations by method and length."""

    @property
    def tables(self) -> Tables:
        return Tables(
            "tables 3 and 4",
            {it: Parity(longest=it) for it in _LENGTHS},
            net=FullyRecurrent(
                hidden=1, squashing=Tanh(), hidden_first=True, hidden_bias=True, width=0.5
            ),
            threshold=ThresholdNet(
                hidden=1, hidden_first=True, hidden_bias=True, output_bias=True, reset=-1.0,
                margin=1.0, limits=(-0.3, 0.3),
            ),
            discrete=Descent(DiscreteError(), SGD(lr=0.1)),
            states=StateNetwork.parity(),
            em=ExpectationMaximization(
                batch=10, update=SGD(lr=1.0), determinant=1.0, fall=0.7, rise=1.5, window=50
            ),
            printed=_PRINTED,
            caps=_CAPS,
        )  # fmt: skip
