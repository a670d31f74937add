"""The Reber grammar, plain and embedded, as tables: drawing strings, and what may follow.

    0: B 1    1: T 2 | P 3    2: S 2 | X 4    3: T 3 | V 5    4: X 3 | S 6    5: P 4 | V 6    6: E 7

Embedded, the string stands between B and T or P in front and the same T or P and E behind. Both
ways out of a state are equally probable. Strings are arrays of symbol numbers, [T, R, B], padded
with -1.

Reference: A. Cleeremans, D. Servan-Schreiber, J. L. McClelland, Finite State Automata and Simple
Recurrent Networks, 1989, figures 2 and 8; S. E. Fahlman, The Recurrent Cascade-Correlation
Architecture, 1991.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ..draws import Draws
from ..types import Sequences
from ._task import Baseline, one_hot, sequences

SYMBOLS = "BTPSXVE"
NOTHING = -1
_DRAWN_AT_ONCE = 16

Strings = Int64[np.ndarray, "T R B"]
Edges = Sequence[tuple[int, str, int]]


class Grammar:
    """A grammar with at most two ways out of each state. Strings start at 0.

    Args:
        edges: from state, by symbol, to state; the last state is the end.
        shortest: symbols of the shortest string.
    """

    def __init__(self, edges: Edges, *, shortest: int) -> None:
        self.shortest = shortest
        self._end = max(after for _, _, after in edges)
        self._lost = self._end + 1
        # By state and symbol: the state after it.
        self._after = np.full((self._lost + 1, len(SYMBOLS)), self._lost)
        # By state and choice: the symbol, and the state after it. One way out stands twice.
        self._choice = np.full((self._end + 1, 2), NOTHING)
        self._choice_after = np.full((self._end + 1, 2), self._end)
        for state in range(self._end):
            ways = [(SYMBOLS.index(name), after) for at, name, after in edges if at == state]
            self._choice[state], self._choice_after[state] = zip(ways[0], ways[-1], strict=True)
            for symbol, after in ways:
                self._after[state, symbol] = after

    @property
    def baseline(self) -> Baseline:
        """Each symbol as often as it may follow. It never ranks the symbols of a whole string."""
        walk = np.zeros((self._end + 1, self._end + 1))
        for choice in (0, 1):
            np.add.at(walk, (np.arange(self._end), self._choice_after[:-1, choice]), 0.5)
        inside = np.eye(self._end) - walk[: self._end, : self._end]
        # How often a string comes through each state but the first, where nothing was fed yet.
        visits = np.linalg.solve(inside.T, np.eye(self._end)[0])[1:]
        shares = visits / visits.sum() @ (self._after[1 : self._end] != self._lost)
        return Baseline(
            tuple(shares.tolist()), right=0.0, error=float((shares * (1 - shares)).sum())
        )

    def strings(self, draws: Draws) -> Strings:
        """Strings, each walked from state 0 to the end."""
        state = np.zeros(draws.shape, dtype=np.int64)
        steps = []
        while (state != self._end).any():
            for choice in draws.integers(_DRAWN_AT_ONCE, high=2):
                steps.append(self._choice[state, choice])
                state = self._choice_after[state, choice]
        return cut(np.stack(steps))

    def possible(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """1 for every symbol that may follow the inputs so far; 0 for all after a wrong one."""
        return torch.from_numpy(self._possible(inputs.argmax(-1).numpy()))

    def _possible(self, symbols: Int64[np.ndarray, "T *batch"]) -> Float[np.ndarray, "T *batch O"]:
        may_follow = (self._after != self._lost).astype(np.float64)
        state = np.zeros(symbols.shape[1:], dtype=np.int64)
        states = np.empty_like(symbols)
        for step, symbol in enumerate(symbols):
            states[step] = state = self._after[state, symbol]
        return may_follow[states]

    def coded(self, strings: Strings) -> Sequences:
        """Each symbol as an input, the next one as its target, the possible ones as its answer."""
        symbols, following = strings[:-1], strings[1:]
        alive = following != NOTHING
        inputs = one_hot(symbols, len(SYMBOLS), alive)
        answers = self._possible(symbols) * alive[..., None]
        targets = one_hot(following, len(SYMBOLS), alive)
        return sequences(inputs, targets, answers=answers, scored=alive, alive=alive)

    def unseen(self, draws: Draws, training: Sequences) -> Strings:
        """Strings that the training set of the same trial does not hold.

        A string that it holds is drawn again, so that each is its own trial's and number's affair.
        """
        chosen = self.strings(draws.branch("0"))
        turn = 0
        while (seen := _held(chosen, training)).any():
            turn += 1
            chosen = np.where(seen, *_level(self.strings(draws.branch(str(turn))), chosen))
        return cut(chosen)


def _reber(first: int) -> Edges:
    """The edges from B to E, with `first` for the state before B."""
    walk = "0B1 1T2 1P3 2S2 2X4 3T3 3V5 4X3 4S6 5P4 5V6 6E7".split()
    return [(first + int(it[0]), it[1], first + int(it[2])) for it in walk]


_T, _P, _END = 2, 10, 19  # where the two copies of the inner grammar start

PLAIN = Grammar(_reber(0), shortest=5)
"""The Reber grammar."""

EMBEDDED = Grammar(
    [
        *((0, "B", 1), (1, "T", _T), (1, "P", _P)),
        *(*_reber(_T), *_reber(_P)),
        *((_T + 7, "T", _END - 1), (_P + 7, "P", _END - 1), (_END - 1, "E", _END)),
    ],
    shortest=9,
)
"""The embedded one."""


def ranked(
    outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
) -> Bool[Tensor, "T *batch"]:
    """Every possible symbol strictly above every impossible one."""
    possible = answers > 0
    least = torch.where(possible, outputs, torch.inf).amin(-1)
    most = torch.where(possible, -torch.inf, outputs).amax(-1)
    return least > most


def cut(strings: Strings) -> Strings:
    """Without the steps behind the end of the longest."""
    return strings[: int((strings != NOTHING).any((1, 2)).sum())]


def _level(one: Strings, other: Strings) -> tuple[Strings, Strings]:
    """Both with as many steps as the longer."""
    steps = max(len(one), len(other))
    pad = [np.full((steps - len(it), *it.shape[1:]), NOTHING) for it in (one, other)]
    return np.concatenate([one, pad[0]]), np.concatenate([other, pad[1]])


def _held(strings: Strings, training: Sequences) -> Bool[np.ndarray, "R B"]:
    """Which strings the training set of the same trial holds."""
    # What it presents is its strings without their last symbol, which is always E.
    presented = np.where(training.alive, training.inputs.argmax(-1), NOTHING)
    return np.isin(
        _words(np.where(strings[1:] == NOTHING, NOTHING, strings[:-1])), _words(presented)
    )


def _words(strings: Strings) -> np.ndarray:
    """Each string as bytes behind the number of its trial, [R, B]."""
    letters = np.moveaxis(strings + 1, 0, -1).astype(np.uint8)
    trial = np.arange(len(letters), dtype=">u4").reshape(-1, 1, 1).view(np.uint8)
    words = np.concatenate([np.broadcast_to(trial, (*letters.shape[:2], 4)), letters], axis=-1)
    return np.ascontiguousarray(words).view(f"S{words.shape[-1]}")[..., 0]
