"""The native engine: C that is written for a trial, compiled where it runs, and called.

A cell's step, a task's loss and a learner's update are traced to a graph of tensor operators; each
graph is written as a C function of vectors with one trial in each lane; a schedule calls them, step
after step and sequence after sequence, for as many trials as there are lanes.

    description  what a program is made of      trace, line       functions to graphs
    operators    what an operator emits,        rules, reductions by which longer rules
    emit         graphs to statements           arithmetic, hot   sums, products, one-hot inputs
    codes, body  numbers, statements, loops     buffers, fusion   where results stand, loops joined
    memo, outer  what steps keep for later      kernel            statements to a C function
    backward, forward, recursion, program       the kernels, and the schedule that calls them
    memory       sequences as C reads them      stream            sequences as C draws them
    lanes        trials in and out
    compiler, folder, cache                     from source to a library

A lane's numbers do not depend on how many lanes there are, nor on which trials stand in the others.
"""

from __future__ import annotations

from ._compiler import compiler
from ._description import Ahead, Backward, Forward, Learning, Net, Recursion, Told
from ._unavailable import Unavailable

__all__ = [
    "Ahead",
    "Backward",
    "Forward",
    "Learning",
    "Net",
    "Recursion",
    "Told",
    "Unavailable",
    "compiler",
]
