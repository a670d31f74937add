"""Frozen data of error flow: Trace, Measurement, Finding, Verdict, Profile.

Nothing here imports torch, so a saved profile opens in a fraction of a second, but `scaled`,
`motion` and `landscape`, which only a probe needs.
"""

from .finding import Finding, Remedy
from .measurement import Chart, Line, Mark, Measurement, Number, Plane, Series
from .profile import Profile, load
from .trace import Gate, Path, Trace
from .verdict import SEVERITIES, Verdict

__all__ = [
    "SEVERITIES",
    "Chart",
    "Finding",
    "Gate",
    "Line",
    "Mark",
    "Measurement",
    "Number",
    "Path",
    "Plane",
    "Profile",
    "Remedy",
    "Series",
    "Trace",
    "Verdict",
    "load",
]
