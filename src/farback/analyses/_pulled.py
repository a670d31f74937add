"""How much of an error a chain carries by itself: directions pulled back along its motion.

    (1)  a_{q+1} = J_{T-1-q}^T a_q,   |a_0| = 1,   a_0 drawn at random

Nothing else enters on the way, as it does where a layer above reads every state.

Axes: Q lags, K directions, B rows of the batch, N state.
"""

from __future__ import annotations

import numpy as np
import torch

from ..flow.motion import Motion
from ..flow.scaled import Scaled, log_norm, normalise, scaled

_BLOCK = 32


@torch.no_grad()
def pulled(motion: Motion, directions: int, seed: int) -> np.ndarray:
    """The logs of |a_q|, [Q, K, B], from the last step on; rows that rest are left out."""
    steps, rows = len(motion.inputs), motion.states.shape[1]
    draw = torch.Generator().manual_seed(seed)
    shape = (directions, rows, motion.states.shape[2])
    start = torch.randn(shape, generator=draw, dtype=torch.float64).to(motion.states)
    error = scaled(start / torch.linalg.vector_norm(start, dim=-1, keepdim=True))
    logs = [log_norm(error)]
    for first in reversed(range(0, steps, _BLOCK)):
        for here in reversed(list(motion.along(first, min(first + _BLOCK, steps)))):
            error = normalise(*Scaled(here.pull(error.mantissa), error.exponent))
            logs.append(log_norm(error))
    found = torch.stack(logs).numpy()
    return found if motion.valid is None else found[..., motion.valid.all(0).cpu().numpy()]
