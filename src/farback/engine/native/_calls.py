"""What the functions of a program are called with for each block of lanes, and what they say."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np

from ._memory import CSequences


class CVerdicts(ctypes.Structure):
    _fields_ = (
        ("loss", ctypes.c_void_p),
        ("error", ctypes.c_void_p),
        ("right", ctypes.c_void_p),
        ("apart", ctypes.c_long),
    )


class CExam(ctypes.Structure):
    _fields_ = (
        ("params", ctypes.c_void_p),
        ("rows", ctypes.c_void_p),
        ("first", ctypes.c_long),
        ("count", ctypes.c_long),
        ("allowed", ctypes.c_long),
        ("losses", ctypes.c_long),
        ("data", CSequences),
        ("verdicts", CVerdicts),
    )


class CTraining(ctypes.Structure):
    _fields_ = (
        ("params", ctypes.c_void_p),
        ("memory", ctypes.c_void_p),
        ("rows", ctypes.c_void_p),
        ("keys", ctypes.c_void_p),
        ("first", ctypes.c_long),
        ("count", ctypes.c_long),
        ("data", CSequences),
        ("verdicts", CVerdicts),
    )


@dataclass(frozen=True)
class Verdicts:
    """What each trial answered, sequence by sequence."""

    loss: np.ndarray
    """[R, n]; the error while learning."""

    error: np.ndarray
    """[R, n]; the task's."""

    right: np.ndarray
    """[R, n]."""

    @staticmethod
    def of(trials: int, count: int, kind: np.dtype) -> Verdicts:
        """Room for them."""
        loss, error = (np.empty((trials, count), kind) for _ in range(2))
        return Verdicts(loss, error, np.empty((trials, count), np.bool_))

    def end(self, trials: slice, count: int) -> None:
        """These trials were asked no more than so many sequences."""
        for values in (self.loss, self.error, self.right):
            values[trials, count:] = 0


def addresses(values: np.ndarray) -> list[int]:
    """Where in memory each row of an array begins."""
    return (values.ctypes.data + np.arange(len(values)) * values.strides[0]).tolist()


def calls(
    one: CExam | CTraining, *, rows: np.ndarray, verdicts: Verdicts, **arrays: np.ndarray
) -> np.ndarray:
    """One call for each block of lanes.

    Args:
        one: what all of them have in common.
        rows: [blocks, lanes].
        verdicts: where to put what they say, for all trials.
        arrays: what each block has its own part of, [blocks, ...] each.
    """
    blocks, lanes = rows.shape
    made = np.repeat(np.frombuffer(bytes(one), type(one)), blocks)
    for name, values in (arrays | {"rows": rows}).items():
        made[name] = addresses(values)
    for name in ("loss", "error", "right"):
        made["verdicts"][name] = addresses(getattr(verdicts, name))[::lanes]
    made["verdicts"]["apart"] = verdicts.loss.shape[1]
    return made
