"""Which attractor an orbit comes to, and how long it is followed."""

import torch
from torch import Tensor

from farback.analyses._autonomous import Autonomous
from farback.analyses._settling import Attractor, Basins
from farback.flow.motion import Motion


def test_a_state_that_rests_on_no_attractor_is_followed_no_further() -> None:
    calls: list[int] = []

    def step(s: Tensor, x: Tensor) -> Tensor:
        calls.append(len(s))
        return s.round()

    states = torch.zeros(2, 1, 1, dtype=torch.float64)
    here = Autonomous(Motion(states, states[:1, :, :0], step, {}), states[0, 0, :0])
    basins = Basins(here, (Attractor(states[0], torch.zeros(1)),), (0.01,))
    which, _ = basins.of(torch.tensor([[0.1], [5.2]], dtype=torch.float64), 1000)
    assert which.tolist() == [0, -1]
    assert len(calls) == 2
