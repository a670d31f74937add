"""The native engine learns as the reference engine does, step for step."""

import numpy as np
import pytest
import torch
from small_trials import STUDIES, drawn, learn
from torch.utils import _pytree as pytree

from farback.engine.reference import running
from farback.problem import CHUNK, Trials

TRIALS = 3
STEPS = 50


def referred(name: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Parameters and memory of some trials after some steps, and the loss of each."""
    problem, learner = STUDIES[name]
    with running():
        net, losses = Trials(problem), []
        params = net.parameters(range(TRIALS), torch.float64)
        memory = learner.init(net, params, range(TRIALS))
        sequences = drawn(name, STEPS)
        for step in range(STEPS):
            some = sequences.rows(step * learner.presented, learner.presented)
            mine = some._with(lambda it: it[:, :TRIALS]).padded(CHUNK)
            learned = learner.step(net, params, memory, mine)
            params, memory = learned.params, learned.memory
            losses.append(learned.loss.numpy())
        return [*map(_flat, (params, memory))], losses


def _flat(tree) -> np.ndarray:
    leaves = [it.reshape(TRIALS, -1) for it in pytree.tree_leaves(tree)]
    return torch.cat(leaves, 1).numpy() if leaves else np.zeros((TRIALS, 0))


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_fifty_steps_of_learning_agree_with_the_reference(name: str) -> None:
    found = learn(name, torch.float64, 1, range(TRIALS), calls=[STEPS])
    (params, memory), losses = referred(name)
    np.testing.assert_allclose(found.params, params, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.memory, memory, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.loss, np.concatenate(losses, 1), rtol=1e-9, atol=1e-9)
