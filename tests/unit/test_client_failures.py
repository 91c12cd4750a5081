"""What a user reads of failures: the cause, the last words, and no flood of lines."""

import pytest
from scripted import AnyType, FakeServer, Lines, go

import jobmon.client.running
from jobmon import BashTask
from jobmon.client.failures import FailureLines
from jobmon.client.following import Following
from jobmon.errors import ServerUnreachable, WorkflowFailed
from jobmon.managers.job_list_manager import Notable
from jobmon.states.names import JobState, RunState
from jobmon.states.reasons import Reason
from jobmon.wire.jobs import AttemptRow, JobChange
from jobmon.wire.runs import Attempts, Changes

NAMES = [f"fit-{number}" for number in range(2_000)]
LOG = "/logs/1.1.err"


class Attempted:
    """Knows one failed attempt of every job, with what it wrote to standard error."""

    def __init__(self, stderr="reading\nno such file: table.csv\n\n"):
        self.asked = 0
        self.row = AttemptRow("t", 1, "compute", "ERROR", None, Reason.EXIT_NONZERO, 3, None, None, "node1",
                              "/logs/1.1.out", LOG, "", stderr, {}, "2026", None, None)  # fmt: skip

    def call(self, _route, _message, **_):
        self.asked += 1
        return Attempts([self.row])


def failed(*positions, detail="exit status 3", state=JobState.ERROR_FATAL, reason=Reason.EXIT_NONZERO):
    return [Notable(i, 100 + i, JobChange([100 + i], state, 1, reason, detail)) for i in positions]


@pytest.fixture
def lines():
    return FailureLines(NAMES, Attempted(), 7)


def test_a_failure_is_told_with_its_last_words_and_its_log(lines):
    assert lines.lines(failed(0)) == [
        f"fit-0  attempt 1  EXIT_NONZERO (exit status 3)\n  stderr: no such file: table.csv\n  log: {LOG}"
    ]
    assert lines.rest() == []


def test_last_words_that_are_the_reason_already_are_not_repeated():
    lines = FailureLines(NAMES, Attempted("Traceback\nValueError: no data\n"), 7)
    assert "stderr" not in lines.lines(failed(0, detail="ValueError: no data"))[0]


def test_one_cause_that_hits_many_at_once_is_one_line_with_their_number_and_examples(lines):
    [line] = lines.lines(failed(*range(40)))
    assert line.startswith(
        "EXIT_NONZERO (exit status 3): 40 tasks, such as fit-0, fit-1, fit-2\n  stderr: no such file"
    )
    assert LOG in line
    assert lines.rest() == []


def test_one_cause_that_hits_one_after_the_other_is_told_ever_more_rarely_and_counted_at_the_end(lines):
    said = [line for i in range(345) for line in lines.lines(failed(i))]
    assert [line.split(": ")[1].split(",")[0] for line in said[3:]] == [
        "10 tasks",
        "30 tasks",
        "100 tasks",
        "300 tasks",
    ]
    last, where = lines.rest()
    assert last == "EXIT_NONZERO (exit status 3): 345 tasks, such as fit-0, fit-1, fit-2"
    assert where == "see: jobmon jobs 7 --state failed"


def test_causes_are_told_apart_by_reason_by_words_and_by_whether_it_goes_on_but_not_by_names_and_ids(lines):
    lines.lines(failed(*range(5), detail="exit status 1"))
    assert len(lines.lines(failed(5, detail="exit status 2"))) == 1
    assert len(lines.lines(failed(6, detail="exit status 1", reason=Reason.SIGNALLED))) == 1
    [again] = lines.lines(failed(7, detail="exit status 1", state=JobState.QUEUED_FOR_INSTANTIATION))
    assert ": tried again" in again
    alike = [one for i in range(40) for one in failed(i, detail=f"fit-{i}: process {70_000 + i} was killed")]
    [line] = lines.lines(alike)
    assert "40 tasks, such as" in line


def test_a_flood_of_different_causes_is_cut(lines):
    said = [line for i in range(300) for line in lines.lines(failed(i, detail=f"cause {'x' * i}"))]
    assert len(said) == 101
    assert said[-1] == "further failures are not shown here; see: jobmon jobs 7 --state failed"
    assert lines._requester.asked == 20
    assert len(lines.rest()) == 21


def test_cancelled_jobs_are_no_failures(lines):
    assert lines.lines(failed(1, state=JobState.CANCELLED, reason=Reason.CANCELLED)) == []


def test_without_a_server_a_failure_is_told_all_the_same(monkeypatch, lines):
    def gone(*_args, **_):
        raise ServerUnreachable("gone")

    monkeypatch.setattr(lines._requester, "call", gone)
    assert lines.lines(failed(3)) == ["fit-3  attempt 1  EXIT_NONZERO (exit status 3)"]


def test_a_summary_has_a_line_for_each_cause_with_the_last_words_of_an_example(monkeypatch):
    monkeypatch.setattr(jobmon.client.running, "choose_view", lambda **_: Lines())
    monkeypatch.setattr("jobmon.client.workflow.Registry", AnyType)
    wrote = "reading\nno such file: table.csv\n"
    row = AttemptRow("t", 1, "any", "ERROR", None, Reason.EXIT_NONZERO, 3, None, None, "node1", "/logs/1.1.out",
                     "/logs/1.1.err", "", wrote, {}, "2026", None, None)  # fmt: skip
    monkeypatch.setattr(FakeServer, "jobs_attempts", lambda *_: Attempts([row]))
    names = [f"fit-{number}" for number in range(40)]
    tasks = [BashTask("true", name=name) for name in names]
    below = BashTask("true", name="below", upstream_tasks=tasks)
    result = go(FakeServer({name: ["ERROR_FATAL"] for name in names}), *tasks, below)
    with pytest.raises(WorkflowFailed) as raised:
        result.raise_for_failures()
    assert str(raised.value).splitlines()[1:] == [
        "  40 tasks, such as fit-0, fit-1, fit-2: ERROR_FATAL EXIT_NONZERO (status 3)",
        "    stderr: no such file: table.csv",
        "    log: /logs/1.1.err",
        "  1 waiting for what failed",
    ]


class Living:
    """Jobs of which one is queued for an executor that nobody serves."""

    def apply(self, _news):
        return []


@pytest.mark.parametrize(
    ("lives", "notes"),
    [
        (False, {1.0: "", 3.0: "no live manager serves it"}),
        (True, {3.0: "", 11.0: "its manager is still starting", 61.0: "is very busy"}),
    ],
)
def test_a_manager_that_is_slow_to_start_is_not_taken_for_none(lives, notes, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("jobmon.client.following.time.monotonic", lambda: now[0])
    following = Following(
        Living(), Lines(), [], fail_fast=False, tell_failure=lambda _: [], manager_lives=lambda _name: lives
    )
    news = Changes(1, [], RunState.RUNNING, unserved=["compute"])
    following._take_news(news)
    for waited_s, said in notes.items():
        now[0] = 100.0 + waited_s
        following._take_news(news)
        assert len(following._notes) == bool(said)
        assert said in "".join(following._notes)
