"""Claims are put into arrays without loss."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from jobmon.ids import new_tokens
from jobmon.server.arrays import group
from jobmon.wire.leases import Claim


@given(st.lists(st.sampled_from(["1G", "2G", "3G"]), max_size=60), st.integers(1, 9))
def test_every_claim_is_placed_once_among_its_like(memories, limit):
    tokens = new_tokens(len(memories))
    claims = [Claim(t, i, f"task {i}", 1, {"memory": m}) for i, (t, m) in enumerate(zip(tokens, memories, strict=True))]
    placed = group(claims, limit)
    assert sorted(claim.token for claim in placed) == sorted(tokens)
    sizes = Counter(claim.array.token for claim in placed if claim.array)
    assert all(2 <= size <= limit for size in sizes.values())
    for array in sizes:
        members = [claim for claim in placed if claim.array and claim.array.token == array]
        assert [claim.array.index for claim in members] == list(range(1, len(members) + 1))
        assert len({str(claim.resources) for claim in members}) == 1
        assert {claim.array.job_name for claim in members} == {f"{array}-{members[0].name.replace(' ', '_')}"}
    alone = [claim for claim in placed if claim.array is None]
    assert len(alone) <= (len(memories) if limit == 1 else len(set(memories)))


def test_the_order_of_keys_makes_no_difference():
    one, two = new_tokens(2)
    placed = group([Claim(one, 1, "a", 1, {"cores": 1, "gpus": 0}), Claim(two, 2, "b", 1, {"gpus": 0, "cores": 1})], 10)
    assert [claim.array.index for claim in placed] == [1, 2]
