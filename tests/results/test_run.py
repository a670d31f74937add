"""A trial's id, and a run as an object and as a file."""

import json
import math
import subprocess
import sys

import msgspec
import pytest

from farback.results import Run, Trial
from farback.results.run import OtherSchema, Unreadable, decode, encode


def test_a_trial_is_the_hash_of_its_sorted_json(trial):
    from hashlib import sha256

    one = trial(sources={"b": "2", "a": "1"})
    plain = json.dumps(msgspec.to_builtins(one), sort_keys=True, separators=(",", ":"))
    assert one.id == sha256(plain.encode()).hexdigest()[:32]


def test_every_field_of_a_trial_changes_its_id(trial):
    changed = [
        trial(**{name: it + 1 if isinstance(it, int) else f"{it}!"})
        for name, it in msgspec.structs.asdict(trial()).items()
        if name != "sources"
    ]
    ids = {it.id for it in [trial(), trial(sources={"MyCell": "0" * 64}), *changed]}
    assert len(ids) == len(Trial.__struct_fields__) + 1


def test_equal_trials_are_one_in_a_set(trial):
    assert len({trial(sources={"a": "1"}), trial(sources={"a": "1"}), trial(seed=1)}) == 2


@pytest.mark.parametrize("outcome", ["solved", "unsolved", "diverged"])
def test_a_run_comes_back_from_its_file_to_the_last_bit(run, outcome):
    odd = [0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, 1.0]
    one = run(outcome=outcome, measures={f"m{i}": it for i, it in enumerate(odd)}, curve={})
    again = decode(encode(one))
    assert again == one
    assert math.copysign(1, again.measures["m1"]) == -1


def test_numbers_that_are_not_finite_are_words_in_json_and_numbers_in_python(run):
    odd = [math.nan, math.inf, -math.inf]
    one = run(
        measures=dict(zip("abc", odd, strict=True)), curve={"sequences": [1, 2, 3], "loss": odd}
    )
    plain = json.loads(encode(one))
    assert plain["measures"] == {"a": "nan", "b": "inf", "c": "-inf"}
    assert plain["curve"]["loss"] == ["nan", "inf", "-inf"]
    again = decode(encode(one))
    assert list(map(str, again.curve["loss"])) == list(map(str, odd))
    assert list(map(str, again.measures.values())) == list(map(str, odd))


def test_each_outcome_has_its_sentence(run):
    assert run(sequences=31390).sentence == "solved after 31,390 sequences"
    assert run(outcome="unsolved").sentence == "not solved within 400 sequences"
    assert run(outcome="diverged").sentence.startswith("diverged: not all numbers were finite")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"curve": {"sequences": [1.0], "loss": []}}, "differ in length"),
        ({"curve": {"loss": [1.0]}}, "no column of sequences"),
        ({"measures": {"seconds": 1.0}}, r"name of a field \(seconds\)"),
    ],
)
def test_a_run_that_contradicts_itself_is_not_made(run, changes, said):
    with pytest.raises(ValueError, match=said):
        run(**changes)


def _changed(run: Run, **changes: object) -> bytes:
    return json.dumps(json.loads(encode(run)) | changes).encode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcome": "splendid"}, "is damaged"),
        ({"measures": {"test_wrong": "few"}}, "is damaged"),
        ({"measures": None}, "is damaged"),
        ({"curve": [1, 2]}, "is damaged"),
        ({"curve": {"sequences": [1.0], "loss": []}}, "differ in length"),
        ({"trial": {}}, "is damaged"),
        ({"trial": None}, "is damaged"),
        ({"more": 1}, "unknown field"),
        ({"seconds": "nan"}, "is damaged"),
    ],
)
def test_a_file_with_a_wrong_field_is_unreadable(run, changes, said):
    with pytest.raises(Unreadable, match=said):
        decode(_changed(run(), **changes))


@pytest.mark.parametrize(
    "text", [b"", b"\0" * 500, b"\xff\xfe", b"[" * 100_000, b'{"schema": 1', b"<html>"]
)
def test_what_is_no_json_is_unreadable(text):
    with pytest.raises(Unreadable, match="is damaged"):
        decode(text)


@pytest.mark.parametrize(
    "text", [b"{}", b"[]", b"3", b'{"format": "farback.profile", "schema": 1}']
)
def test_other_json_is_no_run(text):
    with pytest.raises(Unreadable, match="is no run of farback"):
        decode(text)


def test_every_cut_of_a_run_is_unreadable(run):
    text = encode(run()).rstrip()
    for end in range(len(text)):
        with pytest.raises(Unreadable):
            decode(text[:end])


def test_a_run_of_another_schema_says_which(run):
    with pytest.raises(OtherSchema, match="has schema 2, and this farback reads schema 1"):
        decode(_changed(run(), schema=2))


def test_the_room_imports_neither_torch_nor_numpy_nor_scipy():
    code = "import sys, farback.results; print([it for it in sys.modules if it in %r])"
    heavy = ["torch", "numpy", "scipy", "pandas"]
    said = subprocess.run(
        [sys.executable, "-c", code % heavy], capture_output=True, text=True, check=True
    )
    assert said.stdout == "[]\n"
