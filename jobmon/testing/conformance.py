"""The class that the author of an executor derives from to have its type tested.

from jobmon.testing import ExecutorConformance
from jobmon_labbatch import LabBatch, Settings

class TestLabBatch(ExecutorConformance):
    executor_type = LabBatch
    settings = Settings()
    platform_type = LabBatchPlatform     # see jobmon.testing.Platform; without it, less is exercised
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

from jobmon.plugins import Executor, Placement, Reporting
from jobmon.reports.records import Level
from jobmon.testing.array_checks import ArrayChecks
from jobmon.testing.cancel_checks import CancelChecks
from jobmon.testing.core_checks import CoreChecks
from jobmon.testing.declared_checks import DeclaredChecks
from jobmon.testing.doubt_checks import DoubtChecks
from jobmon.testing.end_checks import ReasonsChecks, UsageChecks
from jobmon.testing.fault_checks import FaultChecks
from jobmon.testing.find_checks import FindChecks
from jobmon.testing.host_checks import HostChecks
from jobmon.testing.hostile_checks import HostileChecks
from jobmon.testing.kept_end_checks import EndingChecks
from jobmon.testing.large_array_checks import LargeArrayChecks
from jobmon.testing.lives import LivesChecks
from jobmon.testing.local_platform import LocalPlatform
from jobmon.testing.measuring import Measurements
from jobmon.testing.name_checks import NameChecks
from jobmon.testing.number_checks import NumberChecks
from jobmon.testing.partial_checks import PartialChecks
from jobmon.testing.payload_checks import PayloadChecks
from jobmon.testing.platform import Platform
from jobmon.testing.replay_checks import ReplayChecks
from jobmon.testing.secret_checks import SecretChecks
from jobmon.testing.sentences import not_exercised
from jobmon.testing.set_up import SetUpChecks, wrong_set_up
from jobmon.testing.waiting_checks import WaitingChecks
from jobmon.testing.world import World
from jobmon.testing.written_checks import WrittenChecks


class ExecutorConformance(
    SetUpChecks,
    CoreChecks,
    CancelChecks,
    ArrayChecks,
    DeclaredChecks,
    HostChecks,
    NumberChecks,
    FindChecks,
    UsageChecks,
    ReasonsChecks,
    FaultChecks,
    EndingChecks,
    WaitingChecks,
    PartialChecks,
    DoubtChecks,
    LargeArrayChecks,
    NameChecks,
    HostileChecks,
    PayloadChecks,
    SecretChecks,
    LivesChecks,
    WrittenChecks,
    Measurements,
    ReplayChecks,
):
    """Every sentence of the executor contract, each as a test. Derive from it and name the type.

    A class whose attributes are wrong fails once, with a sentence. The fixture `world` is a World, new for each test.
    """

    executor_type: ClassVar[type[Executor]]  #: the class under test
    #: An instance of the executor's `settings_type`, such as `Settings(queue="long")`; None: one with its defaults.
    settings: ClassVar[Any] = None
    #: What each attempt asks for, a table as a task has it: `{"cores": 2, "labbatch": {"queue": "long"}}`. Where the
    #: platform enforces memory, ask for 400 MB or more: the kit's known work takes 200 MB.
    resources: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    #: A value for each of the type's own resources, other than its default, beside those in `resources`.
    own_resources: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    #: Makes the platform object of one test. None: the kit's own for executors that start workers on this host,
    #: for others one that can do nothing.
    platform_type: ClassVar[type[Platform] | None] = None

    #: What the real platform printed, recorded by `jobmon plugin check NAME --real --record FILE`: the fake is held
    #: against it. None: it is held against nothing.
    recorded: ClassVar[Path | str | None] = None
    #: The platform object stands for nothing: it is the platform that users have. The level gold needs that.
    real_platform: ClassVar[bool] = False
    #: The level that the type claims to reach: bronze, silver, gold or platinum. A claim that does not hold fails.
    claims: ClassVar[Level | str | None] = None

    #: Attempts in one call, for the area array.
    many: ClassVar[int] = 2000
    #: Attempts that a call asks about at once. By their names so many do not fit into one command line.
    crowd: ClassVar[int] = 20_000
    #: How long the platform may take until what was asked of it can be seen.
    patience_s: ClassVar[float] = 20.0
    #: How long a call may take; as the host's `call_timeout_s`.
    call_timeout_s: ClassVar[float] = 60.0
    #: Random lives to lead; 0: none.
    lives: ClassVar[int] = 20
    #: Look for the shortest life that shows a fault. False saves time where each life takes long.
    shrinks: ClassVar[bool] = True

    #: The platform object can bring about all that may happen: a check that is not exercised fails.
    complete: ClassVar[bool] = False

    # What the type does not do. Each is said in the summary.

    #: `Exited.usage` is filled.
    tells_usage: ClassVar[bool] = False
    #: Its observations say why an attempt ended. Where workers report, the platform may know no more than "gone".
    tells_reasons: ClassVar[bool] = True
    #: `Pending.why` is the platform's reason for which an attempt waits.
    tells_pending_reasons: ClassVar[bool] = False
    #: Where the platform alone reports: it runs the commands and calls (a simulation does not).
    runs_payloads: ClassVar[bool] = True
    #: `find` takes it that whatever is asked for was sent (a simulation without memory).
    finds_what_was_never_sent: ClassVar[bool] = False
    #: `observe` tells of a cancellation that was pushed, too.
    remembers_cancellations: ClassVar[bool] = True

    def make(self, platform: Platform) -> Executor:  # noqa: ARG002
        """A new executor of the type, not started."""
        settings = self.executor_type.settings_type() if self.settings is None else self.settings
        return self.executor_type(settings)

    def platform(self) -> Platform:
        """A new platform object."""
        if self.platform_type is not None:
            return self.platform_type()
        cls = self.executor_type
        local = cls.placement is Placement.LOCAL and cls.reporting is Reporting.WORKER
        return LocalPlatform() if local else Platform()

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[World]:
        """The executor and its surroundings, new for each test."""
        if wrong_set_up(self):
            not_exercised("the test class is not set up")
        new = World(self, tmp_path)
        try:
            yield new
        finally:
            new.close()
