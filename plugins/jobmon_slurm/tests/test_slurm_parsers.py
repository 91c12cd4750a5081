"""What Slurm prints, captured from a real one, is understood; what it would never print breaks nothing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobmon_slurm.ledger import Ledger
from jobmon_slurm.limits import array_size, partitions, with_nodes
from jobmon_slurm.listing import SEP, Row, accounting_rows, expression, parse_id, queue_rows
from jobmon_slurm.meaning import meaning
from jobmon_slurm.submission import outcome

from jobmon.plugins import (
    Accepted,
    Completed,
    Deferred,
    Exited,
    Observation,
    Pending,
    Reason,
    Rejected,
    Running,
    Submitted,
    Uncertain,
    Unknown,
)

SAMPLES = Path(__file__).parent / "samples"
QUEUE, ACCOUNTING = ((SAMPLES / name).read_text() for name in ("queue.txt", "accounting.txt"))
OUTCOMES = (Accepted, Rejected, Deferred, Uncertain)
OBSERVATIONS = (Pending, Running, Exited, Unknown)


def queued(name: str) -> Row:
    return next(row for row in queue_rows(QUEUE) if row.name == name)


def end(name: str) -> Observation:
    return meaning(next(row for row in accounting_rows(ACCOUNTING) if row.name == name))


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("success", 0, None),
        ("exit3", 3, Reason.EXIT_NONZERO),
        ("exit128", None, Reason.EXIT_NONZERO),
        ("exit137", 9, Reason.EXIT_NONZERO),
        ("killed9", None, Reason.SIGNALLED),
        ("over_mem", None, Reason.OUT_OF_MEMORY),
        ("over_step", None, Reason.OUT_OF_MEMORY),
        ("cancel_running", None, Reason.CANCELLED),
        ("cancel_held", None, Reason.CANCELLED),
    ],
)
def test_an_end_in_accounting_is_read_as_what_it_was(name: str, status: int | None, reason: Reason | None) -> None:
    seen = end(name)
    assert isinstance(seen, Exited)
    assert (seen.status, seen.reason) == (status, reason)
    assert reason is None or "Slurm: " in (seen.detail or "")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("TIMEOUT", Reason.TIMEOUT),
        ("DEADLINE", Reason.TIMEOUT),
        ("NODE_FAIL", Reason.NODE_FAILURE),
        ("BOOT_FAIL", Reason.NODE_FAILURE),
        ("PREEMPTED", Reason.PREEMPTED),
        ("CANCELLED by 1001", Reason.CANCELLED),
        ("CANCELLED+", Reason.CANCELLED),
    ],
)
def test_a_state_that_tells_why_is_taken_at_its_word(state: str, reason: Reason) -> None:
    seen = meaning(Row(parse_id("7"), state, "", "name", "0:0"))  # type: ignore[arg-type]
    assert isinstance(seen, Exited)
    assert seen.reason is reason


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("CANCELLED by 1001", Reason.CANCELLED_BY_USER),
        ("CANCELLED by 0", Reason.CANCELLED),
        ("CANCELLED by 10011", Reason.CANCELLED),
        ("CANCELLED", Reason.CANCELLED),
        ("REVOKED", Reason.CANCELLED),
    ],
)
def test_only_what_slurm_says_its_own_user_cancelled_is_that_users_cancellation(state: str, reason: Reason) -> None:
    seen = meaning(Row(parse_id("7"), state, "", "name", "0:0"), 1001)  # type: ignore[arg-type]
    assert isinstance(seen, Exited)
    assert seen.reason is reason


def test_a_job_that_could_not_be_set_up_is_nobodys_fault_and_says_what_to_look_at() -> None:
    seen = meaning(Row(parse_id("7"), "FAILED", "", "name", "0:53"))  # type: ignore[arg-type]
    assert isinstance(seen, Exited)
    assert seen.reason is Reason.UNKNOWN
    assert "output folder" in (seen.detail or "")


def test_a_job_that_slurm_could_not_launch_and_holds_has_ended() -> None:
    seen = meaning(Row(parse_id("7"), "PENDING", "launch failed requeued held", "name"))  # type: ignore[arg-type]
    assert isinstance(seen, Exited)
    assert seen.reason is Reason.NODE_FAILURE


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("held", "held by its user"),
        ("needs_99", "more than its partition has"),
        ("too_long", "more run time than its partition allows"),
        ("starts_later", "begin time"),
    ],
)
def test_why_a_job_is_pending_is_told_in_words(name: str, words: str) -> None:
    seen = meaning(queued(name))
    assert isinstance(seen, Pending)
    assert words in seen.why


def test_a_state_that_is_not_known_is_unknown_and_quoted() -> None:
    seen = meaning(Row(parse_id("7"), "FLOATING", "", "name"))  # type: ignore[arg-type]
    assert isinstance(seen, Unknown)
    assert "FLOATING" in seen.why


def test_members_that_share_a_row_are_each_found_in_it() -> None:
    ledger = Ledger(queue_rows(QUEUE), len("part_array"))
    states = {
        index: row.state
        for index in range(1, 81)
        if (row := ledger.of(Submitted(f"158_{index}", "t", "part_array", datetime.now(UTC), index)))
    }
    assert [index for index, state in states.items() if state == "RUNNING"] == [1, 2]
    assert sorted(set(range(1, 81)) - set(states)) == list(range(5, 32, 2))


def test_an_expression_that_was_cut_off_may_hold_any_member() -> None:
    ledger = Ledger(queue_rows((SAMPLES / "queue-cut.txt").read_text()), len("part_array"))
    row = ledger.of(Submitted("158_70", "t", "part_array", datetime.now(UTC), 70))
    assert row is not None
    assert row.state == "PENDING"


def test_an_array_that_was_cancelled_whole_speaks_for_its_members() -> None:
    whole = SEP.join(("132", "CANCELLED", "JobHeldUser", "cancelled_array"))
    ledger = Ledger(queue_rows(whole + "\n"), len("cancelled_array"))
    row = ledger.of(Submitted("132_7", "t", "cancelled_array", datetime.now(UTC), 7))
    assert row is not None
    assert row.state == "CANCELLED"


def test_a_row_of_another_name_is_another_job() -> None:
    ledger = Ledger(queue_rows(QUEUE), len("held"))
    assert ledger.of(Submitted(queued("held").id.number, "t", "mine", datetime.now(UTC))) is None


def test_usage_is_the_jobs_and_its_steps() -> None:
    seen = end("cancel_running")
    assert isinstance(seen, Exited)
    assert seen.usage == {"wall_s": 2.0, "cpu_s": 0.001, "max_rss_bytes": 2888 * 1024.0}


def answers(sample: str) -> list[tuple[str, Completed]]:
    """The commands of a sample and what each answered."""
    found = []
    for part in (SAMPLES / sample).read_text().split("\n$ "):
        command, _, rest = part.removeprefix("$ ").partition("\n")
        said, _, exit_ = rest.rpartition("[exit ")
        stdout, _, stderr = said.partition("[stderr]\n")
        if exit_:
            found.append((command, Completed(("sbatch",), int(exit_.split("]")[0]), stdout, stderr)))
    return found


def test_what_slurm_refuses_is_rejected_in_its_own_words() -> None:
    refused = [(command, done) for command, done in answers("sbatch-errors.txt") if not done.ok]
    assert len(refused) > 10
    for command, done in refused:
        assert isinstance(outcome(done), Rejected), f"{command}: {outcome(done)}"


def test_the_number_of_a_job_is_found_behind_noise() -> None:
    for stdout in ("12\n", "12;cluster\n", "Welcome to 7 nodes\nquota: 12\n\n12\n"):
        assert outcome(Completed(("sbatch",), 0, stdout, "sbatch: lua: hello")) == Accepted("12")
    assert isinstance(outcome(Completed(("sbatch",), 0, "Submitted nothing\n", "")), Uncertain)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Unable to contact slurm controller (connect failure)", Deferred),
        ("Slurm temporarily unable to accept job, sleeping and retrying", Deferred),
        ("Required partition not available (inactive or drain)", Deferred),
        ("AssocMaxSubmitJobLimit\nsbatch: error: Job violates accounting/QOS policy (job submit limit, ...)", Deferred),
        (
            "QOSMaxWallDurationPerJobLimit\nsbatch: error: Job violates accounting/QOS policy",
            Rejected,
        ),
        ("Munge encode failed: Failed to access the socket", Deferred),
        ("Socket timed out on send/recv operation", Uncertain),
        ("Zero Bytes were transmitted or received", Uncertain),
        ("Unable to contact slurm controller (receive failure)", Uncertain),
        ("Munge decode failed: Failed to access the socket", Uncertain),
        ("Protocol authentication error", Uncertain),
    ],
)
def test_an_error_of_sbatch_is_final_for_the_moment_or_uncertain(said: str, kind: type) -> None:
    done = Completed(("sbatch",), 1, "", f"sbatch: error: Batch job submission failed: {said}")
    assert isinstance(outcome(done), kind), outcome(done)
    assert isinstance(outcome(Completed(("sbatch",), None, "", done.stderr)), Uncertain), "stopped at its time limit"


def test_limits_of_partitions_are_those_of_their_largest_node() -> None:
    said = (
        "PartitionName=a Default=YES MaxTime=1-02:03:04 MaxCPUsPerNode=UNLIMITED TotalCPUs=99 MaxMemPerNode=UNLIMITED\n"
        "PartitionName=b Default=NO MaxTime=UNLIMITED MaxCPUsPerNode=4 TotalCPUs=99 MaxMemPerNode=1024\n"
    )
    found = with_nodes(partitions(said), "a|8|1000\na|16+|2000+\nb|8|64000\nnonsense\n")
    assert (found["a"].runtime_s, found["a"].cores, found["a"].memory) == (93784.0, 16, 2000 << 20)
    assert (found["b"].runtime_s, found["b"].cores, found["b"].memory) == (None, 4, 1024 << 20)


@given(st.sets(st.integers(1, 3000), min_size=1))
def test_indexes_are_written_as_slurm_reads_them(indexes: set[int]) -> None:
    row_id = parse_id(f"7_[{expression(indexes)}%3]")
    assert row_id is not None
    assert {index for span in row_id.members for index in span} == indexes


def mutated(sample: str) -> st.SearchStrategy[str]:
    """A sample with pieces of it, or anything, put in places of it."""
    piece = st.one_of(
        st.text(max_size=30), st.sampled_from(["\n", SEP, "_[", "%", "-", "...", "18446744073709551615", "\0", "N/A"])
    )
    edits = st.lists(st.tuples(st.integers(0, len(sample)), st.integers(0, 40), piece), min_size=1, max_size=6)

    def edit(changes: list[tuple[int, int, str]]) -> str:
        text = sample
        for at, length, new in changes:
            text = text[:at] + new + text[at + length :]
        return text

    return edits.map(edit)


@given(mutated(QUEUE))
def test_whatever_squeue_prints_is_read_without_an_error(text: str) -> None:
    rows = list(queue_rows(text))
    assert all(isinstance(meaning(row), OBSERVATIONS) for row in rows)
    Ledger(rows, 4).of(Submitted("158_7", "t", "part_array", datetime.now(UTC), 7))


@given(mutated(ACCOUNTING))
def test_whatever_sacct_prints_is_read_without_an_error(text: str) -> None:
    for row in accounting_rows(text):
        seen = meaning(row)
        assert isinstance(seen, OBSERVATIONS)
        if isinstance(seen, Exited):
            assert seen.reason is not None or seen.status == 0
            assert all(0 <= value < float("inf") for value in seen.usage.values())


@given(mutated((SAMPLES / "sbatch-errors.txt").read_text()), st.sampled_from([0, 1, 255, None]))
def test_whatever_sbatch_prints_has_an_outcome(text: str, status: int | None) -> None:
    assert isinstance(outcome(Completed(("sbatch",), status, "", text)), OUTCOMES)
    assert isinstance(outcome(Completed(("sbatch",), status, text, "")), OUTCOMES)


@given(st.text())
def test_whatever_scontrol_prints_is_read_without_an_error(text: str) -> None:
    with_nodes(partitions(text), text)
    assert array_size(text) is None or array_size(text) >= 1  # type: ignore[operator]
