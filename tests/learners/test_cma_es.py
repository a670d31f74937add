"""CMA-ES is the library's, asked and told by trial and generation, on sequences that are shared."""

import pickle
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import farback as fb
from farback import tasks
from farback.cells import LatchingNeuron
from farback.draws import Draws, seed_of
from farback.engine.reference import running
from farback.errors import InputRefused, WrongUsage
from farback.learners import CMAES
from farback.problem import Problem, Trials
from farback.testing import check_learner
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise
from farback.types import Params, Sequences

SMALL = Problem(LearnedStart(), Noise(steps=8))
SEEDS = (3, 8)


def learned(learner: CMAES, generations: int, dtype: torch.dtype = torch.float64):
    """Parameters, memory and losses after each generation."""
    net = Trials(SMALL)
    with running():
        params = net.parameters(SEEDS, dtype)
        memory, met = learner.init(net, params, SEEDS), []
        for step in range(generations):
            met.append(learner.step(net, params, memory, drawn(learner, step).to(dtype)))
            params, memory = met[-1].params, met[-1].memory
    return met


def drawn(learner: CMAES, step: int) -> Sequences:
    count = learner.presented
    return SMALL.task.sample(Draws(SEEDS, "here", first=step * count, count=count))


def error_of(vector: np.ndarray, like: Params, sequence: Sequences) -> float:
    """The error of one candidate on one sequence, by a loop over the steps."""
    params, begin = {}, 0
    for name, value in like.items():
        part = vector[begin : begin + value.numel()]
        params[name], begin = torch.from_numpy(part).reshape(value.shape), begin + value.numel()
    state, error = SMALL.cell.start(params), 0.0
    for t in range(sequence.steps):
        state = SMALL.cell.step(params, state, sequence.inputs[t])
        output = SMALL.cell.read(params, state, sequence.inputs[t])
        error += float(sequence.scored[t] * SMALL.task.loss(output, sequence.targets[t]))
    return error


@pytest.mark.parametrize("best", [False, True])
def test_a_trial_is_the_librarys_loop_over_shared_sequences(best: bool) -> None:
    from cmaes import CMA

    learner = CMAES(population=6, sigma=0.3, batch=2, best=best)
    found = learned(learner, 4)
    for trial, seed in enumerate(SEEDS):
        like = SMALL.parameters(seed)
        mean = torch.cat([it.flatten() for it in like.values()]).numpy()
        search = CMA(mean=mean, sigma=0.3, population_size=6)
        for step, one in enumerate(found):
            search.reseed_rng(seed_of(seed, f"generation {step}") % 2**32)
            asked = [search.ask() for _ in range(6)]
            shared = [drawn(learner, step).one(trial, row) for row in range(2)]
            errors = [np.mean([error_of(x, like, it) for it in shared]) for x in asked]
            search.tell(list(zip(asked, errors, strict=True)))
            # Axes of equal width are found anew in each generation, and turn with the last digit
            # of the covariances, of which the library writes one half.
            search = pickle.loads(pickle.dumps(search))
            expected = asked[int(np.argmin(errors))] if best else search.mean
            mine = torch.cat([it[trial].flatten() for it in one.params.values()])
            np.testing.assert_allclose(mine.numpy(), expected, rtol=0, atol=1e-9)


def test_a_generation_counts_every_answer_of_every_candidate() -> None:
    learner = CMAES(population=6, batch=5)
    assert learner.presented == 30
    (one,) = learned(learner, 1)
    assert one.loss.shape == (2, 30)


def test_candidates_without_a_finite_error_are_worse_than_any_other() -> None:
    # Within float32 a standard deviation of 1e19 leaves no squared error finite.
    found = learned(CMAES(population=4, sigma=1e19), 3, torch.float32)
    assert all(it.isfinite().all() for it in found[-1].params.values())


def test_a_search_that_goes_beyond_all_bounds_has_diverged() -> None:
    (one,) = learned(CMAES(sigma=9e29), 1)
    assert not any(it.isfinite().any() for it in one.params.values())


def test_a_search_that_is_at_its_end_stays_where_it_is() -> None:
    # A width that no number of its size feels: the library stops at once.
    learner = CMAES(sigma=1e-18)
    net = Trials(SMALL)
    with running():
        params = net.parameters(SEEDS, torch.float64)
        memory = learner.init(net, params, SEEDS)
        one = learner.step(net, params, memory, drawn(learner, 0))
    assert all(torch.equal(one.params[name], value) for name, value in params.items())
    assert torch.equal(one.memory["search"], memory["search"])


@pytest.mark.slow
def test_it_learns_and_a_trial_comes_out_the_same_among_others() -> None:
    study = LatchingNeuron(), tasks.Latch(steps=9), CMAES(population=10, batch=4)
    options = {"sequences": 4000, "check": 200, "group": 3, "progress": False}
    several, one = (fb.train(*study, seeds=it, **options) for it in ([0, 1, 2], [1]))
    assert [run.outcome for run in several] == ["solved"] * 3
    assert (several[1].measures, several[1].curve) == (one[0].measures, one[0].curve)


@pytest.mark.slow
def test_the_best_candidate_keeps_the_contract_too() -> None:
    check_learner(CMAES(population=4, batch=2, best=True), SMALL)


def test_without_the_library_it_is_refused_with_the_name_of_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(InputRefused, match=r"pip install 'farback\[search\]'"):
        CMAES().fits(SMALL)


@pytest.mark.parametrize("wrong", [{"population": 3}, {"batch": 0}, {"sigma": 0.0}])
def test_a_number_out_of_its_range_is_refused_by_its_name(wrong: dict[str, float]) -> None:
    with pytest.raises(WrongUsage, match=next(iter(wrong))):
        replace(CMAES(), **wrong)  # type: ignore
