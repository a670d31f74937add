"""A probe that must refuse, and one that must not: neither leaves anything behind."""

from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

import farback as fb
from farback.errors import FarbackError, InputRefused
from farback.flow import Profile
from farback.testing import fingerprint


@pytest.fixture
def refused() -> Callable[..., str]:
    """Probe, expect a refusal in one sentence, and return it."""

    def run(
        model: Any, batch: Any, error: type[FarbackError] = InputRefused, **options: Any
    ) -> str:
        before = fingerprint(model) if isinstance(model, nn.Module) else ""
        with pytest.raises(error) as caught:
            fb.probe(model, batch, **options)
        assert not before or fingerprint(model) == before
        text = str(caught.value)
        assert "\n" not in text and text[-1] in ".?"
        return text

    return run


@pytest.fixture
def probed() -> Callable[..., Profile]:
    """Probe, and see that the model is as it was."""

    def run(model: nn.Module, batch: Any, **options: Any) -> Profile:
        before = fingerprint(model)
        profile = fb.probe(model, batch, **options)
        assert fingerprint(model) == before
        return profile

    return run
