"""What trials came to: runs, the store that keeps them, and tables with intervals.

A trial is a complete specification, a run is what came of it, and a store holds each run once.
Nothing here imports torch, so a store of thousands of runs opens in a fraction of a second.

>>> from farback.results import rate
>>> rate(18, 20).low > 0.69
True
"""

from .entry import Entry
from .intervals import Estimate, mean, rate, restricted_mean
from .run import Run
from .runs import Runs
from .store import Store
from .table import Table, table
from .trial import PROTOCOL, Trial

__all__ = [
    "PROTOCOL",
    "Entry",
    "Estimate",
    "Run",
    "Runs",
    "Store",
    "Table",
    "Trial",
    "mean",
    "rate",
    "restricted_mean",
    "table",
]
