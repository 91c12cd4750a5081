"""One run of the kit on real platforms: the prefix by which its jobs are known."""

from jobmon.ids import new_tokens

#: Every job of the kit on a real platform begins with this. Jobmon's own tokens have a digit in the second place.
KIT = "jtest"
#: Every job of this run begins with this.
PREFIX = KIT + new_tokens(1)[0][-8:]


def real_tokens(count: int) -> list[str]:
    """New tokens of this run: each begins with its prefix."""
    return [PREFIX + token[len(PREFIX) :] for token in new_tokens(count)]
