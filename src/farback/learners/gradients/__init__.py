"""The gradients, one a file: ways to get the derivative of the error by the parameters.

>>> from farback.learners import gradients
>>> gradients.BPTT().exact
True
"""

from __future__ import annotations

from typing import Any

from ..._catalogue import class_names, named

_FOR_YOUR_OWN = {
    "Advanced": "_online",
    "ErrorGradient": "_gradient",
    "OnlineGradient": "_online",
    "RecursiveGradient": "_recursive",
    "expect_jacobian": "_gradient",
}
"""What one's own is written with, beside the interface, and where it lives."""


def __getattr__(name: str) -> Any:
    return named("gradients", name, _FOR_YOUR_OWN)


def __dir__() -> list[str]:
    return class_names("gradients")
