"""One executor under test: its host, its platform, and what it was given."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from jobmon.ids import platform_job_name
from jobmon.plugins import (
    Absent,
    Accepted,
    ArrayRequest,
    CannotTell,
    Executor,
    Exited,
    Finding,
    Observation,
    Outcome,
    Reporting,
    SchedulerUnavailable,
    Submission,
    SubmitRequest,
    Submitted,
    Unknown,
    answers,
)
from jobmon.plugins.answer_parts import Fault
from jobmon.plugins.host_state import HostState
from jobmon.plugins.resources import parse_resources
from jobmon.testing.boundary import Boundary, read_outcomes
from jobmon.testing.calls import CallThread, Overrun
from jobmon.testing.context import KitContext
from jobmon.testing.platform import Platform
from jobmon.testing.sentences import not_exercised
from jobmon.testing.untouched import Untouched
from jobmon.wire.jobs import Command

if TYPE_CHECKING:
    from jobmon.testing.conformance import ExecutorConformance

T = TypeVar("T")
#: By test class and method: how often a call gave no answer within its limit.
_overruns: dict[type, dict[str, int]] = {}
#: A pause between two looks at a platform that does not push.
_LOOK_AGAIN_S = 0.02


@attrs.frozen
class Sent:
    """What came of one call of `submit`."""

    outcomes: list[tuple[str, Outcome]]  #: in the order that they were yielded
    outage: SchedulerUnavailable | None = None  #: raised after those

    def of(self, token: str) -> Outcome | None:
        """The outcome of one request; None is Uncertain."""
        return dict(self.outcomes).get(token)


class World:
    """An executor, made and started, and the means to lead it through a life as its host would.

    It has the `executor`, its `context` (a KitContext), the `platform` object, the test class as `conformance`, a
    `folder` of this test's own, and `stand_ins`, the programs that stand in for workers.
    """

    def __init__(self, conformance: "ExecutorConformance", folder: Path) -> None:
        self._host = HostState()
        self.conformance = conformance
        self.folder = folder
        self.context = KitContext(folder, conformance.executor_type.name)
        self._overruns = _overruns.setdefault(type(conformance), {})
        self.calls = CallThread(conformance.call_timeout_s, self._overruns)
        self.clock_offset = timedelta(0)
        self.boundary = Boundary(self.call, lambda: self.clock_offset)
        self._tokens_by_id: dict[str, str] = {}
        self._tokens: list[str] = []
        self.calling = ""  #: the call that is under way
        self.platform: Platform = conformance.platform()
        self.stand_ins = self.platform.new_stand_ins(folder / "stand-ins")
        self._untouched = Untouched(folder) if conformance.platform_type is None else None
        self.platform.attach(self)
        try:
            self.executor = self.new_executor()
        except BaseException:
            try:
                self.platform.close()
            finally:
                self._let_go()
            raise

    def close(self) -> None:
        """End everything."""
        known = self._overruns.get("stop", 0)
        try:
            self.platform.close()
            self.call("stop", self.executor.stop)
        except Overrun:
            if not known:  # else another check has failed for it
                raise
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._untouched is not None:
            self._untouched.close()
        self.calls.close()
        self.stand_ins.close()
        self._host.put_back()  # for the next one: whatever this executor did to it

    # The executor.

    def new_executor(self) -> Executor:
        """One more executor of the same name, started."""
        executor = self.made()
        self.platform.adopt(executor)
        if self.clock_offset:
            executor.now = self._now  # type: ignore[method-assign]
        self.call("start", lambda: executor.start(self.context))
        return executor

    def made(self) -> Executor:
        """One more executor of the same name, not started."""
        made = self.call("the constructor", lambda: self.conformance.make(self.platform))
        if not isinstance(made, self.conformance.executor_type):
            not_exercised("make() of the test class makes something else than its executor_type")
        return made

    def restart(self, *, stop: bool = True) -> None:
        """Go on with another executor, as after a restart of the manager; without `stop`, as after its death."""
        if stop:
            self.call("stop", self.executor.stop)
        self.executor = self.new_executor()

    def jump(self, span: timedelta) -> None:
        """Set the wall clock that the executor sees."""
        self.clock_offset = span
        self.executor.now = self._now  # type: ignore[method-assign]

    def _now(self) -> datetime:
        return datetime.now(UTC) + self.clock_offset

    # Calls, as the host makes them.

    def call(self, what: str, work: Callable[[], T]) -> T:
        """Make a call in the executor's thread, within the time limit; what is left to write ends the check."""
        self.calling = what
        try:
            answer = self.calls.call(what, work)
        except NotImplementedError:
            not_exercised(f"{what} is left to write")
        except SchedulerUnavailable as error:
            self._excuse(error)
            raise
        finally:
            if self._untouched is not None:
                self._untouched.hold()
        self.boundary.hold("context.report", self.context.wrong())
        return answer

    def _excuse(self, outage: SchedulerUnavailable | None) -> None:
        """End the check, where nothing stands for the platform: that it does not answer is no fault of the executor."""
        if outage is not None and self._untouched is not None and not self.can("down"):
            not_exercised(f"its platform does not answer here: {outage}")

    def requests(
        self,
        count: int = 1,
        *,
        name: str = "task",
        arguments: Sequence[str] = (),
        resources: Mapping[str, Any] | None = None,
    ) -> list[SubmitRequest]:
        """New requests; `arguments` are added to their workers' command lines, `resources` replace the class's."""
        conformance = self.conformance
        cls = conformance.executor_type
        wanted = conformance.resources if resources is None else resources
        asked, problems = parse_resources(wanted, type_name=cls.name, own_type=cls.resources_type)
        assert not problems, f"the resources {wanted} are wrong: {'; '.join(problems)}"
        runs_itself = cls.reporting is Reporting.PLATFORM
        return [
            SubmitRequest(
                token,
                platform_job_name(token, name),
                name,
                asked,
                () if runs_itself else self.stand_ins.argv(token, *arguments),
                Command(argv=list(self.stand_ins.argv(token, *arguments))) if runs_itself else None,
                cwd=str(self.folder),
                stdout=str(self.folder / "output" / f"{token}.out"),
                stderr=str(self.folder / "output" / f"{token}.err"),
            )
            for token in self.platform.new_tokens(count)
        ]

    def submit(self, requests: Sequence[SubmitRequest], *, prepare: bool = True) -> Sent:
        """Give requests to the executor, whether the platform was told of them before or not."""
        for request in requests if prepare else ():
            self.platform.prepare(request)
        return self._send([r.token for r in requests], lambda: self.executor.submit(requests=requests))

    def _send(self, tokens: Sequence[str], submit: Callable[[], Iterable[tuple[str, Outcome]]]) -> Sent:
        self._tokens += tokens
        outcomes: list[tuple[str, Outcome]] = []
        faults: list[Fault] = []

        def send() -> SchedulerUnavailable | None:
            try:
                read_outcomes(submit(), tokens, outcomes, faults)
            except SchedulerUnavailable as error:
                return error
            return None

        outage = self.call("submit", send)
        self._excuse(outage)
        self._tokens_by_id |= {one.executor_job_id: token for token, one in outcomes if isinstance(one, Accepted)}
        self.boundary.hold("submit", faults)
        return Sent(outcomes, outage)

    def array_of(self, members: Sequence[SubmitRequest]) -> ArrayRequest:
        """These requests as one array."""
        token, tokens = self.platform.new_tokens(1)[0], tuple(member.token for member in members)
        argv = self.stand_ins.array_argv(token, tokens)
        return ArrayRequest(token, platform_job_name(token, "task"), members[0].resources, argv, tokens)

    def submit_array(self, array: ArrayRequest) -> Sent:
        """Give an array to the executor."""
        return self._send(array.members, lambda: self.executor.submit_array(array=array))

    def array_limit(self) -> int:
        """The most members of an array; 1: the executor has no arrays."""
        return self.call("array_limit", self.executor.array_limit)

    def live_many(self, count: int) -> list[Submitted]:
        """Like `live`, in arrays where the executor has them."""
        limit = self.array_limit()
        if limit < 2:
            return self.live(count)
        requests = self.requests(count)
        submitted = []
        for start in range(0, count, limit):
            members = requests[start : start + limit]
            for member in members:
                self.platform.prepare(member)
            array = self.array_of(members)
            submitted += self.submitted_members(array, self.submit_array(array))
        return submitted

    def submitted_members(self, array: ArrayRequest, sent: Sent) -> list[Submitted]:
        """The members of an accepted array as the host will show them to the executor."""
        submitted = []
        for index, token in enumerate(array.members, 1):
            outcome = sent.of(token)
            assert isinstance(outcome, Accepted), f"member {index} of an array ended as {outcome!r}, not Accepted"
            one = Submitted(outcome.executor_job_id, token, array.job_name, datetime.now(UTC), index)
            submitted.append(one)
        return submitted

    def accept(self, count: int = 1) -> list[Submitted]:
        """Attempts that the platform has accepted."""
        requests = self.requests(count)
        sent = self.submit(requests)
        if sent.outage is not None and not self.can("down"):
            not_exercised(f"its platform does not answer here: {sent.outage}")
        assert sent.outage is None, f"submit raised SchedulerUnavailable without an outage: {sent.outage}"
        return [self.submitted(request, sent.of(request.token)) for request in requests]

    def live(self, count: int = 1) -> list[Submitted]:
        """Attempts that the platform has accepted and that do not end by themselves."""
        submitted = self.accept(count)
        if not self.can("finish"):
            ended = [one for one in submitted if isinstance(self.context.last_pushed(one.token), Exited)]
            if ended or any(isinstance(seen, Exited) for seen in self.observe(submitted).values()):
                not_exercised("jobs end at once here, and the platform object has no finish()")
        return submitted

    def submitted(self, request: SubmitRequest, outcome: Outcome | None) -> Submitted:
        """An accepted attempt as the host will show it to the executor."""
        assert isinstance(outcome, Accepted), f"a plain submission ended as {outcome!r}, not Accepted"
        self._tokens_by_id[outcome.executor_job_id] = request.token  # it may have been found
        return Submitted(outcome.executor_job_id, request.token, request.job_name, datetime.now(UTC))

    def observe(self, submitted: Sequence[Submitted]) -> dict[str, Observation]:
        """What `observe` answers."""

        def ask() -> object:
            return self.executor.observe(submitted=submitted)

        return self.boundary.of_each("observe", submitted, ask, answers.observation, Unknown)

    def cancel(self, submitted: Sequence[Submitted]) -> None:
        """Ask for their ends, once."""
        self.call("cancel", lambda: self.executor.cancel(submitted=submitted))

    def find(self, sought: Sequence[SubmitRequest | Submitted | Submission]) -> dict[str, Finding]:
        """What `find` answers."""
        submissions = [one if isinstance(one, Submission) else _submission(one) for one in sought]

        def ask() -> object:
            return self.executor.find(submissions=submissions)

        return self.boundary.of_each("find", submissions, ask, answers.finding, CannotTell)

    def look(self, one: Submitted) -> Observation:
        """What is known of one attempt now: its end if one was pushed, else what `observe` says."""
        pushed = self.context.last_pushed(one.token)
        if isinstance(pushed, Exited):
            return pushed
        return self.observe([one])[one.token]

    def until(self, reached: Callable[[], object], what: str) -> None:
        """Look again until it is so.

        Raises:
            AssertionError: it is not, in `patience_s`.
        """
        deadline = time.monotonic() + self.conformance.patience_s
        while not reached():
            assert time.monotonic() < deadline, f"not within {self.conformance.patience_s:g} s: {what}"
            self.context.wait(_LOOK_AGAIN_S)

    def ended(self, one: Submitted) -> Observation:
        """The first observation of an attempt that is neither Pending, Running nor Unknown, repeating `observe`."""
        last: list[Observation] = []

        def gone() -> bool:
            last[:] = [self.look(one)]
            return isinstance(last[0], Exited | Absent)

        self.until(gone, f"the end of {one.job_name} is seen (if few run at a time, running_limit says so)")
        return last[0]

    def cancelled(self, submitted: Sequence[Submitted]) -> dict[str, Observation]:
        """Repeat `cancel`, as the host does, until all have ended; how each did."""
        seen: dict[str, Observation] = {}

        def gone() -> bool:
            left = [one for one in submitted if one.token not in seen]
            self.cancel(left)
            looked = self.observe(left)
            for one in left:
                last = self.context.last_pushed(one.token)
                last = last if isinstance(last, Exited) else looked.get(one.token)
                if isinstance(last, Exited | Absent):
                    seen[one.token] = last
            return len(seen) == len(submitted)

        self.until(gone, "cancelled attempts end")
        return seen

    # What it was given.

    def token_of(self, executor_job_id: str) -> str:
        """The token of an accepted attempt."""
        return self._tokens_by_id[executor_job_id]

    def tokens(self) -> list[str]:
        """The tokens of all requests so far."""
        return list(self._tokens)

    def ids(self) -> list[str]:
        """The ids of all accepted attempts so far."""
        return list(self._tokens_by_id)

    def batch(self, count: int) -> int:
        """So many attempts, or as many as the executor's running limit admits."""
        limit = self.call("running_limit", self.executor.running_limit)
        return count if limit is None else min(count, limit)

    def tried(self, method: str, *arguments: object) -> tuple[object, ...] | None:
        """What a method of the platform object returned; None when it is not defined or does not apply."""
        import pytest

        try:
            return (getattr(self.platform, method)(*arguments),)
        except pytest.skip.Exception:
            return None

    def names_at_the_platform(self) -> list[str] | None:
        """The names of all jobs that the platform was ever given; None when the platform object cannot tell."""
        names = self.tried("job_names")
        return None if names is None else list(names[0])  # type: ignore[call-overload]

    def can(self, method: str) -> bool:
        """Whether the platform object defines this method; it may be that what it does cannot happen."""
        return getattr(type(self.platform), method) is not getattr(Platform, method)


def _submission(one: SubmitRequest | Submitted) -> Submission:
    if isinstance(one, Submitted):
        return Submission(one.token, one.job_name, one.submitted_at, one.index)
    return Submission(one.token, one.job_name, datetime.now(UTC) - timedelta(seconds=1))


def find_is_defined(world: World) -> bool:
    """Whether the executor type defines `find`."""
    return world.conformance.executor_type.find is not Executor.find
