"""farback: how far back does the model's error reach, and what carries it further?

    import farback as fb
    profile = fb.probe(model, (x, y), loss=F.cross_entropy)
    print(profile.verdict)
    fb.report(profile, "probe.html")

The verbs are loaded on first use, so that importing farback costs nothing by itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import analyses as analyses
    from . import cells as cells
    from . import experiments as experiments
    from . import learners as learners
    from . import probes as probes
    from . import results as results
    from . import tasks as tasks
    from .experiments import reproduce as reproduce
    from .loading import load as load
    from .probes import probe as probe
    from .reports import report as report
    from .trials import sweep as sweep
    from .trials import train as train

__version__ = "0.1.0"

__all__ = [
    "analyses",
    "cells",
    "experiments",
    "learners",
    "load",
    "probe",
    "probes",
    "report",
    "reproduce",
    "results",
    "sweep",
    "tasks",
    "train",
]

_HOME = {
    "load": "loading",
    "probe": "probes",
    "report": "reports",
    "reproduce": "experiments",
    "sweep": "trials",
    "train": "trials",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    if name in __all__:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module 'farback' has no attribute '{name}'; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
