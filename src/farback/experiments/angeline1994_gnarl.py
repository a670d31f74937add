"""Evolutionary programming (GNARL) on Tomita's seven languages: all rows are ours.

Nets of at most five hidden nodes with any links, 50 of them in a generation, 10 trials a language.
That GNARL learned these languages is known, but the paper with its numbers could not be read; so no
row claims any. The one that was read has an ant on a grid instead. What it says of the method is in
`learners.Evolution`, and so is what is chosen there: the fitness, the chances of each change.

What is open beside that, and what is chosen here:

- the strings: at most 10 symbols, as many grammatical ones as others, drawn afresh for every net;
  Tomita's own 14 to 25 differ in the copies that could be read. Solved is all 2047 right.
- how many of them a net is tried on (20), so that a trial's cap is 1000 generations.
- in which order units change: hidden first, with one step behind the string to answer at.

Reference: P. J. Angeline, G. M. Saunders, J. B. Pollack, An Evolutionary Algorithm that Constructs
Recurrent Neural Networks, 1994 (not read); G. M. Saunders, P. J. Angeline, J. B. Pollack,
Structural and Behavioral Evolution of Recurrent Networks, NIPS 6, 1994.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..cells.fully_recurrent import FullyRecurrent
from ..learners.evolution import Evolution
from ..tasks.tomita import Tomita
from ._experiment import Experiment, Row

_TRIALS = 10
_LANGUAGES = range(1, 8)

_GENERATIONS = 5
"""Between two looks at the criterion: a look is 2047 strings."""


@dataclass(frozen=True)
class Angeline1994GNARL(Experiment):
    """Generations by language.

    Args:
        hidden: the most hidden nodes.
        hidden_first: whether the outputs see the hidden nodes of the same step.
        population: nets of a generation.
        batch: strings that a net is tried on.
        alpha: the standard deviation of a weight's change at temperature 1.
        generations: of a trial at most.
    """

    hidden: int = 5
    hidden_first: bool = True
    population: int = 50
    batch: int = 20
    alpha: float = 1.0
    generations: int = 1000

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
    def check(self) -> int:
        return _GENERATIONS * self.population * self.batch

    def rows(self) -> tuple[Row, ...]:
        cell = FullyRecurrent(
            hidden=self.hidden, hidden_first=self.hidden_first, hidden_bias=True, output_bias=True
        )
        learner = Evolution(batch=self.batch, population=self.population, alpha=self.alpha)
        cap = self.generations * self.population * self.batch
        return tuple(
            Row(f"Tomita {grammar}", cell, Tomita(grammar=grammar), learner, cap)
            for grammar in _LANGUAGES
        )
