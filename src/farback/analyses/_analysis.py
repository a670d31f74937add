"""The interface of an analysis: measure a trace, then judge what was measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from .._part import Part
from ..flow import Finding, Measurement, Trace

DEPTHS = ("quick", "standard", "deep")
"""From cheapest to dearest; an analysis runs at its own depth and at every deeper one."""


@dataclass(frozen=True)
class Analysis(Part, ABC):
    """One question to a trace. A concrete analysis is frozen, and its fields are its choices."""

    depth = "standard"
    """The least depth at which it runs by itself."""

    of_motion = False
    """Whether it reads the motion of a path, which is made only where it is asked for."""

    @abstractmethod
    def applies(self, trace: Trace) -> bool:
        """Whether the trace holds what this analysis reads."""

    @abstractmethod
    def measure(self, trace: Trace) -> Measurement:
        """The numbers."""

    @abstractmethod
    def judge(self, measurement: Measurement) -> Finding:
        """What follows from the numbers alone."""
