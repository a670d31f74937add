"""Handwritten digits read pixel by pixel, and a recurrent net that learns to name them.

An 8 x 8 image becomes T = 64 steps of one number in [0, 1], and the class is asked for at the last
step: the pixels of the first row have to be carried over 63 steps.

Reference: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998, in the copy
of scikit-learn. Reading images pixel by pixel: Q. V. Le, N. Jaitly, G. E. Hinton, A Simple Way to
Initialize Recurrent Networks of Rectified Linear Units, 2015, section 4.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from ..tasks import _digits

STEPS = _digits.PIXELS
HIDDEN = 64
ROWS = 64
"""Images in one step of training."""


class Digits(NamedTuple):
    """The images as sequences and their classes, in a shuffled order."""

    pixels: Float[Tensor, "B 64 1"]
    labels: Int[Tensor, " B"]


class Reader(nn.Module):
    """A recurrent layer over the pixels, and a linear layer on its last step."""

    def __init__(self, layer: nn.RNN | nn.LSTM) -> None:
        super().__init__()
        self.layer = layer
        self.head = nn.Linear(layer.hidden_size, _digits.CLASSES)

    def forward(self, pixels: Float[Tensor, "B T 1"]) -> Float[Tensor, "B 10"]:
        """The score of each class after the last pixel."""
        return self.head(self.layer(pixels)[0][:, -1])


def digits(*, seed: int) -> tuple[Digits, Digits]:
    """The training images and the 360 test images."""
    images, labels = _digits.images()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    pixels = torch.tensor(images, dtype=torch.float32).unsqueeze(-1)[order]
    classes = torch.tensor(labels)[order]
    return Digits(pixels[360:], classes[360:]), Digits(pixels[:360], classes[:360])


def readers(*, seed: int) -> dict[str, Reader]:
    """The two nets of the demo, untrained, at PyTorch's own start."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return {
            "RNN": Reader(nn.RNN(1, HIDDEN, batch_first=True)),
            "LSTM": Reader(nn.LSTM(1, HIDDEN, batch_first=True)),
        }


def train(model: Reader, data: Digits, *, epochs: int, seed: int) -> Iterator[float]:
    """Train by Adam, gradients clipped at norm 1; yields the mean loss of each epoch."""
    generator = torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(epochs):
        losses: list[float] = []
        for rows in torch.randperm(len(data.labels), generator=generator).split(ROWS):
            adam.zero_grad()
            loss = functional.cross_entropy(model(data.pixels[rows]), data.labels[rows])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            losses.append(loss.item())
        yield sum(losses) / len(losses)


@torch.no_grad()
def accuracy(model: Reader, data: Digits) -> float:
    """The share of images that the net names rightly."""
    return (model(data.pixels).argmax(-1) == data.labels).double().mean().item()
