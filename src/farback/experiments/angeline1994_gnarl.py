"""Evolutionary programming (GNARL) on Tomita's seven languages: all rows are ours.

Nets of at most five hidden nodes with any links, 50 of them in a generation, 10 trials a language.
That GNARL learned these languages is known, but the paper with its numbers could not be read; so no
row claims any. The one that was read has an ant on a grid instead. What it says of the method is in
`learners.Evolution`, and so is what is chosen there: the fitness, the chances of each change.

What is open beside that, and what is chosen here:

- the strings: Tomita's own 16 to 25, on all of which each net is tried. Solved is all of them
  right; how a solved net does on all 2047 strings of at most 10 symbols is its accuracy.
- in which order units change: hidden first, with one step behind the string to answer at.

Reference: P. J. Angeline, G. M. Saunders, J. B. Pollack, An Evolutionary Algorithm that Constructs
Recurrent Neural Networks, 1994 (not read); G. M. Saunders, P. J. Angeline, J. B. Pollack,
Structural and Behavioral Evolution of Recurrent Networks, NIPS 6, 1994.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..cells.fully_recurrent import FullyRecurrent
from ..errors import expect
from ..learners.evolution import Evolution
from ..tasks.tomita import Tomita
from ._experiment import Experiment, Row

_TRIALS = 10
_LANGUAGES = range(1, 8)

_LOOK = 5000
"""Sequences between two looks at the criterion: about five generations."""


@dataclass(frozen=True)
class Angeline1994GNARL(Experiment):
    """Generations by language.

    Args:
        hidden: the most hidden nodes.
        hidden_first: whether the outputs see the hidden nodes of the same step.
        population: nets of a generation.
        alpha: the standard deviation of a weight's change at temperature 1.
        generations: of a trial at most.
    """

    hidden: int = 5
    hidden_first: bool = True
    population: int = 50
    alpha: float = 1.0
    generations: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, generations=self.generations)

    @property
    def source(self) -> str:
        return (
            "Angeline, Saunders and Pollack 1994, An Evolutionary Algorithm that Constructs "
            "Recurrent Neural Networks (not read; no number of it is claimed)"
        )

    @property
    def trials(self) -> int:
        return _TRIALS

    @property
    def measured(self) -> tuple[str, ...]:
        return "solved", "generations", "accuracy"

    @property
    def check(self) -> int:
        return _LOOK

    def rows(self) -> tuple[Row, ...]:
        return tuple(self._row(Tomita(grammar=it, original=True)) for it in _LANGUAGES)

    def _row(self, task: Tomita) -> Row:
        assert task.training is not None
        cell = FullyRecurrent(
            hidden=self.hidden, hidden_first=self.hidden_first, hidden_bias=True, output_bias=True
        )
        learner = Evolution(batch=task.training, population=self.population, alpha=self.alpha)
        cap = self.generations * self.population * task.training
        return Row(f"Tomita {task.grammar}", cell, task, learner, cap)
