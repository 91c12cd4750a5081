"""The class that an executor plugin derives from."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from jobmon.plugins.context import ExecutorContext
from jobmon.plugins.records import (
    ArrayRequest,
    CannotTell,
    Finding,
    Observation,
    Outcome,
    Placement,
    Submission,
    SubmitRequest,
    Submitted,
    Support,
)
from jobmon.plugins.resources import Resources
from jobmon.plugins.settings import NoSettings
from jobmon.states.evidence import Reporting

if TYPE_CHECKING:
    from jobmon.plugins.command import Completed

#: The version of the contract that this host speaks. A plugin loads when its major is the same and its minor not above.
CONTRACT_VERSION = (1, 0)


class Executor:
    """An executor type: how attempts are placed on one kind of platform.

    The host makes an object per named executor, calls `start`, then the four methods, each in the same thread, one at a
    time and with a time limit, and at the end `stop`. It may drop the object at any moment and make another one, so
    nothing that a restart would need may be kept in memory. The constructor does no work.
    """

    name: ClassVar[str]  #: the type; its entry point has the same name
    api_version: ClassVar[tuple[int, int]]  #: the version of the contract that it was written for: (major, minor)
    settings_type: ClassVar[type] = NoSettings  #: an attrs class of what `[executors.NAME]` may say
    resources_type: ClassVar[type] = NoSettings  #: an attrs class of what tasks may ask for under the type's name
    reporting: ClassVar[Reporting] = Reporting.WORKER  #: who tells how an attempt goes
    placement: ClassVar[Placement] = Placement.LOCAL  #: where workers run
    #: Leased per server, so that no two workflows use it at once; `[executors.NAME.host] exclusive` changes it.
    exclusive: ClassVar[bool] = False
    #: What it makes of the core's resources; those that are not named are ignored.
    core_resources: ClassVar[Mapping[str, Support]] = MappingProxyType({})
    #: Exit statuses to which the platform gives a meaning of its own, and what a worker ends with instead of each. The
    #: true status travels in the worker's report.
    exit_map: ClassVar[Mapping[int, int]] = MappingProxyType({})

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.context: ExecutorContext

    def start(self, context: ExecutorContext) -> None:
        """Get ready. An overriding method calls this one first."""
        self.context = context

    def stop(self) -> None:
        """Let go of what this object holds; attempts on the platform live on."""

    def running_limit(self) -> int | None:
        """How many attempts it can use at once; None: as many as there are. The host claims no more."""
        return None

    def array_limit(self) -> int:
        """The most attempts that `submit_array` takes at once; 1: it has no arrays. Only where workers report."""
        return 1

    def cluster_host(self) -> str | None:
        """A host of the cluster, such as its scheduler's: workers reach the server at the address of the route to it.

        For placement REMOTE. None: none is known, the default route tells. Called without `start`, on the client too.
        """
        return None

    def check_resources(self, *, resources: Resources) -> list[str]:  # noqa: ARG002
        """What is wrong with resources that parse well, a sentence each. Called without `start`, on the client too."""
        return []

    def submit(self, *, requests: Sequence[SubmitRequest]) -> Iterable[tuple[str, Outcome]]:
        """Give attempts to the platform, yielding `(token, outcome)` as each is known; it is committed as it comes.

        Where it raises, ends early or overruns its time, every request without an outcome is taken as Uncertain.
        """
        raise NotImplementedError(f"executor type {self.name!r} does not define submit")

    def submit_array(self, *, array: ArrayRequest) -> Iterable[tuple[str, Outcome]]:
        """Give several attempts to the platform by one submission; for the rest as `submit`, member by member.

        An array without certain outcome is never split and never sent again: `find` is asked for its members.

        Raises:
            ArrayRefused: the platform has none of them, and takes them in smaller arrays, or singly.
        """
        raise NotImplementedError(f"executor type {self.name!r} does not define submit_array")

    def observe(self, *, submitted: Sequence[Submitted]) -> Mapping[str, Observation]:
        """What the platform says of each, by token. A row whose name does not carry the token is another job's."""
        raise NotImplementedError(f"executor type {self.name!r} does not define observe")

    def cancel(self, *, submitted: Sequence[Submitted]) -> None:
        """Ask the platform to end them. Repeated until `observe` says Exited or Absent."""
        raise NotImplementedError(f"executor type {self.name!r} does not define cancel")

    def find(self, *, submissions: Sequence[Submission]) -> Mapping[str, Finding]:
        """Whether the platform has these attempts, by token. Needed where a submission can be Uncertain.

        Absent only when listing *and* accounting, as far as there is one, answered completely for all the time since
        `submitted_at`; else CannotTell.
        """
        return {s.token: CannotTell("this executor cannot look for submissions") for s in submissions}

    def settled(self, *, tokens: Sequence[str]) -> None:
        """The ends of these are recorded for good: what the platform keeps of them for us may go.

        Called soon after, and not at all for what ended while no manager was there. Only defined by those that need it.
        """

    # Helpers.

    def now(self) -> datetime:
        """This instant, aware, in UTC."""
        return datetime.now(UTC)

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float = 30.0,
        stdin: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> "Completed":
        """Run a platform's command: no shell, no inherited input, its output as text, stopped at the time limit.

        It returns when the command itself has ended, even if the command left something in the background.
        `environment` is all that the command gets, in place of the manager's: to add to that, give
        `{**os.environ, "NAME": "value"}`. None is the manager's own: the user's, whose variables may change what the
        command means.

        Raises:
            SchedulerUnavailable: there is no such command, or it cannot be run.
        """
        from jobmon.plugins.command import run_command  # not every platform is asked by commands

        return run_command(argv, timeout_s=timeout_s, stdin=stdin, environment=environment)
