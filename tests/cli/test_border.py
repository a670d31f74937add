"""Every way in which a command can end, and how much it loads before."""

import subprocess
import sys
from pathlib import Path

import pytest

from farback.errors import InputRefused
from farback.flow import Verdict

LIGHT = (["--help"], ["probe", "--help"], ["demo", "--help"], ["list"], ["--version"])


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)


def loaded(*words: str) -> set[str]:
    """The top-level packages that a command has imported when it ends."""
    code = (
        "import sys; from farback.cli import main; main(sys.argv[1:]); "
        "print(*sys.modules, file=sys.stderr)"
    )
    ended = python("-c", code, *words)
    assert ended.returncode == 0, ended.stderr
    return {name.partition(".")[0] for name in ended.stderr.split()}


@pytest.mark.parametrize("words", LIGHT, ids=" ".join)
def test_help_loads_neither_torch_nor_numpy_nor_rich(words):
    assert not loaded(*words) & {"torch", "numpy", "rich", "scipy", "plotly"}


def test_a_wrong_verb_lists_the_near_ones_and_exits_2(farback):
    ended = farback("prob")
    assert ended == (2, "", "farback: There is no verb 'prob'; try probe.\n")


def test_a_wrong_option_is_one_sentence_and_exits_2(farback):
    ended = farback("list", "--jsn")
    assert (ended.code, ended.out) == (2, "")
    assert "--jsn" in ended.err and "farback list --help" in ended.err
    assert ended.err.count("\n") == 1


def test_no_verb_shows_the_help_and_exits_2(farback):
    ended = farback()
    assert ended.code == 2
    assert "Verbs:" in ended.err


def test_a_refusal_is_its_sentence_with_its_exit_code(farback, probes, user):
    probes.error = InputRefused("The batch is empty; give it a row.")
    ended = farback("probe", f"{user}:made", "--batch", f"{user}:batch")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.endswith("farback: The batch is empty; give it a row.\n")


def test_a_fault_of_farback_leaves_a_file_to_attach_and_exits_4(
    farback, probes, user, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("farback._named._HOUSE", Path(__file__).parent)  # the fake is farback
    probes.error = RuntimeError("two and two")
    ended = farback("probe", f"{user}:made", "--batch", f"{user}:batch")
    (left,) = tmp_path.glob("farback-*.txt")
    assert ended.code == 4
    assert str(left) in ended.err and "Traceback" not in ended.err
    assert "two and two" in left.read_text() and "Traceback" in left.read_text()


def test_ctrl_c_exits_130(farback, probes, user):
    probes.error = KeyboardInterrupt()
    ended = farback("probe", f"{user}:made", "--batch", f"{user}:batch")
    assert ended.code == 130
    assert ended.err.endswith("farback: stopped.\n")


@pytest.mark.parametrize(("severity", "code"), [("ok", 0), ("watch", 0), ("bad", 1)])
def test_the_verdict_is_the_exit_code(farback, probes, user, severity, code):
    object.__setattr__(probes.result, "verdict", Verdict("vanishes", severity, "vanishes."))
    assert farback("probe", f"{user}:made", "--batch", f"{user}:batch").code == code


def test_a_closed_pipe_is_quiet():
    words = [sys.executable, "-m", "farback", "--help"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()  # before it has written anything
        assert process.stderr.read() == b""
    assert process.returncode == 141
