"""Command lines: their words, and ids and names in portions that one takes. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from jobmon.plugins.wording import shown

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


def words_of(argv: object, piece: str) -> list[str]:
    """The words of a command line that an author's piece returned.

    Raises:
        TypeError: it is something else, which some other program could be called by.
    """
    if not isinstance(argv, Iterable) or isinstance(argv, str | bytes):
        raise TypeError(f"{piece} returned {shown(argv)}, not a list of words")
    words = list(argv)
    if not words:
        raise TypeError(f"{piece} returned no words")
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"{piece} returned a list with {shown(word)} in it, which is no text")
    return words
