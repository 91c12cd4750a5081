"""The executor's own decisions, on answers made for each test."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
from jobmon_slurm import Settings, Slurm, SlurmResources
from jobmon_slurm.listing import SEP
from jobmon_slurm.submission import sbatch_argv

from jobmon.plugins import (
    Absent,
    Accepted,
    ArrayRefused,
    ArrayRequest,
    CannotTell,
    Completed,
    Deferred,
    Exited,
    Found,
    Pending,
    Reason,
    Rejected,
    Resources,
    Running,
    SchedulerUnavailable,
    Submission,
    SubmitRequest,
    Submitted,
    Unknown,
)
from jobmon.plugins.settings import build
from jobmon.testing import KitContext

TOKEN, OTHER = "j" + "a" * 26, "j" + "b" * 26
NAME = f"{TOKEN}-task"
NOW = datetime.now(UTC)
GIB = 1 << 30
PARTITIONS = "PartitionName=debug Default=YES MaxTime=01:00:00 TotalCPUs=64\n"


@attrs.define
class Answers:
    """In the place of Slurm: says what it was told to, by command, and keeps what it was asked."""

    by_command: dict[str, Any]
    calls: list[tuple[list[str], dict[str, Any]]] = attrs.field(factory=list)

    def run(self, argv: Sequence[str], **given: Any) -> Completed:
        self.calls.append((list(argv), given))
        answer = self.by_command.get(argv[0], "")
        if isinstance(answer, Completed):
            return attrs.evolve(answer, argv=tuple(argv))
        return Completed(tuple(argv), 0, answer, "")

    def of(self, command: str) -> list[list[str]]:
        return [argv[1:] for argv, _ in self.calls if argv[0] == command]


def failed(stderr: str, status: int | None = 1) -> Completed:
    return Completed((), status, "", stderr)


def row(*cells: str) -> str:
    return SEP.join(cells) + "\n"


Make = Callable[..., tuple[Slurm, Answers]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def new(settings: Settings | None = None, **by_command: Any) -> tuple[Slurm, Answers]:
        answers = Answers({"scontrol": PARTITIONS, "sinfo": "debug|16|65536\n", "sbatch": "12\n"} | by_command)
        executor = Slurm(settings or Settings())
        executor.run = answers.run  # type: ignore[method-assign]
        executor.start(KitContext(tmp_path, "cluster"))
        return executor, answers

    return new


def request(resources: Resources | None = None) -> SubmitRequest:
    asked = resources or Resources(own=SlurmResources())
    return SubmitRequest(TOKEN, NAME, "task", asked, ("/bin/worker", "a b", "$(x)"))


def array(members: int = 4) -> ArrayRequest:
    tokens = tuple(f"j{n:026}" for n in range(members))
    return ArrayRequest(TOKEN, NAME, Resources(own=SlurmResources()), ("/bin/worker", "x"), tokens)


def one(number: str = "12", index: int | None = None) -> Submitted:
    return Submitted(number if index is None else f"{number}_{index}", TOKEN, NAME, NOW, index)


# Command lines.


def test_everything_that_a_user_sets_is_said_to_sbatch() -> None:
    settings = Settings(partition="long", account="proj", qos="high", whole_nodes=True, options=("--exclude=n7",))
    own = SlurmResources(partition="gpu", gpu_type="a100", constraint="avx")
    resources = Resources(cores=4, memory=3 * GIB + 1, runtime=61.0, gpus=2, own=own)
    argv = sbatch_argv(settings, resources, NAME, Path("/logs/50%/out"), ("/bin/worker", "a b"))
    said = set(argv)
    assert said >= {"--partition=gpu", "--account=proj", "--qos=high", "--constraint=avx", "--exclusive"}
    assert said >= {"--cpus-per-task=4", "--mem=3073M", "--time=2", "--gres=gpu:a100:2", "--exclude=n7"}
    assert said >= {"--parsable", "--no-requeue", f"--job-name={NAME}", "--chdir=/logs/50%", "--output=/logs/50%%/out"}
    assert argv[-3:] == ["/dev/stdin", "/bin/worker", "a b"]
    assert argv.index("--exclude=n7") < argv.index("--parsable"), "what Jobmon says comes last, and wins"


def test_other_forms_of_asking_for_memory_and_gpus_are_settings() -> None:
    settings = Settings(memory_option="mem-per-cpu", gpu_option="gpus", array_running=7)
    resources = Resources(cores=4, memory=6 * GIB, gpus=1, own=None)
    argv = sbatch_argv(settings, resources, NAME, Path("/logs/out"), ("w",), members=9)
    assert {"--mem-per-cpu=1536M", "--gpus=1", "--array=1-9%7"} <= set(argv)


@pytest.mark.parametrize(
    "option",
    ["--array=1-9", "--arr=1-9", "--wrap=rm", "-n4", "--licenses a", "--export=ALL", "--requeue", "--job"],
)
def test_an_option_that_jobmon_says_itself_or_that_is_none_is_refused(option: str) -> None:
    built, problems = build(Settings, {"options": [option]})
    assert built is None
    assert "options" in problems[0]


def test_options_of_sbatch_are_given_as_they_are() -> None:
    built, problems = build(Settings, {"options": ["--licenses=a b:2", "--exclude=n[1-3]", "--mem-bind=local"]})
    assert problems == []
    assert built.options == ("--licenses=a b:2", "--exclude=n[1-3]", "--mem-bind=local")


def test_commands_get_an_environment_of_their_own(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUEUE_PARTITION", "other")
    monkeypatch.setenv("JOBMON_TOKEN", "secret")
    executor, answers = make()
    list(executor.submit(requests=[request()]))
    executor.observe(submitted=[one()])
    for argv, given in answers.calls:
        assert not {"SQUEUE_PARTITION", "JOBMON_TOKEN"} & set(given["environment"]), argv
        assert "PATH" in given["environment"]


# Submission.


def test_a_task_beyond_its_partition_is_refused_before_it_is_sent(make: Make) -> None:
    executor, answers = make()
    asked = Resources(cores=17, memory=65 * GIB, runtime=3601.0, own=SlurmResources(partition="debug"))
    [(_, outcome)] = executor.submit(requests=[request(asked)])
    assert isinstance(outcome, Rejected)
    assert "3601 s is above the 3600 s that partition debug allows" in outcome.why
    assert "17 cores are more than the 16" in outcome.why
    assert "66560 MiB of memory are more than the 65536" in outcome.why
    assert answers.of("sbatch") == []


@pytest.mark.parametrize(
    ("settings", "own"),
    [
        (Settings(), SlurmResources()),
        (Settings(), SlurmResources(partition="debug", qos="long")),
        (Settings(qos="long"), SlurmResources(partition="debug")),
        (Settings(partition="debug"), SlurmResources(reservation="mine")),
        (Settings(partition="debug"), SlurmResources(options=("--partition=large",))),
        (Settings(partition="debug", options=("--qos=long",)), SlurmResources()),
        (Settings(), SlurmResources(partition="debug,nosuch")),
    ],
)
def test_a_task_is_not_refused_on_a_guess_where_the_site_or_more_than_a_partition_decides(
    make: Make, settings: Settings, own: SlurmResources
) -> None:
    executor, _ = make(settings)
    asked = Resources(cores=17, memory=65 * GIB, runtime=3601.0, own=own)
    assert list(executor.submit(requests=[request(asked)])) == [(TOKEN, Accepted("12"))]


def test_limits_are_not_looked_at_when_the_user_says_so(make: Make) -> None:
    executor, answers = make(Settings(check_limits=False))
    asked = Resources(cores=99, own=SlurmResources(partition="debug"))
    assert list(executor.submit(requests=[request(asked)])) == [(TOKEN, Accepted("12"))]
    assert answers.of("scontrol") == []


def test_what_cannot_be_reached_once_is_not_tried_for_each_request(make: Make) -> None:
    executor, answers = make(sbatch=failed("sbatch: error: Unable to contact slurm controller (connect failure)"))
    outcomes = [outcome for _, outcome in executor.submit(requests=[request()] * 5)]
    assert all(isinstance(outcome, Deferred) for outcome in outcomes)
    assert len(answers.of("sbatch")) == 1


def test_without_its_log_folder_nothing_is_submitted(make: Make) -> None:
    executor, answers = make()
    executor.context.log_folder.rmdir()
    [(_, outcome)] = executor.submit(requests=[request()])
    assert isinstance(outcome, Deferred)
    assert str(executor.context.log_folder) in outcome.why
    assert answers.of("sbatch") == []


def test_members_of_an_array_are_known_by_its_number_and_their_places(make: Make) -> None:
    executor, _ = make()
    outcomes = [outcome for _, outcome in executor.submit_array(array=array(3))]
    assert outcomes == [Accepted("12_1"), Accepted("12_2"), Accepted("12_3")]


def test_an_array_that_is_too_large_is_refused_as_an_array(make: Make) -> None:
    executor, _ = make(sbatch=failed("sbatch: error: Batch job submission failed: Invalid job array specification"))
    with pytest.raises(ArrayRefused) as refused:
        list(executor.submit_array(array=array(8)))
    assert refused.value.limit == 4


def test_an_array_larger_than_a_limit_on_jobs_is_halved_and_others_wait(make: Make) -> None:
    full = failed("sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates ...")
    executor, answers = make(sbatch=full)
    with pytest.raises(ArrayRefused) as refused:
        list(executor.submit_array(array=array(8)))
    assert refused.value.limit == 4
    answers.by_command["squeue"] = "".join(row(f"{n}", "PENDING", "Priority", "mine") for n in range(9))
    assert {type(outcome) for _, outcome in executor.submit_array(array=array(8))} == {Deferred}
    answers.by_command["squeue"] = row("7_[1-9]", "PENDING", "Priority", "mine")  # an array counts by its members
    assert {type(outcome) for _, outcome in executor.submit_array(array=array(8))} == {Deferred}


def test_jobs_that_have_ended_do_not_count_as_queued(make: Make) -> None:
    full = failed("sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job ...")
    ended = "".join(row(f"{n}", state, "None", "mine") for n, state in enumerate(["COMPLETED", "FAILED"] * 10))
    executor, _ = make(sbatch=full, squeue=ended)
    with pytest.raises(ArrayRefused) as refused:
        list(executor.submit_array(array=array(8)))
    assert refused.value.limit == 4


@pytest.mark.parametrize(
    ("config", "own", "limit"),
    [("MaxArraySize            = 1001\n", None, 1000), ("MaxArraySize = 1001\n", 50, 50), ("nothing", None, 1000),
     ("MaxArraySize            = 0\n", None, 1), (failed("down"), None, 1000)],
)  # fmt: skip
def test_the_size_of_arrays_is_slurms_or_smaller(make: Make, config: Any, own: int | None, limit: int) -> None:
    executor, _ = make(Settings(array_size=own), scontrol=config)
    assert executor.array_limit() == limit


@pytest.mark.parametrize(
    ("config", "host"),
    [("SlurmctldHost[0]        = head(10.0.0.1)\n", "10.0.0.1"), ("SlurmctldHost[0]        = head\n", "head"),
     ("nothing", None), (failed("down"), None)],
)  # fmt: skip
def test_the_clusters_host_is_the_controllers(make: Make, config: Any, host: str | None) -> None:
    executor, _ = make(scontrol=config)
    assert executor.cluster_host() == host


# Observation.


def test_accounting_is_asked_only_for_what_has_left_the_queue(make: Make) -> None:
    executor, answers = make(squeue=row("12_1", "RUNNING", "None", NAME) + row("12_[2-9]", "PENDING", "Priority", NAME))
    seen = executor.observe(submitted=[attrs.evolve(one(index=n), token=f"t{n}" + "x" * 25) for n in (1, 2, 9)])
    assert [type(what) for what in seen.values()] == [Running, Pending, Pending]
    assert answers.of("sacct") == []
    assert len(answers.calls) == 1


def test_accounting_that_is_late_decides_nothing(make: Make) -> None:
    executor, _ = make(squeue=row("12", "FAILED", "NonZeroExitCode", NAME), sacct="")
    assert isinstance(executor.observe(submitted=[one()])[TOKEN], Unknown)


@pytest.mark.parametrize("state", ["RUNNING", "PENDING"])
def test_a_row_that_a_crash_left_in_accounting_is_no_live_job(make: Make, state: str) -> None:
    executor, _ = make(sacct=row("12", state, "0:0", "0:0", "0", "00:00:00", "", NAME))
    assert isinstance(executor.observe(submitted=[one()])[TOKEN], Absent)


def test_of_jobs_that_had_one_id_each_has_its_own_row(make: Make) -> None:
    rows = row("12", "COMPLETED", "0:0", "0:0", "9", "", "", f"{OTHER}-x") + row(
        "12", "FAILED", "3:0", "0:0", "9", "", "", NAME
    )
    executor, _ = make(sacct=rows)
    seen = executor.observe(submitted=[one(), Submitted("12", OTHER, f"{OTHER}-x", NOW)])
    assert seen[OTHER] == Exited(0, usage={"wall_s": 9.0})
    mine = seen[TOKEN]
    assert isinstance(mine, Exited)
    assert (mine.status, mine.reason) == (3, Reason.EXIT_NONZERO)


def test_while_accounting_is_down_the_queue_is_believed_and_nobody_is_absent(make: Make) -> None:
    executor, _ = make(squeue=row("12", "TIMEOUT", "TimeLimit", NAME), sacct=failed("Connection refused"))
    seen = executor.observe(submitted=[one(), Submitted("13", OTHER, f"{OTHER}-x", NOW)])
    assert isinstance(seen[TOKEN], Exited)
    assert seen[TOKEN].reason is Reason.TIMEOUT  # type: ignore[union-attr]
    assert isinstance(seen[OTHER], Unknown)


def test_where_there_is_no_accounting_the_queues_word_is_complete(make: Make) -> None:
    executor, _ = make(
        squeue=row("12", "COMPLETED", "None", NAME), sacct=failed("Slurm accounting storage is disabled")
    )
    seen = executor.observe(submitted=[one(), Submitted("13", OTHER, f"{OTHER}-x", NOW)])
    assert isinstance(seen[TOKEN], Exited)
    assert isinstance(seen[OTHER], Absent)


def test_without_a_listing_nothing_is_said(make: Make) -> None:
    executor, _ = make(squeue=failed("Unable to contact slurm controller (connect failure)"))
    with pytest.raises(SchedulerUnavailable):
        executor.observe(submitted=[one()])


# Cancelling and finding.


def test_a_cancellation_names_members_of_its_own_jobs_and_uses_no_filter(make: Make) -> None:
    rows = row("12_[1-9]", "PENDING", "Priority", NAME) + row("13", "RUNNING", "None", "somebody-elses")
    executor, answers = make(squeue=rows)
    members = [attrs.evolve(one(index=n), token=f"t{n}" + "x" * 25) for n in (1, 2, 3, 7)]
    executor.cancel(submitted=[*members, Submitted("13", OTHER, f"{OTHER}-x", NOW)])
    assert answers.of("scancel") == [["12_[1-3,7]"]]


def test_a_cancellation_that_met_no_controller_is_told(make: Make) -> None:
    executor, _ = make(
        squeue=row("12", "RUNNING", "None", NAME),
        scancel=failed("Unable to contact slurm controller", 8),
    )
    with pytest.raises(SchedulerUnavailable):
        executor.cancel(submitted=[one()])


def test_a_submission_is_found_in_the_queue_or_in_accounting(make: Make) -> None:
    executor, answers = make(
        squeue=row("12_[1-4]", "PENDING", "Priority", NAME),
        sacct=row("15", "COMPLETED", "0:0", "0:0", "1", "", "", f"{OTHER}-x"),
    )
    found = executor.find(submissions=[Submission("t" * 27, NAME, NOW, 3), Submission(OTHER, f"{OTHER}-x", NOW)])
    assert found == {"t" * 27: Found("12_3"), OTHER: Found("15")}
    [asked] = answers.of("sacct")
    assert f"--name={OTHER}-x" in asked
    assert any(option.startswith("--starttime=") for option in asked)


def test_what_is_not_found_while_accounting_is_down_cannot_be_told(make: Make) -> None:
    executor, _ = make(sacct=failed("Connection refused"))
    assert isinstance(executor.find(submissions=[Submission(TOKEN, NAME, NOW)])[TOKEN], CannotTell)
