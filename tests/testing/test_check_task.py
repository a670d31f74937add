"""The contract of a task finds what is broken, and says which claim and how."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np
import pytest
import torch
from torch import Tensor

from farback.draws import Draws
from farback.tasks._criterion import Criterion
from farback.tasks._task import Baseline, Lag, Task, at_end, sequences
from farback.testing import ContractBroken, check_task
from farback.types import Sequences

STEPS = 6
CALLS = count()


@dataclass(frozen=True)
class Sound(Task):
    """The sign of the first of six numbers; the others break one thing each."""

    @property
    def inputs(self) -> int:
        return 1

    @property
    def outputs(self) -> int:
        return 1

    @property
    def lag(self) -> Lag:
        return Lag(STEPS - 1, STEPS - 1)

    @property
    def criterion(self) -> Criterion:
        return Criterion(on=("last",), last=20)

    @property
    def baseline(self) -> Baseline | None:
        return Baseline((0.0,), right=0.5, error=1.0)

    def sample(self, draws: Draws) -> Sequences:
        return self.asked(draws.uniform(STEPS, low=-1.0, high=1.0), draws)

    def asked(self, numbers: np.ndarray, draws: Draws) -> Sequences:
        end = at_end(np.full(draws.shape, STEPS), STEPS)
        target = np.where(numbers[0] > 0, 1.0, -1.0)[..., None]
        return sequences(numbers[..., None], target, scored=end, alive=np.ones_like(end))

    def answer(self, inputs: Tensor) -> Tensor:
        return (2 * (inputs[:1] > 0).to(inputs) - 1).expand_as(inputs)

    def informative(self, inputs: Tensor) -> Tensor:
        return self.distractors(inputs).logical_not()

    def distractors(self, inputs: Tensor) -> Tensor:
        step = torch.arange(len(inputs)).reshape(-1, *(1,) * (inputs.ndim - 2))
        return (step > 0).expand(inputs.shape[:-1])

    def correct(self, outputs: Tensor, answers: Tensor) -> Tensor:
        return ((outputs > 0) == (answers > 0)).all(-1)


@dataclass(frozen=True)
class Forgetful(Sound):
    strength: float = 1.0

    def __repr__(self) -> str:
        return "Forgetful(strength=2.0)"


@dataclass(frozen=True)
class Shared(Sound):
    def sample(self, draws: Draws) -> Sequences:
        torch.rand(1)
        return super().sample(draws)


@dataclass(frozen=True)
class Single(Sound):
    def sample(self, draws: Draws) -> Sequences:
        return super().sample(draws).to(torch.float32)


@dataclass(frozen=True)
class Silent(Sound):
    def sample(self, draws: Draws) -> Sequences:
        drawn = super().sample(draws)
        return drawn._with(lambda it: it * 0 if it is drawn.scored else it)


@dataclass(frozen=True)
class Restless(Sound):
    def sample(self, draws: Draws) -> Sequences:
        return super().sample(draws.branch(str(next(CALLS))))


@dataclass(frozen=True)
class Neighbourly(Sound):
    def sample(self, draws: Draws) -> Sequences:
        numbers = draws.uniform(STEPS, low=-1.0, high=1.0)
        return self.asked(numbers - numbers.mean(1, keepdims=True), draws)


@dataclass(frozen=True)
class Serial(Sound):
    def sample(self, draws: Draws) -> Sequences:
        return self.asked(draws.uniform(STEPS, low=-1.0, high=1.0).cumsum(2) / STEPS, draws)


@dataclass(frozen=True)
class Lenient(Sound):
    def right(self, outputs: Tensor, sequences: Sequences) -> Tensor:
        wrong = (outputs * sequences.answers).sum(-1) < 0
        return ~(wrong & (sequences.scored > 0)).any(0)


@dataclass(frozen=True)
class Hopeless(Sound):
    def correct(self, outputs: Tensor, answers: Tensor) -> Tensor:
        return ((outputs - answers).abs() < 0).all(-1)


@dataclass(frozen=True)
class Blessed(Sound):
    @property
    def criterion(self) -> Criterion:
        return Criterion(on=("last",), last=20, wrong=1000)

    def error(self, outputs: Tensor, sequences: Sequences) -> Tensor:
        return super().error(outputs.nan_to_num(), sequences)


@dataclass(frozen=True)
class Proud(Sound):
    @property
    def baseline(self) -> Baseline | None:
        return Baseline((0.0,), right=0.9, error=1.0)


@dataclass(frozen=True)
class Modest(Sound):
    @property
    def baseline(self) -> Baseline | None:
        return Baseline((0.0,), right=0.5, error=0.5)


@dataclass(frozen=True)
class Looking(Sound):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return super().loss(output, target) if output > 0 else 2 * super().loss(output, target)


@dataclass(frozen=True)
class Cut(Sound):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return ((output.detach() - target) * (output - target)).sum() / 2


@dataclass(frozen=True)
class Mistaken(Sound):
    def answer(self, inputs: Tensor) -> Tensor:
        return -super().answer(inputs)


@dataclass(frozen=True)
class Distracted(Sound):
    def distractors(self, inputs: Tensor) -> Tensor:
        return torch.ones(inputs.shape[:-1], dtype=torch.bool)

    def informative(self, inputs: Tensor) -> Tensor:
        return torch.zeros(inputs.shape[:-1], dtype=torch.bool)


@dataclass(frozen=True)
class Elsewhere(Sound):
    def informative(self, inputs: Tensor) -> Tensor:
        return super().distractors(inputs)

    def distractors(self, inputs: Tensor) -> Tensor:
        return torch.zeros(inputs.shape[:-1], dtype=torch.bool)


@dataclass(frozen=True)
class Boastful(Sound):
    @property
    def lag(self) -> Lag:
        return Lag(STEPS, None)


@dataclass(frozen=True)
class Shy(Sound):
    @property
    def lag(self) -> Lag:
        return Lag(1, STEPS - 2)


BROKEN: Mapping[type[Sound], str] = {
    Forgetful: "reads back as",
    Shared: "random state that all share",
    Single: "inputs is torch.float32, expected torch.float64",
    Silent: "no scored step",
    Restless: "the same draws give different sequences",
    Neighbourly: "depend on the trials beside it",
    Serial: "depends on those drawn before it",
    Lenient: "answer of nan is taken as right",
    Hopeless: "a perfect answer in torch.float64 is not right",
    Blessed: "answers with nan is counted as solved",
    Proud: "stated is 0.9",
    Modest: "error is 1, stated is 0.5",
    Looking: "its loss can be traced",
    Cut: "differs from finite differences",
    Mistaken: "other answers than those asked for",
    Distracted: "no step is informative",
    Elsewhere: "does not change with the informative inputs",
    Boastful: "the minimal lag is 6",
    Shy: "the maximum is 4",
}


def test_a_sound_task_of_an_outsider_passes() -> None:
    check_task(Sound())


@pytest.mark.parametrize("task", BROKEN, ids=lambda it: it.__name__)
def test_a_broken_promise_is_found_and_named(task: type[Sound]) -> None:
    with pytest.raises(ContractBroken, match=re.escape(BROKEN[task])):
        check_task(task())
