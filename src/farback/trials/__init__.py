"""Trials: a cell on a task under a learner, for many seeds at once, each until it is decided."""

from __future__ import annotations

from ._group import Moment
from ._train import sweep, train

__all__ = ["Moment", "sweep", "train"]
