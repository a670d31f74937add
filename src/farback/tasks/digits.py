"""Sequential digits: handwritten digits read pixel by pixel, and named at the end.

The 1797 images of scikit-learn, 8 x 8 pixels from 0 to 1, row by row or in one fixed random order.
The first row lies 63 to 56 steps before the answer. 360 images, the same for all trials, are the
test set; the others are the training set.

It is the small form of the task on MNIST, and nothing is published on it. What is chosen here: the
images are dealt to the sets at random, so that both hold images of the same writers; solved is at
most one in ten of the test images named wrongly.

Reference: Q. V. Le, N. Jaitly, G. E. Hinton, A Simple Way to Initialize Recurrent Networks of
Rectified Linear Units, 2015, section 4.3, for MNIST.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ..draws import Draws
from ..types import Sequences
from . import _digits
from ._choice import Choice, blind
from ._criterion import Criterion
from ._task import Baseline, Lag, at_end, one_hot, sequences

_TEST = 360


@dataclass(frozen=True)
class Digits(Choice):
    """Digits, a pixel a step.

    Args:
        permuted: read the pixels in a random order, the same for all images and trials.
    """

    permuted: bool = False

    @property
    def inputs(self) -> int:
        return 1

    @property
    def outputs(self) -> int:
        return _digits.CLASSES

    @property
    def lag(self) -> Lag:
        """From the first pixel."""
        return Lag(_digits.PIXELS - 1, _digits.PIXELS - 1)

    @property
    def criterion(self) -> Criterion:
        return Criterion(on=("test",), wrong=_TEST // 10)

    @property
    def training(self) -> int:
        return len(_digits.images().digits) - _TEST

    @property
    def test(self) -> int:
        return _TEST

    @property
    def baseline(self) -> Baseline:
        """Each digit as often as the training set holds it."""
        training = _digits.images().digits[_order()[_TEST:]]
        shares = np.bincount(training, minlength=_digits.CLASSES) / len(training)
        return blind(shares, right=float(shares.max()))

    def sample(self, draws: Draws) -> Sequences:
        """Images of the training set, each as likely."""
        return self._sequences(_TEST + draws.integers(high=self.training))

    def training_set(self, draws: Draws) -> Sequences:
        return self._sequences(np.broadcast_to(_TEST + draws.numbers, draws.shape))

    def test_set(self, draws: Draws, training: Sequences | None) -> Sequences:
        return self._sequences(np.broadcast_to(draws.numbers, draws.shape))

    def _sequences(self, places: Int64[np.ndarray, "R B"]) -> Sequences:
        """The images at these places of the fixed order."""
        pixels, digits = _digits.images()
        chosen = _order()[places]
        read = pixels[:, _permutation()] if self.permuted else pixels
        inputs = np.moveaxis(read[chosen], -1, 0)[..., None]
        end = at_end(np.full(places.shape, _digits.PIXELS), _digits.PIXELS)
        targets = one_hot(digits[chosen], _digits.CLASSES)
        return sequences(inputs, targets, scored=end, alive=np.ones_like(end))

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """All: any pixel may tell."""
        return torch.ones(inputs.shape[:-1], dtype=torch.bool)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """None that are known."""
        return torch.zeros(inputs.shape[:-1], dtype=torch.bool)


def _order() -> Int64[np.ndarray, " 1797"]:
    """The images in the order in which they are dealt: test set first."""
    count = len(_digits.images().digits)
    return Draws([0], "digits").uniform(count)[:, 0, 0].argsort()


def _permutation() -> Int64[np.ndarray, " 64"]:
    """The order in which permuted pixels are read."""
    return Draws([0], "pixels").uniform(_digits.PIXELS)[:, 0, 0].argsort()
