"""Naming objects on the command line, with everything that can be wrong in the user's code."""

import json
import subprocess
import sys

import pytest
import torch


@pytest.fixture
def probe(farback, probes, user):
    """Probe a name of the user's file on a batch of the same file."""
    return lambda name, batch="batch": farback(
        "probe", f"{user}:{name}", "--batch", f"{user}:{batch}"
    )


def test_the_import_of_the_users_code_is_announced_first(probe, user):
    ended = probe("build")
    assert ended.err.splitlines()[0] == f"farback imports your code: {user}"
    assert ended.err.splitlines()[1] == "building"


def test_what_the_users_code_prints_stays_off_stdout(farback, probes, user):
    ended = farback("probe", f"{user}:build", "--batch", f"{user}:batch", "--json")
    assert json.loads(ended.out)["format"] == "farback.profile"


@pytest.mark.parametrize(("name", "kind"), [("made", "RNN"), ("Net", "Net"), ("build", "Net")])
def test_a_model_a_class_and_a_function_are_taken(probe, probes, name, kind):
    assert probe(name).code == 0
    assert type(probes.given["model"]).__name__ == kind


def test_a_file_is_imported_once_and_changes_no_path(probe, probes):
    before = list(sys.path)
    probe("made")
    model = probes.given["model"]
    probe("made")
    assert probes.given["model"] is model
    assert sys.path == before


@pytest.mark.parametrize(("name", "kind"), [("data", torch.Tensor), ("batch", tuple)])
def test_a_batch_is_an_object_or_a_function_that_makes_one(probe, probes, name, kind):
    probe("made", name)
    assert type(probes.given["batch"]) is kind


def test_a_wrong_name_lists_the_near_ones(probe, user):
    ended = probe("buidl")
    assert ended.code == 2
    assert f"There is no name 'buidl' in {user}; try build" in ended.err


def test_a_wrong_file_lists_those_beside_it(farback, probes, user):
    ended = farback("probe", f"{user.with_name('my_modle.py')}:build", "--batch", f"{user}:batch")
    assert ended.code == 2
    assert f"try {user}." in ended.err


def test_a_wrong_module_says_what_came(farback, probes, user):
    ended = farback("probe", "no_such_package.zoo:build", "--batch", f"{user}:batch")
    assert ended.code == 2
    assert "There is no module no_such_package.zoo on the import path" in ended.err


def test_a_name_without_its_source_shows_the_form(farback, probes):
    ended = farback("probe", "build", "--batch", "batch")
    assert ended.code == 2
    assert "expected module:name or path/to/file.py:name" in ended.err


def test_a_factory_that_wants_arguments_is_refused(probe):
    ended = probe("wants")
    assert ended.code == 3
    assert "cannot be called without arguments" in ended.err and "size" in ended.err


def test_an_error_of_the_users_code_is_one_sentence_with_its_line(probe, user):
    ended = probe("made", "fails")
    line = user.read_text().splitlines().index("    return torch.zeros(2) @ torch.zeros(3)") + 1
    assert ended.code == 3
    assert f"Your code failed at {user}:{line}" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def broken(:\n", ":1 while farback was importing"),
        ("import sys\nsys.exit(3)\n", "stopped the program (exit 3)"),
        ("\nimport no_such_package\n", ":2 while farback was importing"),
        ("\nimport no_such_package\n", "add --here"),
        ("raise SystemError\n", "SystemError: no message"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused(farback, probes, user, text, said):
    user.write_text(text)
    ended = farback("probe", f"{user}:made", "--batch", f"{user}:batch")
    assert ended.code == 3
    assert said in ended.err


@pytest.mark.parametrize("here", [False, True])
def test_the_working_directory_is_on_the_path_only_with_here(tmp_path, here):
    (tmp_path / "only_here.py").write_text("import sys; sys.exit(7)")
    words = ["probe", "only_here:net", "--batch", "only_here:batch"] + ["--here"] * here
    ended = subprocess.run(
        [sys.executable, "-m", "farback", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    if here:
        assert ended.returncode == 3 and "(exit 7)" in ended.stderr
    else:
        assert ended.returncode == 2
        assert "try only_here.py:..., or add --here" in ended.stderr
