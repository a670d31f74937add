"""The verdict: one word, one severity, one sentence, and what was not checked.

word            the error of the loss, followed back in time,
----            ---------------------------------------------
no signal       is exactly zero at every lag: nothing to carry
truncated at k  is cut by the code after k steps, whatever the weights
ends at k       meets the end of a receptive field after k steps
explodes        grows with the lag
vanishes        decays with the lag
sustains        does neither over the lags measured
"""

from __future__ import annotations

import msgspec

from .finding import Remedy

SEVERITIES = ("ok", "watch", "bad")
"""From harmless to harmful; a command exits with 1 at the last."""


class Verdict(msgspec.Struct, frozen=True):
    """The conclusion of a probe. `sentence` begins with `word`."""

    word: str
    severity: str
    sentence: str
    remedies: tuple[Remedy, ...] = ()
    unchecked: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.sentence
