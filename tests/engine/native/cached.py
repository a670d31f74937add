"""The answer of a library that the cache has or compiles."""

from pathlib import Path

from farback.engine.native._cache import build

SOURCE = "int answer(void) { return 42; }"


def answer(source: str = SOURCE, **defines: int) -> int:
    return build(source, defines=defines).answer()


def libraries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.so"))
