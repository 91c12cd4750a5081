"""What the kit does to the platform behind an executor."""

# ruff: noqa: ARG002, ARG003 - the methods of the base class say only that they are missing

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NoReturn

from jobmon.ids import new_tokens
from jobmon.plugins import Executor, Reason, SubmitRequest
from jobmon.testing.sentences import not_exercised
from jobmon.testing.stand_in import StandIns

if TYPE_CHECKING:
    from jobmon.testing.world import World


class Platform:
    """A platform that the kit can disturb. Derive from it, and define what you can.

    A check that needs a method which is not defined is reported as not exercised. A method may call
    `jobmon.testing.does_not_apply(why)`, where such a thing cannot happen to this platform at all.
    """

    #: The reasons that `end` can bring about.
    reasons: ClassVar[tuple[Reason, ...]] = ()
    #: The run time, in seconds, that is asked for where `take` then takes more.
    runtime_s: ClassVar[float] = 5400.0

    @classmethod
    def lacks(cls, executor_type: type[Executor]) -> str:
        """What the class has to define for this type and does not, in a sentence; empty: nothing."""
        return ""

    def new_tokens(self, count: int) -> list[str]:
        """Tokens of attempts, and of arrays."""
        return new_tokens(count)

    def new_stand_ins(self, folder: Path) -> StandIns:
        """The stand-ins of one test."""
        return StandIns(folder)

    def attach(self, world: "World") -> None:
        """Begin: the world that this platform belongs to."""
        self.world = world

    def adopt(self, executor: Executor) -> None:
        """An executor was made, and is not started yet."""

    def prepare(self, request: SubmitRequest) -> None:
        """This request is going to be submitted. Where nothing is really run, override this with nothing."""
        self.world.stand_ins.get_ready(request.token)

    def close(self) -> None:
        """End whatever still runs."""

    # The life of a job.

    def finish(self, executor_job_id: str, status: int = 0) -> None:
        """The job ends by itself with this exit status."""
        _missing("finish")

    def work(self, executor_job_id: str) -> Mapping[str, float]:
        """The job does some work and ends by itself with status 0; what it used, in the words of `Exited.usage`."""
        _missing("work")

    def take(self, executor_job_id: str, resource: str, amount: float) -> None:
        """The job takes so much of a resource (`runtime` in seconds, `memory` in bytes); where that is more than it
        asked for, and the platform knows that, it ends it.
        """
        _missing("take")

    def end(self, executor_job_id: str, reason: Reason) -> None:
        """The job ends for one of `reasons`."""
        _missing("end")

    def hold_back(self, executor_job_id: str, why: str) -> None:
        """The platform lets the job wait, for this reason (one word)."""
        _missing("hold_back")

    def let_go(self, executor_job_id: str) -> None:
        """The platform starts a job that it held back: it runs."""
        _missing("let_go")

    def refuse(self) -> None:
        """What is submitted from now on is refused for good."""
        _missing("refuse")

    def refuse_one(self, token: str) -> None:
        """The attempt of this token is refused for good when it is submitted; the platform takes all others."""
        _missing("refuse_one")

    def refuse_arrays(self, above: int) -> None:
        """From now on the platform takes no array of more than so many members."""
        _missing("refuse_arrays")

    def refuse_cancel(self, executor_job_id: str) -> None:
        """From now on the platform answers a cancellation of this job, and of this one alone, with an error."""
        _missing("refuse_cancel")

    def cancel_slowly(self) -> None:
        """From now on the platform takes cancellations and its jobs do not end by them for a while."""
        _missing("cancel_slowly")

    def submit_raw_array(self, count: int) -> None:
        """Submit an array of so many jobs by the platform's own means, as a user would by hand.

        Only on the real platform, where an array of the executor's is held against it.
        """
        _missing("submit_raw_array")

    # Faults.

    def down(self) -> None:
        """The platform does not answer; its jobs go on."""
        _missing("down")

    def up(self) -> None:
        """It answers again."""
        _missing("up")

    def accept_then_time_out(self) -> None:
        """The next submission arrives; its answer does not."""
        _missing("accept_then_time_out")

    def accept_then_fail(self) -> None:
        """The next submission arrives; the platform's tool tells an error that says nothing of that, and fails."""
        _missing("accept_then_fail")

    def half_answer(self) -> None:
        """The next listing breaks off in the middle, as far as there is one; the platform's tool says so."""
        _missing("half_answer")

    def empty_answer(self) -> None:
        """The next listing is empty, without any error, whatever lives: as while a scheduler starts."""
        _missing("empty_answer")

    def forget(self, executor_job_id: str) -> None:
        """The platform has no trace of the job any more."""
        _missing("forget")

    def recycle(self, executor_job_id: str) -> str:
        """The job is gone and a stranger's job has its id; returns the id by which the executor knows the old one.

        That is the same one, unless ids say more than the platform's number.
        """
        _missing("recycle")

    def strangers(self, names: Sequence[str]) -> None:
        """Jobs of these names, none of them Jobmon's, live at the platform from now on."""
        _missing("strangers")

    def untouched(self) -> bool:
        """Whether the strangers' jobs that `recycle` and `strangers` made are as they were."""
        _missing("untouched")

    def kill(self, executor_job_id: str) -> None:
        """The job is ended by force, by nobody of Jobmon."""
        _missing("kill")

    def kill_runner(self, executor_job_id: str) -> None:
        """Where the type runs payloads itself: what runs this one is ended by force, before it can tell the end."""
        _missing("kill_runner")

    def restart_host(self) -> None:
        """The hosts on which the jobs run start again: nothing that ran there is left."""
        _missing("restart_host")

    # Many jobs.

    def crowd(self, names: Sequence[str]) -> list[str]:
        """The platform has live jobs of these names, as if they had been submitted; their ids."""
        _missing("crowd")

    def traffic(self) -> int:
        """How much the platform was asked and has answered so far: bytes, or rows."""
        return 0

    def answer_here(self) -> None:
        """From now on the platform's commands, if it has any, are answered in this process: they may be thousands."""

    # What the platform has.

    def n_asked(self) -> int:
        """How often executors have asked the platform for something so far."""
        _missing("n_asked")

    def job_names(self) -> list[str]:
        """The names of all jobs that it was ever given, one for each submission that arrived."""
        _missing("job_names")

    def given(self, executor_job_id: str) -> str:
        """All that the platform was given with the job, as text: options, standard input, what it was asked for."""
        _missing("given")

    def arguments(self, executor_job_id: str) -> list[str]:
        """The command line with which the job's worker was started."""
        _missing("arguments")


def _missing(method: str) -> NoReturn:
    not_exercised(f"the platform object has no {method}()")
