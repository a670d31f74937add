"""A set grows by what the net errs on, and only once it is learned."""

import pytest
import torch

from farback.cells import SecondOrder
from farback.draws import Draws
from farback.engine.reference import running
from farback.errors import WrongUsage
from farback.learners import Descent, GrowingSet
from farback.learners.gradients import BPTT, RTRL
from farback.learners.updates import SGD, Momentum
from farback.problem import Problem, Trials, answer
from farback.tasks import DualParity
from farback.testing import check_learner
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise

TASK = DualParity(short=3, longest=4, tested=6, added=0)
PROBLEM = Problem(SecondOrder(hidden=2), TASK)
SEEDS = (0, 4)


@pytest.mark.parametrize("most", [1, 3])
def test_it_is_the_descent_on_a_set_that_grows(most: int) -> None:
    assert TASK.training == 15
    descent = Descent(BPTT(), Momentum(lr=0.5))
    learner = GrowingSet(descent, size=15, first=2, most=most)
    net = Trials(PROBLEM)
    whole, shown = TASK.training_set(Draws(SEEDS, "set", count=15)), [0, 0]
    with running():
        params = net.parameters(SEEDS, torch.float64)
        memory = learner.init(net, params, SEEDS)
        sets: list[list[int]] = [[0, 1], [0, 1]]
        alone = [{name: it[[row]] for name, it in params.items()} for row in range(2)]
        mine = [descent.init(net, it, [seed]) for it, seed in zip(alone, SEEDS, strict=True)]
        for _ in range(40):
            for row in range(2):
                own = whole.trials([row])
                right = TASK.right(answer(net, alone[row], own)[: own.steps], own)[0].tolist()
                if all(right[it] for it in sets[row]):
                    wrong = [it for it in range(15) if not right[it] and it not in sets[row]]
                    sets[row] = sorted(sets[row] + wrong[:most])
                for place in sets[row]:
                    found = descent.step(net, alone[row], mine[row], own.rows(place, 1))
                    alone[row], mine[row] = found.params, found.memory
                    shown[row] += 1
            learned = learner.step(net, params, memory, whole)
            params, memory = learned.params, learned.memory
    assert min(len(it) for it in sets) > 2
    for row in range(2):
        assert memory["member"][row].nonzero().flatten().tolist() == sets[row]
        for name, value in params.items():
            torch.testing.assert_close(value[row], alone[row][name][0], rtol=0, atol=1e-9)
    counted = learner.counted(memory)
    assert counted["epochs"].tolist() == [40.0, 40.0]
    assert counted["members"].tolist() == [float(len(it)) for it in sets]
    assert counted["learned"].tolist() == shown and min(shown) > 80
    passes = learner.passes(memory, 40 * 15)
    assert torch.as_tensor(passes.forward).tolist() == [40 * 15 + it for it in shown]
    assert torch.as_tensor(passes.backward).tolist() == shown


@pytest.mark.slow
def test_it_keeps_the_contract() -> None:
    learner = GrowingSet(Descent(RTRL(), SGD(0.1)), size=15, first=3, most=2)
    check_learner(learner, PROBLEM, unfit=Problem(LearnedStart(), Noise()))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"first": 16}, "size"), ({"most": 0}, "most"), ({"descent": Descent(BPTT(), SGD(), 2)}, "1")],
)
def test_choices_that_make_no_set_are_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(WrongUsage, match=told):
        GrowingSet(**({"descent": Descent(BPTT(), SGD()), "size": 15} | wrong))  # type: ignore
