"""A server and a platform that are scripted, for a manager in the same process."""

import threading
from collections import deque
from datetime import UTC, datetime
from functools import partial

import attrs
import pytest

from jobmon.config.host import HostSettings
from jobmon.config.model import ServerConfig
from jobmon.config.named import NamedExecutor
from jobmon.errors import Superseded
from jobmon.managers import job_instance_reconciler, served, session
from jobmon.managers.breaker import Breaker
from jobmon.managers.job_instance_manager import JobInstanceManager
from jobmon.plugins import (
    Absent,
    Accepted,
    Executor,
    Exited,
    NoSettings,
    Placement,
    Reporting,
    Running,
    SchedulerUnavailable,
)
from jobmon.server import arrays
from jobmon.states.evidence import Sighting
from jobmon.states.names import FINAL_INSTANCE_STATES, InstanceState, JobState, RunState
from jobmon.wire.jobs import Command
from jobmon.wire.leases import (
    Claim,
    InstanceChange,
    InstanceChanges,
    JobsClaimed,
    Lease,
    LeaseAnswer,
    LeasesRenewed,
    LiveInstances,
    OutcomeKind,
    Recorded,
)
from jobmon.wire.runs import ExecutorCounts, WorkflowStatus
from jobmon.wire.workers import ReportsRecorded, Start, Starts, Work

PATIENCE_S = 20.0
NOW = datetime(2026, 1, 31, tzinfo=UTC)
S = InstanceState


class FakeServer:
    """Answers a manager from memory. `until` waits for what a test expects."""

    url, token, database_id = "http://fake", "user", "d" * 32

    def __init__(self, folder):
        self.data_folder = folder
        self.changed = threading.Condition()
        self.queued = deque()
        self.states = {}  # token: state
        self.ids = {}  # token: the platform's id
        self.whys = {}  # token: what was said of it
        self.changes = []
        self.paths = []
        self.messages = []
        self.run_active = True
        self.superseded = []
        self.held_elsewhere = None
        self.resources = {}
        self.adopted = []
        self.made = 0
        self.notes = []

    def call(self, route, message, *, patience_s=None):
        handler = getattr(self, "on_" + route.path.strip("/").replace("/", "_").replace("-", "_"))
        with self.changed:
            self.paths.append(route.path)
            self.messages.append(message)
            answer = handler(message)
            self.changed.notify_all()
            return answer

    def all_done(self, count):
        return lambda: len(self.tokens_in(S.DONE)) == count and not self.live() and not self.queued

    def until(self, expected):
        with self.changed:
            assert self.changed.wait_for(expected, PATIENCE_S), f"{self.states} {self.whys} {self.paths[-20:]}"

    def queue(self, *names):
        with self.changed:
            self.queued.extend(names)
            self.changed.notify_all()

    def tell(self, token, state):
        with self.changed:
            self._to(token, state)
            self.changed.notify_all()

    def live(self):
        return [token for token, state in self.states.items() if state not in FINAL_INSTANCE_STATES]

    def tokens_in(self, state):
        return [token for token, other in self.states.items() if other is state]

    def said(self, kind):
        return [o for m in self.messages for o in getattr(m, "outcomes", []) if o.kind is kind]

    def seen(self, sighting):
        return [o for m in self.messages for o in getattr(m, "observations", []) if o.sighting is sighting]

    def _to(self, token, state):
        """Whether it goes there: what happens to an attempt that has ended, or is told again, is late."""
        if self.states.get(token) in FINAL_INSTANCE_STATES:
            return False
        self.states[token] = state
        self.changes.append(InstanceChange([token], state))
        return True

    def on_leases_acquire(self, message):
        if self.held_elsewhere:
            return LeaseAnswer(None, 0.05, self.held_elsewhere)
        return LeaseAnswer(Lease(message.workflow_id, message.executor, 1), 0.05)

    def on_leases_renew(self, message):
        self.notes.append(message.notes)
        return LeasesRenewed(list(self.superseded), self.run_active or bool(self.queued or self.live()))

    def on_leases_release(self, message):
        return Recorded([])

    def on_workflow(self, message):
        counts = ExecutorCounts("fake", None, False, {JobState.QUEUED_FOR_INSTANTIATION: len(self.queued)})
        state = RunState.RUNNING if self.run_active else RunState.DONE
        return WorkflowStatus(1, "w", None, 1, state, "", [counts])

    def on_instances_live(self, message):
        return LiveInstances(len(self.changes), self.database_id, self.adopted if message.after == 0 else [])

    def on_instances_claim(self, message):
        if self.superseded:
            raise Superseded("served by another manager")
        self.changed.wait_for(lambda: self.queued, min(message.wait_s, 0.2))
        claims = []
        while self.queued and len(claims) < message.limit:
            self.made += 1
            token = f"j{self.made:026d}"
            self.states[token] = S.SUBMITTING
            secret = "secret" if message.with_credentials else None
            claims.append(Claim(token, self.made, self.queued.popleft(), 1, dict(self.resources), credential=secret))
        return JobsClaimed(arrays.group(claims, message.array_limit))

    def on_instances_outcomes(self, message):
        finals = {
            OutcomeKind.REJECTED: S.NO_EXECUTOR_ID,
            OutcomeKind.DEFERRED: S.RETURNED,
            OutcomeKind.NEVER_ACCEPTED: S.NO_EXECUTOR_ID,
            OutcomeKind.REVOKED: S.UNKNOWN_ERROR,
        }
        for o in message.outcomes:
            if o.kind is OutcomeKind.ACCEPTED:
                self.ids[o.token] = o.executor_job_id
                if self.states[o.token] is S.SUBMITTING:
                    self.states[o.token] = S.SUBMITTED_TO_BATCH_EXECUTOR
            else:
                self.whys[o.token] = o.why
                went = self._to(o.token, finals[o.kind])
                if went and o.kind in (OutcomeKind.DEFERRED, OutcomeKind.NEVER_ACCEPTED):
                    self.queued.append("again")
        return self._recorded(message.outcomes)

    def on_instances_observations(self, message):
        for o in message.observations:
            if o.executor_job_id is not None:
                self.ids[o.token] = o.executor_job_id
            if o.sighting is Sighting.EXITED:
                self._to(o.token, S.DONE if o.reason is None else S.ERROR)
            elif o.sighting is Sighting.RUNNING:
                self._to(o.token, S.RUNNING)
            elif o.sighting is Sighting.ABSENT and self.states[o.token] is S.CANCELLING:
                self._to(o.token, S.CANCELLED)
        return self._recorded(message.observations)

    def _recorded(self, records):
        return Recorded([r.token for r in records if self.states[r.token] in FINAL_INSTANCE_STATES])

    def on_instances_changes(self, message):
        self.changed.wait_for(lambda: len(self.changes) > message.since, min(message.wait_s, 0.2))
        return InstanceChanges(len(self.changes), self.changes[message.since :])

    def on_attempts_start(self, message):
        self._to(message.tokens[0], S.RUNNING)
        logs = self.data_folder / "logs"
        work = Work({"GREETING": "hello"}, "/", str(logs / "out"), str(logs / "err"), Command(shell=self.command))
        return Starts([Start(message.tokens[0], work)], 30.0, 900.0)

    def on_attempts_finish(self, message):
        for report in message.reports:
            self.report = report
            self._to(report.token, S.DONE if report.reason is None else S.ERROR)
        return ReportsRecorded([])


@attrs.define
class Platform:
    """What the fake executors share: what they were asked, and what they are to answer."""

    calls: list = attrs.field(factory=list)
    settled: list = attrs.field(factory=list)
    made: int = 0
    has: dict = attrs.field(factory=dict)  # token: what observe says; Absent: as of now
    findings: dict = attrs.field(factory=dict)
    blocked: threading.Event = attrs.field(factory=threading.Event)
    away: bool = False
    cluster: str | None = None
    limit: int | None = None
    answer: object = None  #: makes observe's answer of what it would be
    raises: BaseException | None = None  #: what observe raises instead
    shown: list = attrs.field(factory=list)  # what observe was last asked about
    sought: list = attrs.field(factory=list)  # and find
    refuses_to_start: int = 0  #: how many more times
    holds_start: bool = False
    array_limit: int = 1
    arrays: list = attrs.field(factory=list)  # every ArrayRequest that came
    submit_array: object = None  #: likewise: (executor, array) -> outcomes; None: accept_array
    submit: object = None  #: what `submit` does: (executor, requests) -> outcomes; None: accept_and_end

    def accept_and_end(self, executor, requests):
        for request in requests:
            self.has[request.token] = Exited(0)
            yield request.token, Accepted("id of " + request.token)

    def accept_array(self, executor, array):
        for index, token in enumerate(array.members, 1):
            self.has[token] = Running()
            yield token, Accepted(f"7.{index}")

    def accept(self, executor, requests):
        for request in requests:
            self.has[request.token] = Running()
            yield request.token, Accepted("id of " + request.token)


class Fake(Executor):
    """An executor that does what its test says."""

    name, api_version, settings_type, reporting = "fake", (1, 0), NoSettings, Reporting.PLATFORM

    def start(self, context):
        super().start(context)
        self.settings.made += 1
        if self.settings.refuses_to_start:
            self.settings.refuses_to_start -= 1
            raise RuntimeError("a bug of the plugin")
        if self.settings.holds_start:
            self.settings.blocked.wait(PATIENCE_S)

    def running_limit(self):
        return self.settings.limit

    def array_limit(self):
        return self.settings.array_limit

    def submit_array(self, *, array):
        self.settings.arrays.append(array)
        self._ask("submit_array", list(array.members))
        yield from (self.settings.submit_array or self.settings.accept_array)(self, array)

    def submit(self, *, requests):
        self._ask("submit", [r.token for r in requests])
        yield from (self.settings.submit or self.settings.accept_and_end)(self, requests)

    def observe(self, *, submitted):
        self._ask("observe", [s.token for s in submitted])
        self.settings.shown = list(submitted)
        if self.settings.raises is not None:
            raise self.settings.raises
        has = self.settings.has
        told = {s.token: self._told(has[s.token]) for s in submitted if s.token in has}
        return told if self.settings.answer is None else self.settings.answer(told)

    def cancel(self, *, submitted):
        self._ask("cancel", [s.token for s in submitted])

    def find(self, *, submissions):
        tokens = [submission.token for submission in submissions]
        self._ask("find", tokens)
        self.settings.sought = list(submissions)
        findings = self.settings.findings
        return {token: self._told(findings[token]) for token in tokens if token in findings}

    def _told(self, told):
        return Absent(self.now()) if told is Absent else told

    def settled(self, *, tokens):
        self.settings.settled += tokens

    def _ask(self, what, tokens):
        self.settings.calls.append((what, tokens))
        if self.settings.away:
            raise SchedulerUnavailable("connection refused")


class FakeWithWorkers(Fake):
    reporting = Reporting.WORKER


class FakeOnOtherHosts(FakeWithWorkers):
    placement = Placement.REMOTE

    def cluster_host(self):
        return self.settings.cluster


@pytest.fixture
def server(tmp_path):
    return FakeServer(tmp_path)


@pytest.fixture
def platform():
    return Platform()


@pytest.fixture(autouse=True)
def in_short_time(monkeypatch):
    monkeypatch.setattr(session, "Breaker", partial(Breaker, first_s=0.01, most_s=0.05))
    monkeypatch.setattr(job_instance_reconciler, "_AGAIN_S", 0.02)
    monkeypatch.setattr(job_instance_reconciler, "_CANCEL_AGAIN_S", 0.02)
    monkeypatch.setattr(job_instance_reconciler, "_NET_S", 0.02)
    monkeypatch.setattr(served, "LOOK_AGAIN_S", 0.02)


@pytest.fixture
def manage(server, platform):
    """Start a manager; it is stopped at the end of the test."""
    managers = []

    def start(
        reporting=Reporting.PLATFORM, exclusive=False, in_process=False, n_queued_jobs=1000, elsewhere=None, **host
    ):
        cls = Fake if reporting is Reporting.PLATFORM else FakeWithWorkers if elsewhere is None else FakeOnOtherHosts
        settings = HostSettings(poll_max_s=0.1, **host)
        named = NamedExecutor("fake", cls, platform, settings, exclusive, elsewhere or ServerConfig())
        manager = JobInstanceManager(1, [named], n_queued_jobs=n_queued_jobs, requester=server, in_process=in_process)
        manager.start()
        managers.append(manager)
        return manager

    yield start
    platform.blocked.set()
    for manager in managers:
        manager.stop()
        try:
            assert manager.join(PATIENCE_S)
        except Superseded:
            continue
