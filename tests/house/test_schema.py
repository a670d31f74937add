"""Every field of a profile's JSON stands in docs/schema.md."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

import farback as fb

SCHEMA = (Path(__file__).parents[2] / "docs" / "schema.md").read_text(encoding="utf-8")
DOCUMENTED = set(re.findall(r"`([^`]+)`", SCHEMA))


def keys(measurement: Mapping[str, object]) -> Iterator[str]:
    yield from measurement
    for block in measurement["blocks"].values():  # type: ignore[attr-defined]
        yield from keys(block)


@pytest.mark.parametrize("depth", ["standard", "deep"])
def test_every_field_is_documented(depth: str) -> None:
    model = nn.LSTM(3, 4, bidirectional=True, batch_first=True)
    batch = torch.linspace(-1, 1, 60).reshape(2, 10, 3)
    profile = json.loads(fb.probe(model, batch, depth=depth).to_json())
    named = {*profile, *profile["measurements"], *profile["settings"], *profile["environment"]}
    named |= {*profile["verdict"], *profile["findings"][0]}
    for measurement in profile["measurements"].values():
        named |= set(keys(measurement))
    assert not named - DOCUMENTED
