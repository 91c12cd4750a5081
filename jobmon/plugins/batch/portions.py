"""Ids and names in portions that a command line takes. Pure."""

from collections.abc import Iterator, Sequence

#: Linux takes no single argument above 128 KiB, and a platform may want all ids in one.
_MOST_BYTES = 100_000


def portions(items: Sequence[str], most: int, *, most_bytes: int = _MOST_BYTES) -> Iterator[list[str]]:
    """The items in their order, at most so many at a time, and so many bytes with a separator after each."""
    some: list[str] = []
    size = 0
    for item in items:
        length = len(item.encode(errors="surrogateescape")) + 1
        if some and (len(some) == most or size + length > most_bytes):
            yield some
            some, size = [], 0
        some.append(item)
        size += length
    if some:
        yield some
