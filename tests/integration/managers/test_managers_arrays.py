"""Arrays: one submission for many attempts, each of which then goes its own way."""

import msgspec
import pytest

from jobmon.plugins import Absent, Accepted, ArrayRefused, Exited, Found, Rejected, Reporting, Uncertain
from jobmon.states.names import InstanceState as S
from jobmon.wire.leases import ArrayPlace, LiveInstance, OutcomeKind

ARRAY = "j" + "z" * 26


@pytest.fixture
def manage_arrays(manage, platform):
    platform.array_limit, platform.submit = 100, platform.accept
    return lambda **host: manage(Reporting.WORKER, **host)


def calls(platform, what):
    return [tokens for said, tokens in platform.calls if said == what]


def test_what_is_claimed_together_and_asks_for_the_same_is_one_submission(server, platform, manage_arrays):
    server.queue(*[f"fit {i}" for i in range(250)])
    manage_arrays()
    server.until(lambda: len(server.tokens_in(S.SUBMITTED_TO_BATCH_EXECUTOR)) == 250)
    assert [len(array.members) for array in platform.arrays] == [100, 100, 50]
    assert calls(platform, "submit") == []
    assert {array.job_name for array in platform.arrays} == {
        f"{platform.arrays[0].token}-fit_0",
        f"{platform.arrays[1].token}-fit_100",
        f"{platform.arrays[2].token}-fit_200",
    }
    assert server.ids[platform.arrays[0].members[41]] == "7.42"


def test_one_attempt_alone_is_submitted_by_itself(server, platform, manage_arrays):
    server.queue("alone")
    manage_arrays()
    server.until(lambda: server.tokens_in(S.SUBMITTED_TO_BATCH_EXECUTOR))
    assert (platform.arrays, len(calls(platform, "submit"))) == ([], 1)


def test_a_members_credential_stands_in_the_arrays_file_until_its_last_member_has_ended(
    server, platform, manage_arrays, tmp_path
):
    server.queue("a", "b")
    manage_arrays()
    server.until(lambda: len(server.tokens_in(S.SUBMITTED_TO_BATCH_EXECUTOR)) == 2)
    [array] = platform.arrays
    [path] = [part for part in array.worker_argv if part.endswith(".json")]
    [file] = tmp_path.rglob("starts/*.json")
    assert (path, file.stat().st_mode & 0o777) == (str(file), 0o600)
    assert msgspec.json.decode(file.read_bytes())["members"] == [[token, "secret"] for token in array.members]
    server.tell(array.members[0], S.DONE)
    server.queue("c")
    server.until(lambda: len(server.states) == 3)
    server.until(lambda: server.states[list(server.states)[2]] is S.SUBMITTED_TO_BATCH_EXECUTOR)
    assert file.exists()
    server.tell(array.members[1], S.DONE)
    server.tell(list(server.states)[2], S.DONE)
    server.run_active = False
    server.until(lambda: not list(tmp_path.rglob("starts/*.json")))


def test_an_array_that_is_refused_for_its_size_goes_in_smaller_ones(server, platform, manage_arrays):
    def refuse_large(executor, array):
        if len(array.members) > 4:
            raise ArrayRefused("Invalid job array specification", limit=4)
        return platform.accept_array(executor, array)

    platform.submit_array = refuse_large
    server.queue(*"abcdefghij")
    manage_arrays()
    server.until(lambda: len(server.tokens_in(S.SUBMITTED_TO_BATCH_EXECUTOR)) == 10)
    sizes = [len(array.members) for array in platform.arrays]
    assert [size for size in sizes if size <= 4] == [4, 4, 2]
    assert len(sizes) <= 5  # a claim that was under way when the first was refused is refused too
    assert {outcome.why for outcome in server.said(OutcomeKind.DEFERRED)} == {
        "not taken as an array: Invalid job array specification"
    }


def test_where_no_array_is_taken_attempts_go_singly(server, platform, manage_arrays):
    def refuse(executor, array):
        raise ArrayRefused("arrays are not allowed here")

    platform.submit_array = refuse
    server.queue(*"abc")
    manage_arrays()
    server.until(lambda: len(server.tokens_in(S.SUBMITTED_TO_BATCH_EXECUTOR)) == 3)
    assert len(platform.arrays) <= 2  # a claim that was under way when the first was refused is refused too


def test_an_array_that_is_refused_for_good_is_not_tried_singly(server, platform, manage_arrays):
    platform.submit_array = lambda _, array: [(token, Rejected("unknown queue")) for token in array.members]
    server.queue(*"abc")
    manage_arrays()
    server.until(lambda: len(server.tokens_in(S.NO_EXECUTOR_ID)) == 3)
    assert set(server.whys.values()) == {"unknown queue"}


def test_an_uncertain_array_is_looked_for_whole_and_not_sent_again_before_it_is_absent(server, platform, manage_arrays):
    platform.submit_array = lambda _, array: [(token, Uncertain("no answer")) for token in array.members]
    server.queue(*"abc")
    manage_arrays()
    server.until(lambda: platform.sought)
    [array] = platform.arrays
    assert [(s.token, s.job_name, s.index) for s in platform.sought] == [
        (token, array.job_name, index) for index, token in enumerate(array.members, 1)
    ]
    platform.submit_array = None
    platform.findings = dict.fromkeys(array.members, Absent)
    server.until(lambda: len(server.tokens_in(S.SUBMITTED_TO_BATCH_EXECUTOR)) == 3)
    assert len(platform.arrays) == 2


def test_a_member_that_was_cancelled_meanwhile_goes_along_and_is_cancelled_there(server, platform, manage_arrays):
    def cancel_one_meanwhile(executor, array):
        server.tell(array.members[1], S.CANCELLING)
        yield from platform.accept_array(executor, array)

    platform.submit_array = cancel_one_meanwhile
    server.queue(*"abc")
    manage_arrays()
    server.until(lambda: calls(platform, "cancel"))
    [array] = platform.arrays
    assert calls(platform, "cancel")[0] == [array.members[1]]
    server.until(lambda: array.members[1] in server.ids)
    assert [server.ids[token] for token in array.members] == ["7.1", "7.2", "7.3"]


def test_members_that_were_adopted_keep_their_places(server, platform, manage_arrays):
    one, two = "j" + "1" * 26, "j" + "2" * 26
    place = [ArrayPlace(ARRAY, index, f"{ARRAY}-fit") for index in (1, 2)]
    server.states = {one: S.SUBMITTED_TO_BATCH_EXECUTOR, two: S.SUBMITTING}
    server.adopted = [
        LiveInstance(1, one, "fit", server.states[one], "9.1", 1.0, place[0]),
        LiveInstance(2, two, "more", server.states[two], None, 1.0, place[1]),
    ]
    platform.has, platform.findings = {one: Exited(0)}, {two: Found("9.2")}
    manage_arrays()
    server.until(lambda: two in server.ids)
    assert [(s.job_name, s.index) for s in platform.sought] == [(f"{ARRAY}-fit", 2)]
    assert (server.ids[two], platform.arrays) == ("9.2", [])
    server.until(lambda: {(s.executor_job_id, s.index) for s in platform.shown} >= {("9.2", 2)})


def test_an_array_of_which_nothing_is_known_after_an_outage_is_not_split(server, platform, manage_arrays):
    def breaks_off(executor, array):
        yield array.members[0], Accepted("7.1")
        raise RuntimeError("a bug of the plugin")

    platform.submit_array = breaks_off
    server.queue(*"abc")
    manage_arrays()
    server.until(lambda: platform.sought)
    [array] = platform.arrays
    assert [s.token for s in platform.sought] == list(array.members[1:])
    assert calls(platform, "submit") == []
