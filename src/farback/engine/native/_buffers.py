"""Arrays of a function's own: where results stand while it runs, or are to stand at its end."""

from __future__ import annotations

import re

import numpy as np

from ._body import Body
from ._codes import FIRST_ARRAY, PLACE, SHIFT, Codes, products, steps


def is_buffer(body: Body, codes: Codes) -> bool:
    """Whether these are all elements of a buffer."""
    base = int(codes.flat[0]) >> SHIFT
    return base >= FIRST_ARRAY and body.arrays[base][:1] == "b" and steps(codes) is not None


def settle(body: Body, codes: Codes, place: int) -> bool:
    """Have a buffer stand where it is to be written to, if these are all of its elements."""
    base = int(codes.flat[0]) >> SHIFT
    line, size = body.buffers.get(base, (0, 0))
    if size != codes.size or not np.array_equal(codes, (base << SHIFT) + np.arange(size)):
        return False
    array, name = body.arrays[place >> SHIFT], body.arrays[base]
    body.lines[line] = f"V *restrict const {name} = {array} + {place & PLACE};"
    del body.buffers[base]
    return True


def elements(body: Body, codes: Codes) -> Codes:
    """All of them that are no products, and what is multiplied in those that are."""
    made = products(codes)
    if not made.any():
        return codes
    factors = (elements(body, it) for it in body.factors(codes[made]))
    return np.concatenate([codes[~made], *factors])


def gather_up(body: Body, codes: Codes, place: int) -> bool:
    """Have a buffer that is to be added to an array added as it is made, if that can be.

    These have to be all of its elements, and nobody may read them but to add to them.
    """
    base = int(codes.flat[0]) >> SHIFT
    name = body.arrays[base]
    if base not in body.buffers:
        return False
    line = body.buffers[base][0]
    mentions = [it for it in range(line + 1, len(body.lines)) if name in _names(body.lines[it])]
    made = [it for it in mentions if not only_added_to(body.lines[it], name)]
    if any(_names(body.lines[it]).count(name) != 1 for it in made):
        return False
    written = re.compile(rf"(?:^|(?<=\) ))({name}\[[^\]]*\]) = (.*);$")
    texts = [written.sub(r"\1 = \1 + \2;", body.lines[it]) for it in made]
    if any(text == body.lines[it] for text, it in zip(texts, made, strict=True)):
        return False
    if not settle(body, codes, place):
        return False
    body.lines[line] = body.lines[line].replace("*restrict ", "*")  # of what adds to the rest
    for text, it in zip(texts, made, strict=True):
        body.lines[it] = text
    return True


def _names(line: str) -> list[str]:
    return re.findall(r"\bb\d+\b", line)


def only_added_to(line: str, name: str) -> bool:
    """Whether a statement, by itself or in a loop, adds to a buffer and does not read it else."""
    for pattern in _ADDS:
        found = re.fullmatch(pattern.format(name=name), line)
        if found and name not in _names("".join(it or "" for it in found.groups()[1:])):
            return True
    return False


_ADDS = (
    r"(?:for .*\) )?scatter\(({name}) \+ ([^,]*, \d+, symbol, .*)\);",
    r"(?:for .*\) )?({name}\[[^\]]*\]) = (?:\1 \+ (.*)|FMA\((.*), \1\));",
)


def contiguous(body: Body, codes: Codes) -> Codes:
    """The same numbers as elements of one array in even steps, copied where they are not."""
    codes = body.computed(codes)
    if steps(codes) is not None and int(codes.flat[0]) >> SHIFT >= FIRST_ARRAY:
        return codes
    result = body.buffer(codes.size).reshape(codes.shape)
    body.loop(result.reshape(-1), "{0}", [codes.reshape(-1)])
    return result


def spread(body: Body, codes: Codes) -> Codes:
    """The same numbers; where all rows or all columns are alike, in one array, for loops."""
    if codes.ndim != 2 or body.indexed(codes, ["i0", "i1"]) is not None:
        return codes
    for one, axis in ((codes[:1], 0), (codes[:, :1], 1)):
        if codes.shape[axis] > 1 and (codes == one).all():
            return np.broadcast_to(contiguous(body, one), codes.shape)
    return codes


def place(body: Body, codes: Codes) -> tuple[str, int]:
    """The array and the offset of the first element."""
    code = int(codes.flat[0])
    return body.arrays[code >> SHIFT], code & PLACE
