"""Trials: a cell on a task under a learner, for many seeds at once, each until it is decided."""

from __future__ import annotations

from ._group import Moment
from ._perform import perform
from ._study import Study
from ._train import seeds_of, sweep, train

__all__ = ["Moment", "Study", "perform", "seeds_of", "sweep", "train"]
