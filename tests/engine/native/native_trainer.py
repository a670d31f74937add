"""Native trainings to be stopped: each says "ready" through its pipe before it begins."""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection

import farback as fb
from farback import tasks
from farback.cells import Elman
from farback.errors import Stopped
from farback.learners import Descent
from farback.learners.gradients import BPTT
from farback.learners.updates import Adam
from farback.results import Runs
from farback.trials import Moment

TRIALS = 40
ENDLESS = 10**9


def train(store: str | os.PathLike[str] | None, says: Connection | None = None) -> Runs:
    """Trials that are solved one after the other, or never."""
    if says is not None:
        says.send("ready")
    return fb.train(
        Elman(hidden=3),
        tasks.Tomita(),
        Descent(BPTT(), Adam(0.02)),
        seeds=TRIALS,
        sequences=3000,
        engine="native",
        store=store,
        progress=False,
    )


def endless(length: int, check: int, says: Connection) -> None:
    """A training that is asked to stop, and says when it did."""
    begun = False

    def watch(moment: Moment) -> None:
        nonlocal begun
        if moment.sequences and not begun:
            begun = True
            says.send("learns")

    try:
        fb.train(
            Elman(hidden=10),
            tasks.Adding(length=length),
            Descent(BPTT(), Adam(0.001)),
            seeds=64,
            sequences=ENDLESS,
            check=check,
            engine="native",
            progress=False,
            watch=watch,
        )
    except Stopped:
        says.send(time.monotonic())
