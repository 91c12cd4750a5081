"""Names that Jobmon makes: attempt tokens and request ids."""

import os
import re
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: https://www.crockford.com/base32.html
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_UNFIT_FOR_PLATFORMS, _UNFIT_FOR_FILES = re.compile(r"[^A-Za-z0-9_.-]+"), re.compile(r"[^\w.-]+")
TOKEN_PATTERN = re.compile(r"j[0-9a-hjkmnp-tv-z]{26}")
TOKEN_LENGTH = 27


def _encode(number: int) -> str:
    """130 bits (the highest two are zero) as 26 characters."""
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])


def new_tokens(count: int) -> list[str]:
    """`count` new attempt tokens: `j` and 26 lower-case characters, in increasing order.

    48 bits of milliseconds and 80 random bits, as a ULID (https://github.com/ulid/spec): tokens made later sort later,
    which keeps an index over them compact. The tokens of one call differ in their last bits.
    """
    first = (time.time_ns() // 1_000_000 << 80) | (int.from_bytes(os.urandom(10), "big") >> 1)
    tokens: list[str] = []
    while len(tokens) < count:  # all but the last four characters are the same for a million
        number = first + len(tokens)
        start, low = "j" + _encode(number)[:-4], number & 0xFFFFF
        lows = range(low, min(low + count - len(tokens), 1 << 20))
        tokens += [start + _PAIRS[n >> 10] + _PAIRS[n & 1023] for n in lows]
    return tokens


def new_request_id() -> str:
    """An id for one write request; a repeated request carries the same."""
    return os.urandom(12).hex()


def platform_job_name(token: str, task_name: str, *, length: int = 100) -> str:
    """The name of an attempt at its platform: the token, then the task's name reduced to `[A-Za-z0-9_.-]`.

    The token stands first because platforms cut long names at the end.
    """
    cleaned = task_name if _is_plain(task_name) else _UNFIT_FOR_PLATFORMS.sub("_", task_name)
    return f"{token}-{cleaned}"[:length]


def file_name(name: str) -> str:
    """A name of the user's as a part of a file's name."""
    return (name if _is_plain(name) else _UNFIT_FOR_FILES.sub("_", name))[:50]


def _is_plain(name: str) -> bool:
    """Nothing in it needs replacing: most names are so, and this is quicker than to search them."""
    return name.isascii() and name.isidentifier()


def output_paths(log_folder: str, job_name: str, job_id: int, attempt: int) -> tuple[str, str]:
    """Where the standard output and standard error of an attempt go, below its workflow's log folder."""
    path = f"{log_folder}/{file_name(job_name)}-{job_id}.{attempt}"
    return f"{path}.out", f"{path}.err"
