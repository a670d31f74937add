"""A training to be killed: `train(STORE)` says "ready" through its pipe and runs sixteen trials."""

import os
from multiprocessing.connection import Connection

import farback as fb
from farback import cells, learners, tasks
from farback.learners import gradients, updates
from farback.results import Runs

TRIALS = 16


def train(store: str | os.PathLike[str] | None, says: Connection | None = None) -> Runs:
    if says is not None:
        says.send("ready")
    return fb.train(
        cells.Elman(hidden=2),
        tasks.EmbeddedReber(training_strings=4, test_strings=4),
        learners.Descent(gradients.BPTT(), updates.SGD(lr=0.5)),
        seeds=TRIALS,
        sequences=60,
        check=20,
        group=2,
        store=store,
        progress=False,
    )
