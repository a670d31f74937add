"""The Reber grammar: drawing strings, and what may follow.

    1: T 2 | P 3    2: S 2 | X 4    3: T 3 | V 5    4: X 3 | S 6    5: P 4 | V 6    6: E

Strings are arrays of symbol numbers, [T, R, B], padded with -1.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ..draws import Draws
from ..types import Sequences
from ._task import one_hot, sequences

SYMBOLS = "BTPSXVE"
B, T, P, S, X, V, E = range(7)
NOTHING = -1

# By state 1 to 6 (0 is unused) and choice: the symbol, and the state that it leads to (7: the end).
_SYMBOL = np.array([[0, 0], [T, P], [S, X], [T, V], [X, S], [P, V], [E, E]])
_NEXT = np.array([[0, 0], [2, 3], [2, 4], [3, 5], [3, 6], [4, 6], [7, 7]])
_END = 7
_DRAWN_AT_ONCE = 16

Strings = Int64[np.ndarray, "T R B"]


def plain(draws: Draws) -> Strings:
    """Reber strings, from B to E."""
    state = np.ones(draws.shape, dtype=np.int64)
    steps = [np.full(draws.shape, B)]
    while (state != _END).any():
        for choice in draws.integers(_DRAWN_AT_ONCE, high=2):
            done = state == _END
            inside = np.where(done, 0, state)
            steps.append(np.where(done, NOTHING, _SYMBOL[inside, choice]))
            state = np.where(done, _END, _NEXT[inside, choice])
    return _cut(np.stack(steps))


def embedded(draws: Draws) -> Strings:
    """Embedded Reber strings: B, T or P, a Reber string, the same T or P, E."""
    branch = draws.integers(high=2) + T
    inner = plain(draws)
    length = (inner != NOTHING).sum(0)
    string = np.full((len(inner) + 4, *draws.shape), NOTHING)
    string[0], string[1], string[2 : 2 + len(inner)] = B, branch, inner
    np.put_along_axis(string, (length + 2)[None], branch[None], axis=0)
    np.put_along_axis(string, (length + 3)[None], E, axis=0)
    return string


def coded(strings: Strings) -> Sequences:
    """Each symbol as an input, the next one as its target, the possible ones as its answer."""
    symbols, following = strings[:-1], strings[1:]
    alive = following != NOTHING
    inputs = one_hot(np.where(alive, symbols, 0), len(SYMBOLS), alive)
    targets = one_hot(np.where(alive, following, 0), len(SYMBOLS), alive)
    answers = possible_embedded(torch.from_numpy(inputs)).numpy() * alive[..., None]
    return sequences(inputs, targets, answers=answers, scored=alive, alive=alive)


def possible_embedded(inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
    """1 for every symbol that may follow the inputs so far, by the embedded grammar."""
    symbols = inputs.argmax(-1).numpy()
    answers = np.zeros(inputs.shape)
    # Stages: 0 nothing seen, 1 B seen, 2 T or P seen, inner states 3.. = state + 2, E seen 10, 11.
    state = np.zeros(symbols.shape[1:], dtype=np.int64)
    for step, symbol in enumerate(symbols):
        state = _after(state, symbol)
        answers[step] = _possible(state, symbols[min(1, step)])
    return torch.from_numpy(answers)


_SEEN_B, _SEEN_BRANCH, _INSIDE, _SEEN_E, _SEEN_SECOND = 1, 2, 2, 9, 10


def _after(state: np.ndarray, symbol: np.ndarray) -> np.ndarray:
    """The stage after one more symbol; inside the inner string it is its state + 2."""
    inner = np.clip(state - _INSIDE, 0, 6)
    choice = (_SYMBOL[inner, 1] == symbol).astype(np.int64)
    walked = _NEXT[inner, choice] + _INSIDE
    stages = [state == 0, state == _SEEN_B, state == _SEEN_BRANCH, state <= _INSIDE + 6]
    return np.select(stages, [_SEEN_B, _SEEN_BRANCH, _INSIDE + 1, walked], _SEEN_SECOND)


def _possible(state: np.ndarray, branch: np.ndarray) -> np.ndarray:
    code = np.eye(len(SYMBOLS))
    inner = np.clip(state - _INSIDE, 0, 6)
    inside = np.maximum(code[_SYMBOL[inner, 0]], code[_SYMBOL[inner, 1]])
    stages = [state == _SEEN_B, state == _SEEN_BRANCH, state == _SEEN_E, state == _SEEN_SECOND]
    choices = [
        code[T] + code[P] + 0 * inside,
        code[B] + 0 * inside,
        code[branch],
        code[E] + 0 * inside,
    ]
    return np.select([it[..., None] for it in stages], choices, inside)


def ranked(
    outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
) -> Bool[Tensor, "T *batch"]:
    """Every possible symbol strictly above every impossible one."""
    possible = answers > 0
    least = torch.where(possible, outputs, torch.inf).amin(-1)
    most = torch.where(possible, -torch.inf, outputs).amax(-1)
    return least > most


def unseen(draws: Draws, training: Sequences) -> Strings:
    """Embedded strings that the training set of the same trial does not hold."""
    # A training string without its last symbol, which is always E, is all inputs of its sequence.
    inputs = np.where(training.alive, training.inputs.argmax(-1), NOTHING)
    known = [set(map(_word, trial)) for trial in inputs.transpose(1, 2, 0).tolist()]
    found: list[list[list[int]]] = [[] for _ in known]
    wanted = draws.shape[1]
    turn = 0
    while any(len(it) < wanted for it in found):
        drawn = embedded(draws.branch(str(turn))).transpose(1, 2, 0).tolist()
        for mine, trained, strings in zip(found, known, drawn, strict=True):
            mine.extend(it for it in strings if _word(it)[:-1] not in trained)
        turn += 1
    chosen = [string for mine in found for string in mine[:wanted]]
    steps = max(map(len, chosen))
    padded = np.full((len(chosen), steps), NOTHING)
    for row, string in zip(padded, chosen, strict=True):
        row[: len(string)] = string
    return _cut(padded.reshape(len(known), wanted, steps).transpose(2, 0, 1))


def _word(string: list[int]) -> tuple[int, ...]:
    return tuple(it for it in string if it != NOTHING)


def _cut(strings: Strings) -> Strings:
    return strings[: int((strings != NOTHING).any((1, 2)).sum())]
