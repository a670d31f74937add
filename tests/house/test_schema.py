"""Every field of the JSON of a profile and of a run, and of the index, stands in docs/schema.md."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from torch import nn

import farback as fb
from farback.experiments._comparison import Comparison
from farback.experiments._line import Line
from farback.reports import _documents
from farback.results import Run, Runs, Trial, table
from farback.results.claim import Claim, compare
from farback.results.entry import NO_TRIALS
from farback.results.run import FIELDS

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


@pytest.mark.parametrize(
    "names",
    [Run.__struct_fields__, Trial.__struct_fields__, FIELDS],
    ids=["run", "trial", "record"],
)
def test_every_field_of_a_run_is_documented(names: Iterable[str]) -> None:
    runs = set(re.findall(r"`([^`]+)`", SCHEMA.partition("\n# The run as JSON\n")[2]))
    assert not set(names) - runs


def printed() -> Iterator[Mapping[str, object]]:
    """Every JSON object in what the verbs of the laboratory print."""
    comparison = Comparison("Any", "any", "", (Line("row", compare(Claim("solved", 1.0, ""), ())),))
    documents = [
        _documents.of_runs(Runs()),
        _documents.of_tables([table((), value="solved")], Runs()),
        _documents.of_comparison(comparison),
    ]
    for text in documents:
        yield (document := json.loads(text))
        for entries in (document.get("tables", ()), document.get("lines", ())):
            yield from entries
    yield asdict(NO_TRIALS)


def test_every_field_that_a_verb_prints_is_documented() -> None:
    section = SCHEMA.partition("\n# What the verbs print as JSON\n")[2]
    known = set(re.findall(r"`([^`]+)`", section))
    assert not {name for it in printed() for name in it} - known
