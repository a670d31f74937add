"""A real run stopped by Ctrl-C goes on by the command that it names, and ends as without a stop."""

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from farback.results import Store

WORDS = ["train", "Elman(hidden=2)", "EmbeddedReber(8, 8)", "Descent(BPTT, SGD(0.5))"]
BUDGET = ["--seeds", "6", "--sequences", "400", "--group", "2"]


def published(store: Path) -> dict[str, tuple[object, ...]]:
    """What came of each trial, without what a machine adds."""
    return {
        run.trial.id: (run.outcome, run.sequences, run.measures, run.curve)
        for run in Store(store).runs()
    }


@pytest.mark.slow
def test_a_stopped_run_goes_on_by_the_command_that_it_names(farback, tmp_path):
    store, whole = tmp_path / "the runs", tmp_path / "whole"
    words = [*WORDS, *BUDGET, "--store", str(store)]
    with subprocess.Popen(
        [sys.executable, "-m", "farback", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while process.poll() is None and not list(store.glob("*/*.json")):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out) == (130, ""), err
    done = published(store)
    assert 0 < len(done) < 6
    said, command = err.splitlines()[-2:]
    assert f"{len(done)} of 6 trials are published in {store}" in said
    assert shlex.split(command) == ["farback", *words]

    ended = farback(*words, "--json")
    assert (ended.code, len(json.loads(ended.out)["runs"])) == (0, 6), ended.err
    assert farback(*WORDS, *BUDGET, "--store", whole).code == 0
    assert published(store) == published(whole)
    assert done.items() <= published(whole).items()


def test_list_show_explain_cite_and_report_load_no_torch(farback, tmp_path):
    store = tmp_path / "runs"
    ended = farback(*WORDS, "--seeds", "1", "--sequences", "2", "--group", "1", "--store", store)
    assert ended.code == 0, ended.err
    verbs = [
        ["list"],
        ["explain", "LSTM1997"],
        ["explain", "hochreiter1997_reber"],
        ["show", str(store)],
        ["show", str(store), "--value", "test_wrong", "--json"],
        ["cite", str(store)],
        ["report", str(store)],
        ["report", str(store), "--html", str(tmp_path / "all.html")],
        ["train", "--help"],
        ["reproduce", "--help"],
        ["check", "--help"],
    ]
    code = (
        "import sys; from farback.cli import main\n"
        f"for words in {verbs!r}: assert main(words) == 0 and 'torch' not in sys.modules, words"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
