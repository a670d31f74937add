"""What follows from an adjoint's decay: the sentence, its severity, what to try.

The word is the rate's (sustains, vanishes, explodes). With a lag that the task needs, the severity
is that of the reach; without one, vanishing is worth watching and explosion is bad.
"""

from __future__ import annotations

import math

from ..flow import Finding, Measurement, Remedy
from ._decay import LN2, Decay, word, zero_beyond


def no_signal(m: Measurement) -> Finding:
    """The finding where the error does not exist, which is not vanishing."""
    return Finding(
        analysis=m.name,
        claim="no error of the loss reaches any state, at any lag",
        evidence="every gradient at the recurrent layers is exactly zero",
        severity="bad",
        word="no signal",
        remedies=(
            Remedy(
                "check that the loss reads the model's output, and the output the layer",
                "a gradient that vanishes is small; this one does not exist",
            ),
        ),
    )


def decayed(m: Measurement) -> Finding:
    """The finding on a decay, a growth, or neither."""
    said = word(_decay_of(m))
    severity = {"explodes": "bad", "vanishes": "watch", "sustains": "ok"}[said]
    enough, needed = _enough(m)
    if m.needs is not None and said != "explodes":
        severity = "ok" if enough else "bad"
    return Finding(
        analysis=m.name,
        claim=f"{_rate_text(m, said)}; {_reach_text(m)}{needed}",
        evidence=f"{m.block}, {m.samples} samples, lags 0 to {len(m.lags) - 1}",
        severity=severity,
        word=said,
        remedies=_remedies(m, said) if severity != "ok" else (),
    )


def _decay_of(m: Measurement) -> Decay:
    return Decay(**{name: m.fields[name] for name in Decay.__dataclass_fields__})


def _enough(m: Measurement) -> tuple[bool, str]:
    """Whether the error reaches as far as the task needs, and how the sentence says it."""
    if m.needs is None:
        return True, ""
    last = len(m.lags) - 1
    if m.reach is None:
        return False, f", and the task needs {m.needs}"
    if m.needs <= last or not m.reach_at_least:
        return m.reach >= m.needs, f", and the task needs {m.needs}"
    expected = m.relative_at_end + (m.rate or 0.0) * (m.needs - last)
    enough = expected >= math.log(m.floor)
    does = "reaches" if enough else "does not reach"
    return enough, f"; extrapolated, it {does} the {m.needs} that the task needs"


def _rate_text(m: Measurement, said: str) -> str:
    last = zero_beyond(m.log_norm)
    if last is not None:
        zero = f"the error is exactly zero beyond lag {last}"
        if m.furthest == last:
            return zero
        return f"{zero} in at least half of the samples (in others it comes to lag {m.furthest})"
    if m.rate is None:
        return f"there are too few lags for a rate ({len(m.lags) - 1})"
    interval = ""
    if m.rate_interval is not None:
        low, high = m.rate_interval
        interval = f", 95 % interval {low:+.3g} to {high:+.3g}"
    rate = f"rate {m.rate:+.3g} a step{interval}"
    match said:
        case "vanishes":
            return f"the error halves every {m.half_life:.3g} steps ({rate})"
        case "explodes":
            return f"the error doubles every {LN2 / m.rate:.3g} steps ({rate})"
        case _:
            return f"the error neither decays nor grows over {len(m.lags) - 1} steps ({rate})"


def _reach_text(m: Measurement) -> str:
    if m.reach is None:
        return f"at no lag is it {m.floor:g} of its start"
    least = "at least " if m.reach_at_least else ""
    return f"it reaches {least}{m.reach} steps back (to {m.floor:g} of its start)"


def _remedies(m: Measurement, said: str) -> tuple[Remedy, ...]:
    found: list[Remedy] = []
    radius = max(m.spectral_radius.values(), default=None)
    if said == "explodes":
        if m.row_norm_quantiles:
            _, middle, _, high = (math.exp(min(q, 700)) for q in m.row_norm_quantiles)
            found.append(
                Remedy(
                    f"clip the gradient norm at {middle:.2g}",
                    f"half of the sequences lie below it, one in ten above {high:.2g} (upper "
                    "bounds of each sequence's own weight gradient)",
                )
            )
        if radius is not None and radius > 1:
            found.append(
                Remedy(
                    "scale W_hh, or start it orthogonal (torch.nn.init.orthogonal_)",
                    f"its spectral radius is {radius:.3g}, above one",
                )
            )
        return tuple(found)
    if radius is not None and radius < 1:
        found.append(
            Remedy(
                "start W_hh orthogonal (torch.nn.init.orthogonal_)",
                f"its spectral radius is {radius:.3g}, below one: in the long run every step "
                "shrinks the error",
            )
        )
    if not m.gated:
        found.append(
            Remedy(
                "use a gated cell (nn.LSTM, nn.GRU)",
                "this one has no path on which the error passes unchanged",
            )
        )
    return tuple(found)
