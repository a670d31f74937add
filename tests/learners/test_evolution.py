"""Evolutionary programming: what a mutation does, who stays, and that it learns."""

import math

import numpy as np
import pytest
import torch

from farback import tasks
from farback.cells import Elman, FullyRecurrent
from farback.engine.native import Told
from farback.errors import WrongUsage
from farback.learners import Evolution
from farback.learners._learner import Memory
from farback.learners._mutation import (
    Drawn,
    Net,
    drawn,
    flat,
    fresh,
    mutated,
    normal,
    parted,
    picked,
    possible,
    sizes_of,
)
from farback.problem import Problem
from farback.types import Params

CELL = FullyRecurrent(hidden=4, hidden_bias=True, output_bias=True)
TASK = tasks.Parity(longest=4, strings=5)
PARAMS = {name: it.double() for name, it in Problem(CELL, TASK).parameters(0).items()}
LINKS, HIDDEN, UNITS, INPUTS = 35, 4, 5, 1
ALWAYS, NEVER = (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 0.0)


def chances(seed: int) -> Drawn:
    size = sum(sizes_of(PARAMS, 3, 5))
    numbers = torch.rand(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn(numbers, PARAMS, 3, 5)


def child(net: Net, heat: float, seed: int, odds: tuple[float, float, float, float]) -> Net:
    hot = torch.tensor(heat, dtype=torch.float64)
    return mutated(
        net, hot, chances(seed), PARAMS, alpha=1.0, nodes=(1, 3), links=(1, 5), odds=odds
    )


def slow_possible(nodes: list[int]) -> list[int]:
    """Link by link: its end, and where it comes from, must be there."""
    there = [*nodes, 1]
    weights = [
        there[unit] * (1 if seen < INPUTS else there[seen - INPUTS])
        for unit in range(UNITS)
        for seen in range(INPUTS + UNITS)
    ]
    return [*weights, *nodes, 1]


def test_a_link_may_be_where_both_of_its_ends_are() -> None:
    for code in range(2**HIDDEN):
        nodes = [code >> at & 1 for at in range(HIDDEN)]
        found = possible(torch.tensor(nodes, dtype=torch.float64), PARAMS)
        assert found.tolist() == slow_possible(nodes)


@pytest.mark.parametrize("seed", range(5))
def test_nets_keep_their_masks_over_many_mutations(seed: int) -> None:
    net = fresh(chances(seed), PARAMS, 1.0)
    for step in range(60):
        net = child(net, 1.0, 1000 * seed + step, (0.5, 0.5, 0.5, 0.5))
        assert set(torch.cat([net.links, net.nodes]).tolist()) <= {0.0, 1.0}
        assert (net.links <= possible(net.nodes, PARAMS)).all()
        assert (net.weights[net.links == 0] == 0).all()


def test_what_comes_is_unconnected_and_what_goes_takes_its_links_along() -> None:
    for seed in range(30):
        net = fresh(chances(seed), PARAMS, 1.0)
        more = child(net, 1.0, seed + 100, (1, 0, 0, 0))
        assert more.nodes.sum() > net.nodes.sum() or net.nodes.all()
        assert torch.equal(more.links, net.links)
        fewer = child(net, 1.0, seed + 200, (0, 1, 0, 0))
        assert fewer.nodes.sum() < net.nodes.sum() or not net.nodes.any()
        assert torch.equal(fewer.links, net.links * possible(fewer.nodes, PARAMS))


def test_new_links_have_weight_0_and_links_go() -> None:
    for seed in range(30):
        net = fresh(chances(seed), PARAMS, 1.0)
        most = int((possible(net.nodes, PARAMS) - net.links).sum())
        joined = child(net, 1.0, seed + 100, (0, 0, 1, 0))
        new = (joined.links - net.links) == 1
        assert min(most, 1) <= new.sum() <= min(most, 5)
        assert (joined.weights[new] == 0).all()
        assert (joined.links >= net.links).all()
        parted_ = child(net, 1.0, seed + 200, (0, 0, 0, 1))
        gone = int((net.links - parted_.links).sum())
        assert min(int(net.links.sum()), 1) <= gone <= 5


def test_without_heat_a_child_has_its_parents_weights_and_the_fewest_changes() -> None:
    net = fresh(chances(3), PARAMS, 1.0)
    assert all(map(torch.equal, child(net, 0.0, 4, NEVER), net))
    for seed in range(20):
        cold = child(net, 0.0, seed, (0, 0, 1, 0))
        assert cold.links.sum() == net.links.sum() + 1
        assert torch.equal(cold.weights, net.weights)


def test_weights_change_by_a_normal_number_times_the_heat() -> None:
    full = Net(
        torch.zeros(LINKS, dtype=torch.float64),
        torch.ones(LINKS, dtype=torch.float64),
        torch.ones(HIDDEN, dtype=torch.float64),
    )
    moves = torch.stack([child(full, 0.3, seed, NEVER).weights for seed in range(2000)])
    assert moves.std().item() == pytest.approx(0.3, rel=0.02)
    assert moves.mean().item() == pytest.approx(0.0, abs=0.005)


def test_normal_numbers_have_the_moments_of_a_gaussian() -> None:
    numbers = torch.rand(200_000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = normal(numbers)
    moments = [(found**power).mean().item() for power in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3], atol=0.05)
    assert torch.corrcoef(found.reshape(2, -1))[0, 1].abs() < 0.01
    assert normal(torch.zeros(2)).isfinite().all()


def test_each_of_the_places_is_picked_as_often_and_none_twice() -> None:
    places = torch.tensor([1.0, 0, 1, 1, 0, 1], dtype=torch.float64)
    rolls = torch.rand(8000, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    counts = torch.stack([picked(places, torch.tensor(2.0), roll) for roll in rolls])
    assert (counts.sum(1) == 2).all()
    np.testing.assert_allclose(counts.mean(0), places / 2, atol=0.02)
    pairs = counts.T @ counts / len(counts)  # each pair of the four as often: one of six
    np.testing.assert_allclose(pairs[0][[2, 3, 5]], 1 / 6, atol=0.02)
    assert torch.equal(picked(places, torch.tensor(9.0), torch.full((6,), 0.99)), places)


@pytest.mark.parametrize("at", [2**-24, 1 / 3, 1 - 2**-24])
def test_a_place_is_picked_whatever_is_drawn_in_float32(at: float) -> None:
    for count in range(1, 200):
        found = picked(torch.ones(count), torch.tensor(1.0), torch.tensor([at]))
        assert found.sum() == 1


def ran(search: Evolution, errors: list[float]) -> list[tuple[Params, Memory]]:
    """One trial whose nets have these errors, in the order in which they are tried."""
    params, memory = PARAMS, search.begin(PARAMS)
    rolls = torch.rand(
        len(errors),
        search.chances(PARAMS),
        generator=torch.Generator().manual_seed(5),
        dtype=torch.float64,
    )
    seen = []
    for error, roll in zip(errors, rolls, strict=True):
        params, memory = search.propose(params, memory, roll)
        loss = torch.full((1,), error, dtype=torch.float64)
        tried = params
        params, memory = search.judge(params, memory, Told(loss, loss * 0, roll))
        seen.append((tried, params, memory))
    return seen


def same(one: Params, other: Params) -> bool:
    return torch.equal(flat(one), flat(other))


def test_ranks_are_those_of_a_stable_sort() -> None:
    errors = [3.0, 1.0, 2.0, 1.0, math.nan, 3.0, 0.5]
    memory = ran(Evolution(population=7), errors)[-1][-1]
    known = np.where(np.isnan(errors), np.inf, errors)
    assert memory["ranks"].tolist() == np.argsort(np.argsort(known, kind="stable")).tolist()
    assert memory["errors"].tolist() == known.tolist()
    assert memory["generations"] == 1


def test_the_better_half_is_tried_again_and_the_best_has_its_child_in_the_first_that_goes() -> None:
    errors = [0.4, 0.1, 0.3, 0.2]
    search = Evolution(population=4, worst=1.0, odds=NEVER, instantaneous=False)
    tried = [it[0] for it in ran(search, errors * 2)]
    first, second = tried[:4], tried[4:]
    assert same(second[1], first[1]) and same(second[3], first[3])
    # Rank 2 becomes the child of rank 0, rank 3 that of rank 1.
    memory = ran(search, errors)[-1][-1]
    nets = [parted(row, PARAMS) for row in memory["population"]]
    rolls = torch.rand(
        8, search.chances(PARAMS), generator=torch.Generator().manual_seed(5), dtype=torch.float64
    )
    for slot, parent, heat in ((2, 1, 0.1), (0, 3, 0.2)):
        noise = normal(drawn(rolls[4 + slot], PARAMS, 3, 5).weights)[:LINKS]
        expected = nets[parent].weights + heat * nets[parent].links * noise
        torch.testing.assert_close(flat(second[slot]), expected, rtol=0, atol=1e-15)


def test_the_temperature_is_the_error_over_the_worst_and_at_most_1() -> None:
    search = Evolution(population=2, worst=0.5, odds=NEVER, instantaneous=False)
    noises = []
    for error in (0.1, 0.25, 0.5, 7.0):
        seen = ran(search, [error, 9.0, error, 9.0])
        noises.append(flat(seen[3][0]) - flat(seen[0][0]))
    assert noises[0].abs().sum() > 0
    for factor, noise in zip((0.2, 0.5, 1.0, 1.0), noises, strict=True):
        torch.testing.assert_close(noise, factor * noises[-1], rtol=1e-12, atol=1e-12)


def test_where_errors_are_exact_the_best_net_so_far_is_shown() -> None:
    """The errors of parents are given again, as an exact one would be."""
    rolls, known = np.random.default_rng(0), [2.0, 3.0, 1.5, 4.0, 2.5, 3.5]
    search = Evolution(population=6)
    errors = list(known)
    for _ in range(5):
        ranks = np.argsort(np.argsort(known, kind="stable"))
        known = [
            it if rank < 3 else rolls.uniform(1, 5) for it, rank in zip(known, ranks, strict=True)
        ]
        errors += known
    best, lowest = PARAMS, math.inf
    for error, (tried, shown, _) in zip(errors, ran(search, errors), strict=True):
        if error < lowest:
            best, lowest = tried, error
        assert same(shown, best)


def test_a_lucky_net_is_forgotten_after_the_next_generation() -> None:
    seen = ran(Evolution(population=2), [0.1, 0.5, 0.6, 0.4])
    shown = [it[1] for it in seen]
    assert same(shown[2], seen[0][0])
    assert same(shown[3], seen[3][0])


def test_no_net_that_answers_nonsense_is_shown() -> None:
    seen = ran(Evolution(population=2), [math.nan, math.inf, math.nan])
    assert all(same(it[1], PARAMS) for it in seen)


def test_what_is_counted_is_that_of_the_best_net() -> None:
    search = Evolution(population=3)
    _, shown, memory = ran(search, [0.4, 0.3, 0.2, 0.5])[-1]
    counts = search.counted(
        {name: memory[name][None] for name in ("generations", "links", "nodes")}
    )
    assert counts["generations"].tolist() == [1.0]
    assert counts["links"].item() == (flat(shown) != 0).sum()
    assert counts["nodes"].item() == parted(memory["best"], PARAMS).nodes.sum()


def test_it_comes_close_to_sparse_weights() -> None:
    """An error in every weight, of which most should be 0; without any link it is 1."""
    places = torch.arange(LINKS) % 7 == 0
    target = torch.where(places, 2.0, 0.0).double()
    search = Evolution(population=10, worst=1.0)
    params, memory = PARAMS, search.begin(PARAMS)
    rolls = torch.rand(
        500,
        search.chances(PARAMS),
        generator=torch.Generator().manual_seed(6),
        dtype=torch.float64,
    )
    for roll in rolls:
        params, memory = search.propose(params, memory, roll)
        error = ((flat(params) - target) ** 2).sum() / (target**2).sum()
        params, memory = search.judge(params, memory, Told(error[None], error[None], roll))
    assert memory["lowest"][0] < 0.75
    assert ((flat(params) - target) ** 2).sum() == memory["lowest"][0] * (target**2).sum()


@pytest.mark.parametrize(
    "cell", [FullyRecurrent(), FullyRecurrent(hidden=2, hidden_bias=True, additive=True), Elman()]
)
def test_a_net_whose_hidden_units_it_cannot_tell_is_refused(cell) -> None:
    with pytest.raises(WrongUsage, match="hidden_bias=True"):
        Evolution().fits(Problem(cell, TASK))


@pytest.mark.parametrize(
    "options",
    [
        {"population": 1},
        {"worst": 0.0},
        {"alpha": -1.0},
        {"alpha": math.inf},
        {"width": 0.0},
        {"nodes": (3, 1)},
        {"links": (1, 2, 3)},
        {"odds": (0.5, 0.5, 0.5)},
        {"odds": (0.5, 0.5, 0.5, 1.5)},
    ],
)
def test_choices_that_make_no_evolution_are_refused(options) -> None:
    with pytest.raises(WrongUsage, match=f"{next(iter(options))} came as"):
        Evolution(**options)
