"""The simulation is a pure function of its settings, the attempt's name and the time."""

from datetime import UTC, datetime, timedelta

import pytest
from jobmon_dummy import Dummy, jobmon_executor_types
from jobmon_dummy.settings import Settings

from jobmon.plugins import (
    Absent,
    Accepted,
    Deferred,
    Exited,
    Found,
    Reason,
    Rejected,
    Resources,
    Running,
    SchedulerUnavailable,
    Submission,
    SubmitRequest,
    Submitted,
    Uncertain,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
TOKENS = [f"j{i:026d}" for i in range(1000)]


class Context:
    """Keeps what is pushed."""

    def __init__(self):
        self.pushed = {}

    def report(self, *, observations):
        self.pushed.update(observations)


def dummy(at=NOON, **settings):
    executor = Dummy(Settings(**settings))
    executor.start(Context())
    executor.now = lambda: at
    return executor


def requests(tokens=TOKENS, task="fit"):
    return [SubmitRequest(token, f"{token}-{task}", task, Resources()) for token in tokens]


def submissions(tokens=TOKENS):
    return [Submission(token, f"{token}-fit", NOON) for token in tokens]


def submitted(tokens=TOKENS, task="fit"):
    return [Submitted(f"dummy-{token[1:]}", token, f"{token}-{task}", NOON) for token in tokens]


def outcomes(executor, tokens=TOKENS):
    return dict(executor.submit(requests=requests(tokens)))


def kinds(answers):
    return {kind: sum(type(answer) is kind for answer in answers.values()) for kind in map(type, answers.values())}


def reasons(executor, task):
    return {end.reason for end in executor.observe(submitted=submitted(task=task)).values()}


def test_the_hook_returns_the_type():
    assert jobmon_executor_types() == [Dummy]


def test_by_default_everything_is_accepted_and_has_ended_at_once():
    executor = dummy()
    assert kinds(outcomes(executor)) == {Accepted: 1000}
    assert executor.context.pushed == dict.fromkeys(TOKENS, Exited(0))


def test_a_job_runs_for_its_duration():
    settings = {"duration_s": 10.0}
    executor = dummy(**settings)
    outcomes(executor)
    assert executor.context.pushed == {}
    assert kinds(executor.observe(submitted=submitted())) == {Running: 1000}
    later = dummy(NOON + timedelta(seconds=10), **settings)
    assert later.observe(submitted=submitted()) == dict.fromkeys(TOKENS, Exited(0))


def test_durations_spread_over_their_range():
    executor = dummy(NOON + timedelta(seconds=15), duration_s=10.0, duration_max_s=20.0)
    seen = kinds(executor.observe(submitted=submitted()))
    assert 400 < seen[Running] < 600
    assert seen[Running] + seen[Exited] == 1000


def test_shares_of_submissions_are_kept():
    seen = kinds(outcomes(dummy(refused=0.1, deferred=0.2, uncertain=0.3)))
    assert 60 < seen[Rejected] < 140
    assert 150 < seen[Deferred] < 250
    assert 250 < seen[Uncertain] < 350


def test_shares_of_ends_are_kept():
    executor = dummy(lost=0.1, failures={Reason.OUT_OF_MEMORY: 0.2, Reason.EXIT_NONZERO: 0.3})
    seen = executor.observe(submitted=submitted())
    reasons = [end.reason for end in seen.values() if isinstance(end, Exited)]
    assert 60 < kinds(seen)[Absent] < 140
    assert 150 < reasons.count(Reason.OUT_OF_MEMORY) < 250
    assert 250 < reasons.count(Reason.EXIT_NONZERO) < 350


def test_the_same_seed_gives_the_same_answers_and_another_seed_others():
    settings = {"refused": 0.5, "failures": {Reason.TIMEOUT: 0.5}}
    first, again, other = dummy(**settings), dummy(**settings), dummy(seed=1, **settings)
    assert outcomes(first) == outcomes(again) != outcomes(other)
    assert first.observe(submitted=submitted()) == again.observe(submitted=submitted())


def test_a_fate_may_be_drawn_from_the_tasks_name():
    failures = {Reason.TIMEOUT: 0.5}
    assert len(reasons(dummy(failures=failures), "fit")) == 2
    per_task = dummy(failures=failures, per_task=True)
    ends = [reasons(per_task, task) for task in "abcdefgh"]
    assert {len(seen) for seen in ends} == {1}
    assert len(set.union(*ends)) == 2


def test_find_knows_what_was_accepted_and_a_share_of_what_was_uncertain():
    executor = dummy(uncertain=0.5, uncertain_accepted=0.5, refused=0.1)
    sent = outcomes(executor)
    found = executor.find(submissions=submissions())
    assert all(isinstance(found[t], Found) for t, o in sent.items() if isinstance(o, Accepted))
    assert all(isinstance(found[t], Absent) for t, o in sent.items() if isinstance(o, Rejected))
    unclear = [found[t] for t, o in sent.items() if isinstance(o, Uncertain)]
    assert {Found, Absent} == set(map(type, unclear))
    assert found[TOKENS[0]] in (Found(f"dummy-{TOKENS[0][1:]}"), Absent(NOON))


def test_an_id_that_does_not_carry_the_token_is_another_job():
    stranger = Submitted("dummy-7", TOKENS[0], f"{TOKENS[0]}-fit", NOON)
    assert dummy().observe(submitted=[stranger]) == {TOKENS[0]: Absent(NOON)}


def test_what_is_cancelled_ends_as_cancelled():
    executor = dummy(duration_s=1000.0)
    executor.cancel(submitted=submitted(TOKENS[:2]))
    assert {token: end.reason for token, end in executor.context.pushed.items()} == dict.fromkeys(
        TOKENS[:2], Reason.CANCELLED
    )


@pytest.mark.parametrize(("after_s", "away"), [(-1, False), (0, True), (59, True), (60, False)])
def test_during_an_outage_nothing_is_answered(after_s, away):
    executor = dummy(NOON + timedelta(seconds=after_s), outage_at=NOON, outage_for_s=60.0)
    calls = [
        lambda: list(executor.submit(requests=requests())),
        lambda: executor.observe(submitted=submitted()),
        lambda: executor.cancel(submitted=submitted()),
        lambda: executor.find(submissions=submissions()),
    ]
    for call in calls:
        if away:
            with pytest.raises(SchedulerUnavailable, match="simulated outage"):
                call()
        else:
            call()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"lost": 1.5}, "lost = 1.5"),
        ({"lost": 0.5, "failures": {Reason.TIMEOUT: 0.6}}, "more than 1"),
        ({"refused": 0.5, "uncertain": 0.6}, "more than 1"),
        ({"duration_s": 2.0, "duration_max_s": 1.0}, "is below"),
        ({"outage_at": datetime(2026, 1, 31)}, "no time zone"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, problem):
    with pytest.raises(ValueError, match=problem):
        Settings(**settings)
