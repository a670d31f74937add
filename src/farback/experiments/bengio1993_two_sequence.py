"""Seven methods on the 2-sequence problem, by the length of its sequences: tables 1 and 2.

The net of the gradient and search methods is fully recurrent with 5 units and without biases, 25
weights; the input is added to one unit; discrete errors train threshold units instead, whose
targets are -1 and 1 (at a rate of ours). EM has 7 states: an initial one and two chains of three.

What the source leaves open: the two patterns. Drawn for each trial, three numbers uniform in [-1,
1], they often lie so close that no method can tell them apart through the noise (`patterns=None`
shows it); since EM errs in no trial at any length, the source's were well apart. Here they are
three times -0.8 and three times 0.8.

Reference: Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to Backpropagation,
1993, tables 1 and 2.
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
from ..tasks.bengio1994_two_sequence import Bengio1994TwoSequence
from ._protocol1993 import Protocol1993, Tables

_LENGTHS = 5, 10, 20, 50, 100

_PRINTED = {
    "back-propagation": ((58, 56, 43, 53, 50), (2.9e3, 3.0e3, 2.9e3, 3.0e3, 2.8e3)),
    "pseudo-Newton": ((2, 3, 10, 25, 29), (5.1e2, 1.1e3, 1.9e3, 2.6e3, 2.5e3)),
    "time-weighted pseudo-Newton": ((0, 0, 9, 34, 14), (5.4e2, 4.3e2, 2.4e3, 2.9e3, 2.7e3)),
    "multigrid": ((2, 6, 1, 3, 6), (4.1e3, 5.8e3, 2.5e3, 3.9e3, 6.4e3)),
    "discrete errors": ((6, 16, 29, 23, 22), (6.6e2, 1.3e3, 2.1e3, 2.1e3, 2.1e3)),
    "annealing": ((6, 0, 7, 4, 11), (2.0e5, 3.9e4, 8.2e4, 7.7e4, 4.3e4)),
    "EM": ((0, 0, 0, 0, 0), (3.2e3, 4.0e3, 2.9e3, 3.2e3, 2.9e3)),
}
"""Error in per cent and presentations by length."""

_CAPS = {
    "back-propagation": 3000,
    "pseudo-Newton": 3000,
    "time-weighted pseudo-Newton": 3000,
    "multigrid": 10_000,
    "discrete errors": 3000,
    "annealing": 200_000,
    "EM": 4000,
}

Patterns = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True)
class Bengio1993TwoSequence(Protocol1993):
    """Error and presentations by method and length.

    Args:
        patterns: of the low and of the high class; None for each trial's own.
    """

    patterns: Patterns | None = ((-0.8, -0.8, -0.8), (0.8, 0.8, 0.8))

    @property
    def tables(self) -> Tables:
        return Tables(
            "tables 1 and 2",
            {it: Bengio1994TwoSequence(steps=it, patterns=self.patterns) for it in _LENGTHS},
            net=FullyRecurrent(hidden=4, additive=True, squashing=Tanh(), width=0.5),
            threshold=ThresholdNet(hidden=4, additive=True),
            discrete=Descent(DiscreteError(), SGD(lr=0.003)),
            states=StateNetwork.two_sequence(),
            em=ExpectationMaximization(batch=10, update=SGD(lr=1.0)),
            printed=_PRINTED,
            caps=_CAPS,
        )
