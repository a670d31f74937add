"""The native engine: C that is written for a trial, compiled where it runs, and called.

A cell's step, a task's loss and a learner's update are traced to a graph of tensor operators; each
graph is written as a C function of vectors with one trial in each lane; a schedule calls them, step
after step and sequence after sequence, for as many trials as there are lanes.

    description  what a program is made of      trace        functions to graphs
    operators    what an operator emits         emit         graphs to statements
    body         statements, numbers, loops     kernel       statements to a C function
    program      kernels and schedule           lanes        trials in and out
    compiler, folder, cache                     memory       sequences as C reads them

A lane's numbers do not depend on how many lanes there are, nor on which trials stand in the others.
"""

from __future__ import annotations

from ._compiler import compiler
from ._description import Backward, Forward, Learning, Net
from ._unavailable import Unavailable

__all__ = ["Backward", "Forward", "Learning", "Net", "Unavailable", "compiler"]
