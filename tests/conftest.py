"""What every test runs under: one thread a worker, shapes checked, nothing seeded globally."""

import os
import random

import jaxtyping
import pytest
import torch

# The type checker draws from a generator of its own, not from the one that a probe must put back.
random.getrandbits = random.Random(0).getrandbits

# Before anything imports them: their shapes and types are checked at every call.
jaxtyping.install_import_hook(["farback.flow", "farback.probes"], "beartype.beartype")

if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)  # as many workers as cores, so one thread each


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        return
    absent = pytest.mark.skip(reason="no CUDA device on this machine")
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(absent)
