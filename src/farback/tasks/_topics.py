"""The text of Python's own help topics, `pydoc_data.topics`, as character numbers.

The text changes with the release of Python; its hash tells which one it is.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from ..errors import InputRefused


class Text(NamedTuple):
    """A text over its own alphabet."""

    characters: Int64[np.ndarray, " C"]
    """By their place in the alphabet."""

    alphabet: str
    """Every character that occurs, in the order of their codes."""

    sha256: str
    """Of the text in UTF-8."""


@cache
def text() -> Text:
    """All topics in the order of their names, a line break between two.

    Raises:
        InputRefused: this Python comes without them.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise InputRefused(
            "This Python comes without the topics of its help (pydoc_data); try another build of "
            "Python."
        ) from None
    whole = "\n".join(topics[name] for name in sorted(topics))
    codes = np.frombuffer(whole.encode("utf-32-le"), dtype="<u4")
    alphabet, characters = np.unique(codes, return_inverse=True)
    digest = sha256(whole.encode("utf-8")).hexdigest()
    return Text(characters.astype(np.int64), "".join(map(chr, alphabet)), digest)
