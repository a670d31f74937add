"""Arrays of a function's own: where results stand while it runs, or are to stand at its end."""

from __future__ import annotations

import numpy as np

from ._body import Body
from ._codes import FIRST_ARRAY, PLACE, SHIFT, Codes, steps


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
