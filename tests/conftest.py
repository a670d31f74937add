"""What every test runs under: one thread a worker, shapes checked, nothing seeded globally.

What is compiled goes into a folder that all workers share and that goes with the session.
"""

import os
import random
import shutil
import tempfile

import jaxtyping
import pytest
import torch

_WORKER = "PYTEST_XDIST_WORKER" in os.environ
_CACHE = "FARBACK_CACHE"

# The type checker draws from a generator of its own, not from the one that a probe must put back.
random.getrandbits = random.Random(0).getrandbits

# Before anything imports them: their shapes and types are checked at every call.
jaxtyping.install_import_hook(["farback.flow", "farback.probes"], "beartype.beartype")

if _WORKER:
    torch.set_num_threads(1)  # as many workers as cores, so one thread each


def pytest_configure() -> None:
    """FARBACK_REQUIRE_COMPILER=1 makes the absence of a C compiler a failure."""
    if not _WORKER:
        os.environ[_CACHE] = tempfile.mkdtemp(prefix="farback-tests-")
    if os.environ.get("FARBACK_REQUIRE_COMPILER") == "1" and (reason := _why_no_compiler()):
        raise pytest.UsageError(reason)


def pytest_unconfigure() -> None:
    if not _WORKER:
        shutil.rmtree(os.environ[_CACHE], ignore_errors=True)


def _why_no_compiler() -> str:
    from farback.engine._machine import working
    from farback.engine.native import Unavailable

    try:
        working()
    except Unavailable as reason:
        return str(reason)
    return ""


@pytest.fixture
def has_compiler() -> None:
    """Skip where the native engine cannot run."""
    if reason := _why_no_compiler():
        pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        return
    absent = pytest.mark.skip(reason="no CUDA device on this machine")
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(absent)
