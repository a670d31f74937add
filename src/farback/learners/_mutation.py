"""A net whose links and hidden units come and go, and what a mutation makes of it.

    w <- w + link o N(0, heat^2)                                                           (1)

The net is a row of masks over the parameters of a fully recurrent cell. A link is an entry of
`weights` or a bias, which is a link from a unit that is always on; a link that is not there has
weight 0. A hidden unit that is not there has no links, so nobody hears it.

    may(unit, from) = there(unit) there(from)                                              (2)

Which unit is hidden the parameters tell: `weights` are [units, inputs + units], the inputs first,
and as many of the units, from the first, are hidden as `hidden_bias` is long.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ..types import Params, flat, size_of


class Net(NamedTuple):
    """One net, with 1 for what is there."""

    weights: Float[Tensor, " P"]
    links: Float[Tensor, " P"]
    nodes: Float[Tensor, " H"]
    """Hidden units."""

    @property
    def row(self) -> Float[Tensor, " 2P+H"]:
        """The net as one row of a population."""
        return torch.cat(self)


class Drawn(NamedTuple):
    """What is drawn for a mutation, or for a net at the start: uniform in [0, 1)."""

    weights: Float[Tensor, " P or P+1"]
    heat: Float[Tensor, ""]
    odds: Float[Tensor, " 4"]
    """Whether: nodes come, nodes go, links come, links go."""

    counts: Float[Tensor, " 4"]
    """How many."""

    places: tuple[Tensor, ...]
    """Which: one number for each that may come or go."""


def sizes_of(params: Params, nodes: int, links: int) -> list[int]:
    """How many numbers are drawn of each kind, where so many nodes and links change at most."""
    return [size_of(params) + size_of(params) % 2, 1, 4, 4, nodes, nodes, links, links]


def drawn(chance: Tensor, params: Params, nodes: int, links: int) -> Drawn:
    """The same, from what was drawn in all."""
    weights, heat, odds, counts, *places = chance.split(sizes_of(params, nodes, links))
    return Drawn(weights, heat[0], odds, counts, tuple(places))


def parted(row: Float[Tensor, " 2P+H"], params: Params) -> Net:
    """A net from its row."""
    size, hidden = size_of(params), len(params["hidden_bias"])
    return Net(*row.split([size, size, hidden]))


def possible(nodes: Float[Tensor, " H"], params: Params) -> Float[Tensor, " P"]:
    """Which links may be there, (2)."""
    units, seen = params["weights"].shape
    outputs = nodes.new_ones(units - len(nodes))
    there = torch.cat([nodes, outputs])
    heard = torch.cat([nodes.new_ones(seen - units), there])
    parts = {"weights": there.unsqueeze(1) * heard, "hidden_bias": nodes, "output_bias": outputs}
    return flat({name: parts[name] for name in params})


def fresh(drawn: Drawn, params: Params, width: float) -> Net:
    """A net at the start: 0 to H hidden units, and a share of the links that may be there.

    Each count of units is as likely, and the share is uniform in [0, 1). Weights are uniform in
    [-width, width].
    """
    share = drawn.heat
    hidden = len(params["hidden_bias"])
    count = torch.floor(drawn.counts[0] * (hidden + 1))
    nodes = (torch.arange(hidden).to(share) < count).to(share)
    numbers = drawn.weights[: size_of(params)]
    links = possible(nodes, params) * (numbers < share).to(share)
    # Below the share, the numbers are uniform up to it.
    weights = width * (2 * numbers / torch.where(share > 0, share, 1.0) - 1)
    return Net(torch.where(links > 0, weights, 0.0), links, nodes)


def mutated(
    net: Net,
    heat: Float[Tensor, ""],
    drawn: Drawn,
    params: Params,
    *,
    alpha: float,
    nodes: tuple[int, int],
    links: tuple[int, int],
    odds: tuple[float, float, float, float],
) -> Net:
    """A child.

    Weights change by (1) with alpha heat for heat, then nodes come and go, then links.

    Args:
        net: its parent.
        heat: the temperature of this mutation.
        drawn: the chances of it.
        params: parameters, for their shapes.
        alpha: the standard deviation of a weight's change at heat 1.
        nodes: the least and the most that come or go.
        links: the same of links.
        odds: the chance that nodes come, that nodes go, and so for links.
    """
    noise = normal(drawn.weights)[: len(net.weights)]
    weights = net.weights + alpha * heat * net.links * noise  # (1)
    ranges = (nodes, nodes, links, links)
    come, go, join, part = (
        torch.where(drawn.odds[at] < odds[at], _count(least, most, heat, drawn.counts[at]), 0.0)
        for at, (least, most) in enumerate(ranges)
    )
    there = net.nodes + picked(1 - net.nodes, come, drawn.places[0])
    there = there - picked(there, go, drawn.places[1])
    may = possible(there, params)
    kept = net.links * may
    kept = kept + picked(may - kept, join, drawn.places[2])
    kept = kept - picked(kept, part, drawn.places[3])
    return Net(weights * kept, kept, there)


def picked(
    places: Float[Tensor, " M"], count: Float[Tensor, ""], chance: Float[Tensor, " most"]
) -> Float[Tensor, " M"]:
    """So many of the places that are 1, or all of them where there are fewer.

    One after another, each of those that are left as likely.
    """
    left = places
    for at, number in enumerate(chance.unbind()):
        turn = torch.floor(number * left.sum()) + 1
        taken = (left > 0) & (left.cumsum(0) == turn) & (count > at)
        left = torch.where(taken, 0.0, left)
    return places - left


def normal(chance: Float[Tensor, " 2M"]) -> Float[Tensor, " 2M"]:
    """Gaussian numbers from uniform ones.

    Reference: G. E. P. Box, M. E. Muller, A Note on the Generation of Random Normal Deviates, 1958.
    """
    one, other = chance.split(len(chance) // 2)
    # 1 - u is never 0.
    radius, angle = torch.sqrt(-2 * torch.log(1 - one)), 2 * math.pi * other
    return torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)])


def _count(least: int, most: int, heat: Tensor, number: Tensor) -> Float[Tensor, ""]:
    """How many come or go: at heat 1 each count of the range is as likely, at 0 it is the least."""
    return least + torch.floor(number * heat * (most - least + 1))
