"""EM: counts as alpha and beta have them, a likelihood that never falls, and what it learns."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from alpha_beta import counts
from asked import Asked
from hmmlearn.hmm import CategoricalHMM
from hypothesis import given, settings
from hypothesis import strategies as st

from farback import cells, tasks
from farback.cells._state_distribution import StateDistribution
from farback.draws import Draws
from farback.engine.reference import running
from farback.errors import WrongUsage
from farback.learners import ExpectationMaximization
from farback.learners._likelihood import likelihood, named
from farback.learners.updates import SGD
from farback.problem import Problem, Trials
from farback.types import Params, Sequences

SEEDS = (2, 7)
CHAIN = ((0, 1, 2), (1, 2), (2, 0))

TABLES: list[tuple[StateDistribution, Asked]] = [
    (cells.StateNetwork(bounds=(-0.3, 0.4)), Asked()),
    (cells.StateNetwork(states=3, bounds=(), graph=CHAIN, final=((0, 2), (1,))), Asked(symbols=4)),
    (cells.IOHMM(states=3, bounds=(0.1,)), Asked(whole=True)),
    (cells.IOHMM(states=3, bounds=(0.1,), driven=False), Asked(whole=True)),
    (cells.IOHMM(states=3, bounds=(), graph=CHAIN, targets=None), Asked(symbols=2, classes=3)),
]
NETWORKS: list[tuple[StateDistribution, Asked]] = [
    (cells.StateNetwork(states=3, final=((0, 2), (1,))), Asked()),
    (cells.IOHMM(states=3, graph=CHAIN, targets=None), Asked(symbols=2, classes=3)),
    (cells.IOHMM(driven=False), Asked(whole=True)),
]


@cache
def trials(cell: StateDistribution, task: Any) -> Trials:
    return Trials(Problem(cell, task))  # its graphs are traced once


def drawn(
    cell: StateDistribution, task: Any, *, seeds: tuple[int, ...] = SEEDS, count: int = 4
) -> tuple[Trials, Params, Sequences]:
    net = trials(cell, task)
    sequences = task.sample(Draws(seeds, "training", count=count))
    return net, net.parameters(seeds, torch.float64), sequences


def one_by_one(net: Trials, params: Params, sequences: Sequences) -> Any:
    """log L and the counts of each sequence, by the recursions: [R][B]."""
    cell: Any = net.cell
    rows = range(sequences.alive.shape[2])
    return [
        [counts(cell, {k: v[r] for k, v in params.items()}, sequences.one(r, b)) for b in rows]
        for r in range(sequences.alive.shape[1])
    ]


@pytest.mark.parametrize(("cell", "task"), TABLES, ids=repr)
def test_probability_times_gradient_is_the_expected_count(
    cell: StateDistribution, task: Asked
) -> None:
    net, params, sequences = drawn(cell, task)
    log, gradient = likelihood(net, cell, params, sequences)
    for r, each in enumerate(one_by_one(net, params, sequences)):
        np.testing.assert_allclose(log[r].numpy(), [it.log for it in each], atol=1e-10)
        for name, own in params.items():
            found = (own * gradient[name])[r].numpy()
            expected = sum(getattr(it, name) for it in each)
            np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize(("cell", "task"), TABLES, ids=repr)
def test_a_step_of_em_is_the_counts_over_their_sum(cell: StateDistribution, task: Asked) -> None:
    net, params, sequences = drawn(cell, task)
    learner = ExpectationMaximization(batch=4)
    learned = learner.step(net, params, learner.init(net, params, SEEDS), sequences)
    for r, each in enumerate(one_by_one(net, params, sequences)):
        for name, own in params.items():
            expected = sum(getattr(it, name) for it in each)
            total = expected.sum(-1, keepdims=True)
            used = np.where(total > 0, expected / np.where(total > 0, total, 1), own[r].numpy())
            np.testing.assert_allclose(learned.params[name][r].numpy(), used, atol=1e-10)


@pytest.mark.parametrize("determinant", [0.0, 0.7])
@pytest.mark.parametrize(("cell", "task"), [TABLES[0], *TABLES[3:], *NETWORKS], ids=repr)
def test_the_gradient_of_the_criterion_is_that_of_finite_differences(
    cell: StateDistribution, task: Asked, determinant: float
) -> None:
    net, params, sequences = drawn(cell, task, seeds=(3,))
    found = likelihood(net, cell, params, sequences, determinant).gradient

    def criterion(params: Params) -> float:
        """Step by step, without scaling."""
        total = 0.0
        for b in range(sequences.alive.shape[2]):
            one, zeta, size = sequences.one(0, b), cell.start(params), []
            for x, y, asked in zip(one.inputs, one.targets, one.scored, strict=True):
                phi = cell.transition(params, x)
                size.append(abs(np.linalg.det(phi.numpy())))
                zeta = zeta @ phi
                if asked:
                    zeta = zeta * (cell.emission(params, x) @ named(cell, y))
            total += float(torch.log(zeta.sum())) + determinant * float(np.mean(size))
        return total

    own = {name: value[0] for name, value in params.items()}
    for name, value in own.items():
        for place in np.ndindex(*value.shape):
            moved = []
            for by in (1e-6, -1e-6):
                other = value.clone()
                other[place] += by
                moved.append(criterion(own | {name: other}))
            expected = (moved[0] - moved[1]) / 2e-6
            assert float(found[name][0][place]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(TABLES), st.integers(1, 12))
def test_the_likelihood_never_falls(
    seed: int, problem: tuple[StateDistribution, Asked], steps: int
) -> None:
    net, params, sequences = drawn(*problem, seeds=(seed,))
    learner, before = ExpectationMaximization(batch=4), -np.inf
    memory = learner.init(net, params, SEEDS)
    for _ in range(steps):
        now = float(likelihood(net, problem[0], params, sequences).log.sum())
        assert now >= before - 1e-10 * max(1, abs(now))
        before = now
        params, memory, *_ = learner.step(net, params, memory, sequences)


@pytest.mark.parametrize("symbols", [2, 5])
def test_a_plain_hmm_is_that_of_hmmlearn(symbols: int) -> None:
    """Input without a meaning, an output at every step, and a learned start."""
    n = 3
    everywhere = tuple(range(1, n + 1))
    cell = cells.IOHMM(states=n + 1, bounds=(), graph=(everywhere,) * (n + 1), targets=None)
    task = Asked(steps=12, classes=symbols, whole=True)
    net, params, sequences = drawn(cell, task, seeds=(5,), count=30)
    lengths = sequences.lengths[0]
    said = [sequences.targets[:it, 0, b].argmax(-1) for b, it in enumerate(lengths.tolist())]

    theirs = CategoricalHMM(n_components=n, n_iter=4, tol=-np.inf, init_params="")
    table = params["transition"][0, 0].numpy()
    theirs.startprob_, theirs.transmat_ = table[0, 1:], table[1:, 1:]
    theirs.emissionprob_ = params["emission"][0, 0, 1:].numpy()
    observed = torch.cat(said).numpy()[:, None]
    ours = float(likelihood(net, cell, params, sequences).log.sum())
    assert ours == pytest.approx(theirs.score(observed, lengths.numpy()), abs=1e-8)

    theirs.fit(observed, lengths.numpy())
    learner = ExpectationMaximization(batch=30)
    memory = learner.init(net, params, SEEDS)
    for _ in range(theirs.monitor_.iter):
        params, memory, *_ = learner.step(net, params, memory, sequences)
    table = params["transition"][0, 0].numpy()
    for found, expected in (
        (table[0, 1:], theirs.startprob_),
        (table[1:, 1:], theirs.transmat_),
        (params["emission"][0, 0, 1:].numpy(), theirs.emissionprob_),
    ):
        np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_500_outputs_do_not_underflow(dtype: torch.dtype) -> None:
    cell = cells.IOHMM(states=2, targets=None)
    task = Asked(steps=500, classes=8, whole=True)
    net, params, sequences = drawn(cell, task)
    params = {name: value.to(dtype) for name, value in params.items()}
    with running():
        log, gradient = likelihood(net, cell, params, sequences.to(dtype))
    length = sequences.lengths.max()
    assert log.min() < -500 and log.min() > -3 * length
    assert all(it.isfinite().all() and it.abs().max() > 0 for it in gradient.values())


def test_what_cannot_be_teaches_nothing() -> None:
    cell = cells.StateNetwork(bounds=())
    net, params, sequences = drawn(cell, tasks.Parity(longest=6))
    stay = torch.eye(2, dtype=torch.float64).expand_as(params["transition"])
    log, gradient = likelihood(net, cell, {"transition": stay}, sequences)
    right = sequences.targets.sum(0)[..., 0] < 0
    assert (log[right] == 0).all() and (log[~right] < -350).all()
    assert gradient["transition"].isfinite().all()


def test_a_step_of_the_update_goes_along_the_mean_gradient_of_log_likelihood() -> None:
    net, params, sequences = drawn(*NETWORKS[0])
    learner = ExpectationMaximization(batch=4, update=SGD(lr=0.3))
    learned = learner.step(net, params, learner.init(net, params, SEEDS), sequences)
    gradient = likelihood(net, NETWORKS[0][0], params, sequences).gradient["transition"]
    expected = params["transition"] + 0.3 * gradient / 4
    torch.testing.assert_close(learned.params["transition"], expected, rtol=0, atol=1e-12)


@pytest.mark.slow
def test_the_scale_falls_where_the_likelihood_improves_and_rises_where_it_is_flat() -> None:
    net, params, sequences = drawn(*NETWORKS[0])
    learner = ExpectationMaximization(
        batch=4, update=SGD(lr=0.3), fall=0.5, rise=2.0, window=8, gain=0.02, highest=4.0
    )
    memory, means = learner.init(net, params, SEEDS), []
    scale, seen = torch.ones(2, dtype=torch.float64), set[float]()
    for number in range(1, 61):
        log = likelihood(net, NETWORKS[0][0], params, sequences).log
        means.append(log.mean(1))
        params, memory, *_ = learner.step(net, params, memory, sequences)
        if number % 2 == 0 and number > 2:
            now, before = (means[-1] + means[-2]) / 2, (means[-3] + means[-4]) / 2
            scale = (scale * torch.where(now > before + 0.02, 0.5, 2.0)).clamp(1 / 4, 4)
        torch.testing.assert_close(memory["scale"], scale)
        seen |= {float(it) for it in scale}
    assert seen >= {0.5, 1.0, 2.0, 4.0}


WRONG = [
    (ExpectationMaximization(), cells.Elman(), tasks.Parity(), "expected a cell whose state is a"),
    (ExpectationMaximization(), cells.StateNetwork(), tasks.Parity(), "without an update"),
    (
        ExpectationMaximization(update=SGD()),
        cells.StateNetwork(bounds=(0.0,)),
        tasks.Parity(),
        "expected the exact M step",
    ),
    (
        ExpectationMaximization(),
        cells.StateNetwork(bounds=(0.0,)),
        tasks.Parity(low=0.0, high=1.0),
        r"asks for \[[01].0\], expected the name of a class, of \[\[-0.8\], \[0.8\]\]",
    ),
    (
        ExpectationMaximization(),
        cells.IOHMM(bounds=()),
        tasks.Adding(length=10),
        "expected the name of a class",
    ),
]


@pytest.mark.parametrize(("learner", "cell", "task", "why"), WRONG)
def test_what_it_cannot_learn_on_is_refused_in_a_sentence(
    learner: ExpectationMaximization, cell: Any, task: Any, why: str
) -> None:
    with pytest.raises(WrongUsage, match=why):
        learner.fits(Problem(cell, task))


@pytest.mark.parametrize(
    "wrong",
    [{"fall": 0.0}, {"fall": 0.9}, {"rise": 1.5}, {"batch": 0}, {"determinant": -1.0}],
    ids=repr,
)
def test_a_rule_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(WrongUsage, match="try"):
        ExpectationMaximization(**wrong)
