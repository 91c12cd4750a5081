"""Which of the attempts that are claimed together are submitted together."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from jobmon.ids import new_tokens, platform_job_name
from jobmon.wire.leases import ArrayPlace, Claim


def group(claims: Sequence[Claim], limit: int) -> list[Claim]:
    """The claims with places in arrays of 2 to `limit` members, all of which ask for the same resources.

    The members of an array follow each other by index. A claim that is like no other has no place.
    """
    alike: dict[bytes, list[Claim]] = defaultdict(list)
    for claim in claims:
        alike[msgspec.json.encode(claim.resources, order="deterministic")].append(claim)
    pieces = [same[i : i + limit] for same in alike.values() for i in range(0, len(same), limit)]
    placed: list[Claim] = []
    for piece, token in zip(pieces, new_tokens(len(pieces)), strict=True):
        if len(piece) == 1:
            placed += piece
            continue
        job_name = platform_job_name(token, piece[0].name)
        placed += [replace(claim, array=ArrayPlace(token, i, job_name)) for i, claim in enumerate(piece, 1)]
    return placed
