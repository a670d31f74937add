"""The body of a C function while it is written: its numbers, and its statements.

Few numbers become a statement each; many become a loop, where their codes go up in even steps.

A product is not computed where it is made, but where it is used: most are added to something, and
that is one operation. What is zero for certain is left out, and so is what it multiplies.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

import numpy as np

from ._codes import (
    CONSTANT,
    FIRST_ARRAY,
    MASK,
    ONE,
    PLACE,
    PRODUCT,
    SHIFT,
    VARIABLE,
    WHOLE,
    ZERO,
    Codes,
    count_up,
    literal,
    parts,
    products,
    steps,
    stretches,
)
from ._memo import DEAR, Marks
from ._unavailable import Unavailable

HOT = "HOT"
"""The name of an array whose elements are 1 at the symbol of a step and 0 elsewhere."""

FEW = 64
"""As many numbers become a statement each."""

_MOST_STATEMENTS = 6_000
_SHORTEST_LOOP = 8
_LARGEST_LOCAL = 64


class Body:
    """The statements of one function. `work` in C is memory for the larger arrays."""

    def __init__(self, marks: Marks | None = None) -> None:
        self.lines: list[str] = []
        self.work = 0
        """Vectors of `work` that are needed."""
        self.hot: Codes | None = None
        """The one-hot input, where there is one."""
        self.marks = marks
        """Where results are told from one another, to be kept for another function."""
        self.arrays: list[str] = [""] * FIRST_ARRAY
        self._masks: set[int] = {MASK}
        self._constants: dict[float, int] = {0.0: ZERO, 1.0: ONE}
        self._values: list[float] = [0.0, 1.0]
        self._factors: list[Codes] = [np.empty((0, 2), dtype=np.int64)]
        self._made = 0
        self.buffers: dict[int, tuple[int, int]] = {}
        """By the base of an array of its own, the line that declares it, and its size."""
        self._known: dict[tuple[object, ...], Codes] = {}
        self.names = count()

    # Numbers.

    def constant(self, value: float) -> int:
        """The code of a number that is known."""
        if value == 0:
            return ZERO
        if value not in self._constants:
            self._constants[value] = len(self._values)
            self._values.append(value)
        return self._constants[value]

    def constants(self, values: np.ndarray) -> Codes:
        """The codes of numbers that are known; many that count up are those of a loop."""
        values = np.asarray(values)
        if values.size > FEW and count_up(values.ravel()):
            return (WHOLE << SHIFT) + values.astype(np.int64)
        flat = [self.constant(float(it)) for it in values.ravel()]
        return np.array(flat, dtype=np.int64).reshape(np.shape(values))

    def known(self, codes: Codes) -> np.ndarray | None:
        """The numbers, where all of them are constants."""
        bases = codes >> SHIFT
        if not np.isin(bases, (CONSTANT, WHOLE)).all():
            return None
        places = codes & PLACE
        return np.where(bases == WHOLE, places, np.array(self._values)[places * (bases != WHOLE)])

    def array(self, name: str, *shape: int, mask: bool = False) -> Codes:
        """The elements of an array that stands in memory, in the order of C."""
        base = len(self.arrays)
        self.arrays.append(name)
        if self.marks is not None:
            self.marks.array(base, hash(name))
        if mask:
            self._masks.add(base)
        return (base << SHIFT) + np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)

    def buffer(self, size: int, *, mask: bool = False) -> Codes:
        """The elements of a new array of the function's own."""
        name = f"b{next(self.names)}"
        kind = "M" if mask else "V"
        if size <= _LARGEST_LOCAL:
            self.lines.append(f"{kind} {name}[{size}];")
        else:
            self.lines.append(f"{kind} *restrict const {name} = ({kind} *)(work + {self.work});")
            self.work += size
        self.buffers[len(self.arrays)] = len(self.lines) - 1, size
        return self.array(name, size, mask=mask)

    def marked(self, buffer: Codes, *what: object, of: Iterable[Codes]) -> Codes:
        """A new buffer, known by an operation and its operands where anybody wants to know."""
        if self.marks is not None:
            base = int(buffer.flat[0]) >> SHIFT
            self.marks.array(base, hash((*what, *(self.marks.of(self, it) for it in of))))
        return buffer

    def is_mask(self, codes: Codes) -> np.ndarray:
        """Which numbers are masks; constants are neither."""
        return np.isin(codes >> SHIFT, list(self._masks))

    def name(self, code: int) -> str:
        """The number in C."""
        base, place = int(code) >> SHIFT, int(code) & PLACE
        if base == CONSTANT:
            return literal(self._values[place])
        if base == WHOLE:
            return literal(float(place))
        if base in (VARIABLE, MASK):
            return f"v{place}"
        if base == PRODUCT:
            one, other = self.factors(np.array(code))
            return f"({self.name(int(one))} * {self.name(int(other))})"
        return self._element(base, str(place))

    def _element(self, base: int, index: str) -> str:
        if base == WHOLE:
            return f"SPLAT((R)({index}))"
        name = self.arrays[base]
        return f"hot(symbol, {index})" if name == HOT else f"{name}[{index}]"

    # Products.

    def product(self, one: Codes, other: Codes) -> Codes:
        """Products, to be computed where they are used."""
        one, other = np.broadcast_arrays(one, other)
        pairs = np.stack([one.ravel(), other.ravel()], axis=1)
        first, self._made = self._made, self._made + len(pairs)
        self._factors.append(pairs)
        return ((PRODUCT << SHIFT) + first + np.arange(len(pairs))).reshape(one.shape)

    def factors(self, codes: Codes) -> tuple[Codes, Codes]:
        """What is multiplied."""
        if len(self._factors) > 1:
            self._factors = [np.concatenate(self._factors)]
        pairs = self._factors[0][codes & PLACE]
        return pairs[..., 0], pairs[..., 1]

    def computed(self, codes: Codes) -> Codes:
        """The same numbers, with each product computed."""
        made = products(codes)
        if not made.any():
            return codes
        return parts(
            codes,
            (made, lambda at: self.apply("{0} * {1}", *self.factors(at(codes)))),
            (~made, lambda at: at(codes)),
        )

    # Statements.

    def apply(self, template: str, *operands: Codes, mask: bool = False) -> Codes:
        """An operation on every element; `template` has {0}, {1}, ... for the operands."""
        operands = tuple(np.broadcast_arrays(*operands))
        key = (template, operands[0].shape, *(it.tobytes() for it in operands))
        if key not in self._known:
            self._known[key] = self._applied(template, operands, mask)
        return self._known[key]

    def _applied(self, template: str, operands: tuple[Codes, ...], mask: bool) -> Codes:
        if self.marks is None or template not in DEAR:
            return self._made_now(template, operands, mask)
        mark = hash((template, *(self.marks.of(self, it) for it in operands)))
        kept = self.marks.memo.recall(mark)
        if kept is not None:
            return kept
        made = self._made_now(template, operands, mask)
        self.marks.note(self, mark, made)
        return made

    def _made_now(self, template: str, operands: tuple[Codes, ...], mask: bool) -> Codes:
        first = operands[0]
        if first.size <= FEW:
            columns = zip(*(it.ravel().tolist() for it in operands), strict=True)
            made = [self._scalar(template, column, mask) for column in columns]
            return np.array(made, dtype=np.int64).reshape(first.shape)
        result = self.buffer(first.size, mask=mask).reshape(first.shape)
        self.loop(result, template, operands)
        return self.marked(result, template, of=operands)

    def _scalar(self, template: str, operands: tuple[int, ...], mask: bool) -> int:
        key = (template, operands)
        if key not in self._known:
            place = next(self.names)
            value = template.format(*map(self.name, operands))
            self.say(f"const {'M' if mask else 'V'} v{place} = {value};")
            code = (MASK if mask else VARIABLE) << SHIFT | place
            if self.marks is not None:
                self.marks.number(self, code, template, operands)
            self._known[key] = np.array(code)
        return int(self._known[key])

    def say(self, line: str) -> None:
        """Write a statement.

        Raises:
            Unavailable: there are too many for a compiler to be quick about.
        """
        self.lines.append(line)
        if len(self.lines) > _MOST_STATEMENTS:
            raise Unavailable(
                f"the net is too large to be worth it (more than {_MOST_STATEMENTS:,} statements)"
            )

    def loop(self, result: Codes, template: str, operands: Iterable[Codes]) -> None:
        """`result = template` for every element, by loops where codes go up in even steps."""
        operands = tuple(operands)
        if result.ndim > 1:
            flat = tuple(it.reshape(-1) for it in operands)
            if self._nest(result.reshape(-1), template, flat):
                return
            if not self._nest(result, template, operands):
                for place in range(len(result)):
                    self.loop(result[place], template, [it[place] for it in operands])
            return
        if self._nest(result, template, operands):
            return
        for first, end in self._stretches([result, *operands]):
            stretch = result[first:end], template, tuple(it[first:end] for it in operands)
            if end - first < _SHORTEST_LOOP or not self._nest(*stretch):
                for place in range(first, end):
                    names = (self.name(int(it[place])) for it in operands)
                    self.say(f"{self.name(int(result[place]))} = {template.format(*names)};")

    def _nest(self, result: Codes, template: str, operands: tuple[Codes, ...]) -> bool:
        """One nest of loops over all axes, where that can be."""
        indices = [f"i{axis}" for axis in range(result.ndim)]
        texts = [self.indexed(it, indices) for it in (result, *operands)]
        if None in texts:
            return False
        place, *values = map(str, texts)
        heads = [
            f"for (int {i} = 0; {i} < {size}; {i}++)"
            for i, size in zip(indices, result.shape, strict=True)
        ]
        self.say(f"{' '.join(heads)} {place} = {template.format(*values)};")
        return True

    def indexed(self, codes: Codes, indices: list[str]) -> str | None:
        """The elements in C by indices, where they stand in even steps."""
        base = int(codes.flat[0]) >> SHIFT
        if base == PRODUCT:
            if not products(codes).all():
                return None
            texts = [self.indexed(it, indices) for it in self.factors(codes)]
            return None if None in texts else f"({texts[0]} * {texts[1]})"
        strides = steps(codes)
        if strides is None or (any(strides) and base < WHOLE):
            return None
        if not any(strides):
            return self.name(int(codes.flat[0]))
        terms = [f"{s} * {i}" if s != 1 else i for s, i in zip(strides, indices, strict=True) if s]
        offset = int(codes.flat[0]) & PLACE
        return self._element(base, " + ".join([str(offset)] * bool(offset) + terms))

    def _stretches(self, arrays: list[Codes]) -> list[tuple[int, int]]:
        """Where the steps of any of them change, [first, end) each."""
        columns: list[Codes] = []
        for it in arrays:
            made = products(it)
            one, other = it, it
            if made.any():
                one, other = self.factors(np.where(made, it, PRODUCT << SHIFT))
            columns += [np.where(made, one, it), np.where(made, other, it), made * 1]
        return stretches(columns)
