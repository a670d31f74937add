"""Every learner keeps the contract, and the contract sees what breaks it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import torch

from farback._catalogue import names
from farback.cells.fully_recurrent import FullyRecurrent
from farback.cells.io_hmm import IOHMM
from farback.cells.state_network import StateNetwork
from farback.cells.transition_hierarchy import TransitionHierarchy
from farback.draws import Draws
from farback.errors import WrongUsage
from farback.learners import BFGS, Annealing, Evolution, Guessing, HigherOrderGrowth, Multigrid
from farback.learners._learner import Count, Learned, Learner, Memory, Passes
from farback.learners.cma_es import CMAES
from farback.learners.construction import Construction
from farback.learners.descent import Descent
from farback.learners.expectation_maximization import ExpectationMaximization
from farback.learners.flossing import Flossing
from farback.learners.gradients._online import OnlineGradient
from farback.learners.gradients.bptt import BPTT
from farback.learners.gradients.one_step import OneStep
from farback.learners.gradients.rtrl import RTRL
from farback.learners.gradients.truncated_bptt import TruncatedBPTT
from farback.learners.updates.adam import Adam
from farback.learners.updates.chain import Chain
from farback.learners.updates.clip import Clip
from farback.learners.updates.momentum import Momentum
from farback.learners.updates.sgd import SGD
from farback.problem import Problem, Trials
from farback.tasks.parity import Parity
from farback.testing import check_learner
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise
from farback.types import Params, Sequences

CLIPPED = Chain((Clip(1.0), SGD(0.1)))

MADE: dict[str, list[Learner]] = {
    "descent": [
        Descent(BPTT(), CLIPPED),
        Descent(BPTT(), Adam(), batch=3),
        Descent(RTRL(), Momentum(), per_step=True),
        Descent(TruncatedBPTT(5, 3), Adam(), per_step=True),
        Descent(OneStep(), SGD(), batch=2, per_step=True),
    ],
    "annealing": [Annealing(), Annealing(batch=3, cycles=1, adaptations=1)],
    "guessing": [Guessing(), Guessing(batch=3, width=2.0)],
    "multigrid": [Multigrid(), Multigrid(batch=3, points=2, width=0.5, least=0.4)],
    "construction": [
        Construction(Descent(BPTT(), Adam(), batch=3), added=("U",), window=6, share=0.5),
        Construction(Descent(RTRL(), SGD(), per_step=True), added=("U", "start")),
    ],
    "evolution": [],  # below, on a cell of its own
    "higher_order_growth": [],  # the same
    "expectation_maximization": [],  # the same, and tasks
    "cascade_correlation": [],  # in test_cascade_correlation.py
    "chunking": [],  # in test_chunking.py
    "growing_set": [],  # in its own file
    "flossing": [Flossing(Descent(BPTT(), SGD(), batch=2), before=1, every=1)],
    "bfgs": [BFGS(batch=3, iterations=2), BFGS(batch=2, iterations=1, gradient=RTRL())],
    "cma_es": [CMAES(population=4, batch=2)],
}
"""Each member of the room as it is tried."""

EM: list[tuple[ExpectationMaximization, StateNetwork | IOHMM]] = [
    (ExpectationMaximization(batch=4), StateNetwork(bounds=(0.0,))),
    (ExpectationMaximization(batch=4, determinant=1.0), IOHMM(states=3, bounds=(-0.5, 0.5))),
    (
        ExpectationMaximization(batch=2, update=SGD(0.5), determinant=0.5, fall=0.7, window=4),
        StateNetwork(),
    ),
    (ExpectationMaximization(batch=1, update=Adam()), IOHMM(states=3)),
]
"""EM as it is tried, and on what."""

SMALL = Problem(LearnedStart(), Noise(steps=20))


def test_every_learner_is_tried() -> None:
    assert sorted(MADE) == names("learners")


@pytest.mark.slow
@pytest.mark.parametrize("learner", [it for made in MADE.values() for it in made], ids=repr)
def test_a_learner_keeps_the_contract(learner: Learner) -> None:
    check_learner(learner)


@pytest.mark.slow
@pytest.mark.parametrize(("learner", "cell"), EM, ids=repr)
def test_em_keeps_the_contract(
    learner: ExpectationMaximization, cell: StateNetwork | IOHMM
) -> None:
    task = Parity(longest=20)
    check_learner(learner, Problem(cell, task), unfit=Problem(LearnedStart(), task))


@pytest.mark.slow
@pytest.mark.parametrize("learner", [Evolution(), Evolution(batch=3, population=2)], ids=repr)
def test_evolution_keeps_the_contract(learner: Evolution) -> None:
    task = Parity(longest=20)
    cell = FullyRecurrent(hidden_bias=True)
    check_learner(learner, Problem(cell, task), unfit=Problem(FullyRecurrent(), task))


GROWTH = (
    HigherOrderGrowth(eta=0.3, sigma=0.5, theta=0.5),
    HigherOrderGrowth(sigma=0.3, theta=0.1, growth="log", frozen=False, always=True, reset=True),
)


@pytest.mark.slow
@pytest.mark.parametrize("learner", GROWTH, ids=repr)
def test_growth_keeps_the_contract(learner: HigherOrderGrowth) -> None:
    task = Parity(longest=20)
    cell = TransitionHierarchy(most=4, built=((0, 0),), width=0.3)
    check_learner(learner, Problem(cell, task), unfit=Problem(LearnedStart(), task))


@pytest.mark.parametrize(("window", "every", "updates"), [(3, 1, 19), (7, 5, 4), (9, 8, 3)])
def test_within_a_sequence_an_update_is_made_when_a_block_is_due(
    window: int, every: int, updates: int
) -> None:
    learner, net = Descent(TruncatedBPTT(window, every), Adam(), per_step=True), Trials(SMALL)
    params = net.parameters([0], torch.float64)
    sequences = SMALL.task.sample(Draws([0], "training", count=9)).to(torch.float64)
    longest = int(sequences.lengths.argmax())
    one = sequences.rows(longest, 1)
    assert one.steps == 19
    asked = replace(one, scored=torch.ones_like(one.scored))
    learned = learner.step(net, params, learner.init(net, params, [0]), asked)
    assert learned.memory["count"]["t"].tolist() == [updates]


@pytest.mark.parametrize("gradient", [RTRL(), OneStep(), TruncatedBPTT(3, 1)])
def test_within_a_sequence_nothing_is_updated_where_nothing_is_asked(
    gradient: OnlineGradient,
) -> None:
    learner, net = Descent(gradient, Adam(), per_step=True), Trials(SMALL)
    params = net.parameters([0], torch.float64)
    one = SMALL.task.sample(Draws([0], "training")).to(torch.float64)
    learned = learner.step(net, params, learner.init(net, params, [0]), one)
    assert learned.memory["count"]["t"].tolist() == [one.scored.sum()]
    assert 0 < one.scored.sum() < one.steps


@dataclass(frozen=True)
class Changed(Learner):
    """Descent with something wrong about it."""

    @property
    def presented(self) -> int:
        return 1

    def passes(self, memory: Memory, presented: Count) -> Passes:
        return Passes(presented, presented)

    def fits(self, problem: Problem) -> None:
        """Every problem."""

    def init(self, net: Trials, params: Params, seeds: Sequence[int]) -> Memory:
        return {}

    def wrong(self, params: Params, right: Learned) -> Learned:
        raise NotImplementedError

    def step(self, net: Trials, params: Params, memory: Memory, sequences: Sequences) -> Learned:
        return self.wrong(params, Descent(BPTT(), SGD()).step(net, params, memory, sequences))


@dataclass(frozen=True)
class Averaging(Changed):
    def wrong(self, params: Params, right: Learned) -> Learned:
        mean = {name: it.mean(0).expand_as(it) for name, it in right.params.items()}
        return right._replace(params=mean)


@dataclass(frozen=True)
class Writing(Changed):
    def wrong(self, params: Params, right: Learned) -> Learned:
        params["W"].mul_(0.9)
        return right


@dataclass(frozen=True)
class WrongLoss(Changed):
    def wrong(self, params: Params, right: Learned) -> Learned:
        return right._replace(loss=right.loss + 1)


@dataclass(frozen=True)
class Growing(Changed):
    def wrong(self, params: Params, right: Learned) -> Learned:
        return right._replace(memory=(right.memory, right.loss))


@dataclass(frozen=True)
class Diverging(Changed):
    def wrong(self, params: Params, right: Learned) -> Learned:
        return right._replace(params={name: it / 0 for name, it in right.params.items()})


@dataclass(frozen=True)
class Counting(Changed):
    """Knows how many steps it was padded to."""

    def wrong(self, params: Params, right: Learned) -> Learned:
        shift = 1e-9 * len(right.outputs)
        return right._replace(params={name: it + shift for name, it in right.params.items()})


@dataclass(frozen=True)
class Understating(Changed):
    def passes(self, memory: Memory, presented: Count) -> Passes:
        return Passes(presented / 2, presented)

    def wrong(self, params: Params, right: Learned) -> Learned:
        return right


@dataclass(frozen=True)
class Unfit(Changed):
    def wrong(self, params: Params, right: Learned) -> Learned:
        return right

    def fits(self, problem: Problem) -> None:
        raise WrongUsage("none will do.")


@pytest.mark.parametrize(
    ("learner", "claim"),
    [
        (Averaging(), "do not depend on the trials beside it"),
        (Writing(), "a step is pure"),
        (WrongLoss(), "its loss is the error of its outputs"),
        (Growing(), "parameters and memory keep"),
        (Diverging(), "parameters stay finite"),
        (Counting(), "padding changes nothing"),
        (Understating(), "it counts sequences and passes"),
    ],
    ids=lambda it: type(it).__name__ if isinstance(it, Learner) else "",
)
def test_the_contract_of_learners_sees_what_is_wrong(learner: Learner, claim: str) -> None:
    with pytest.raises(AssertionError, match=claim):
        check_learner(learner, SMALL)


def test_a_learner_that_refuses_what_it_is_tried_on_says_so_itself() -> None:
    with pytest.raises(WrongUsage, match="none will do"):
        check_learner(Unfit(), SMALL)


def test_a_learner_that_takes_an_unfit_problem_is_seen() -> None:
    with pytest.raises(AssertionError, match="should have raised WrongUsage"):
        check_learner(Descent(BPTT(), SGD()), SMALL, unfit=SMALL)
