"""What Grid Engine's commands print, as captured, and as no Grid Engine would."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobmon_uge.accounting import read_line, read_qacct
from jobmon_uge.answers import deleted, explanations, ranges, run_limits, submitted
from jobmon_uge.ends import exited
from jobmon_uge.listing import observation_of, read_listing

from jobmon.plugins import (
    Accepted,
    ArrayRefused,
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
from jobmon.plugins.batch.rows import Rows

SAMPLES = Path(__file__).parent / "samples"


def sample(name):
    return (SAMPLES / name).read_text()


def captured(name):
    """Each command of a sample: what it was, and what it answered."""
    for text in re.split(r"^\$ ", sample(name), flags=re.MULTILINE)[1:]:
        command, _, rest = text.partition("\n")
        out, _, status = rest.rpartition("[exit ")
        stdout, _, stderr = out.partition("[stderr]\n")
        yield command, Completed((command,), int(status.split("]")[0]), stdout, stderr)


def answer_to(start, name="qsub-errors.txt"):
    return next(done for command, done in captured(name) if start in command)


def text_of(samples):
    return "".join(sample(path.name) for path in sorted(SAMPLES.glob(samples)))


# qsub

LOST = "Unable to run job: failed receiving gdi request response for mid=1 (got syncron message receive timeout error)."


def test_ids_are_read_from_every_form_of_acceptance():
    seen = []
    for command, done in captured("qsub-accepted.txt"):
        if "-t 1-6:2" in command:
            continue
        seen.append(submitted(done, 3 if "-t " in command else None))
    assert seen == [Accepted(number) for number in ("3", "4", "6", "7", "8", "9", "10")]


@pytest.mark.parametrize("noise", ["Welcome to node1\n", "loading 12 modules\n\n", "3.1-7:1\n"])
def test_noise_before_the_id_is_passed_over(noise):
    assert submitted(Completed(("qsub",), 0, noise + "8\n", ""), None) == Accepted("8")
    assert submitted(Completed(("qsub",), 0, f"42\n{noise}8.1-3:1\n", ""), 3) == Accepted("8")


REFUSED = [
    "-q nosuch.q job.sh",
    "nosuch=1",
    "-w e -l m_mem_free",
    "-pe nosuch",
    "-P nosuch",
    "-N 1name",
    "no-such-script",
]


@pytest.mark.parametrize("start", [*REFUSED, "h_rt=abc", "-zz", "hostname=nosuchhost"])
def test_what_can_never_be_taken_is_rejected_with_the_platforms_words(start):
    done = answer_to(start)
    outcome = submitted(done, None)
    assert isinstance(outcome, Rejected), outcome
    assert done.stderr.splitlines()[0] in outcome.why
    assert "Exiting." not in outcome.why


def test_an_array_that_is_too_large_is_refused_as_an_array():
    with pytest.raises(ArrayRefused) as refused:
        submitted(answer_to("-t 1-2000000"), 2000000)
    assert refused.value.limit == 1000000


@pytest.mark.parametrize(
    "text",
    [
        "Unable to run job: job rejected: Only 10 jobs are allowed per user (current job count: 10).\nExiting.",
        "Unable to run job: job rejected: only 5 jobs are allowed for the cluster.\nExiting.",
    ],
)
def test_a_full_cluster_defers(text):
    assert isinstance(submitted(Completed(("qsub",), 25, "", text), None), Deferred)


def test_a_qmaster_that_is_down_defers():
    assert isinstance(submitted(answer_to("qsub", "controller-down.txt"), None), Deferred)


@pytest.mark.parametrize(
    "done",
    [
        Completed(("qsub",), None, "", ""),
        Completed(("qsub",), None, "8\n", ""),
        Completed(("qsub",), 0, "", ""),
        Completed(("qsub",), 0, "8.1-4:1\n", ""),
        Completed(("qsub",), 1, "8\n", ""),
        Completed(("qsub",), -9, "", ""),
        Completed(("qsub",), 1, "", "Segmentation fault"),
        Completed(("qsub",), 1, "", LOST),
    ],
)
def test_what_may_have_arrived_is_uncertain(done):
    assert isinstance(submitted(done, None), Uncertain)


@given(st.integers(-15, 255) | st.none(), st.text(), st.text())
def test_garbage_never_becomes_an_accepted_array(status, stdout, stderr):
    try:
        outcome = submitted(Completed(("qsub",), status, stdout, stderr), 3)
    except ArrayRefused:
        return
    assert not isinstance(outcome, Accepted) or re.search(r"\d\.1-3:1", stdout)


# qdel and qstat -j


def test_what_was_deleted_while_pending_is_known():
    gone = set().union(*(deleted(done.stdout) for _, done in captured("qdel.txt")))
    assert gone == {("80", None), ("84", None), ("85", None), *(("87", i) for i in range(30, 41))}
    assert deleted("root has deleted job-array task 5.1\nroot has deleted job-array tasks 3,4 of job 11\n") == {
        ("5", 1), ("11", 3), ("11", 4),
    }  # fmt: skip


def test_reasons_are_read_from_the_detailed_listing():
    told = explanations(sample("qstat-j-error.txt") + sample("qstat-j-pending.txt") + sample("qstat-j-running.txt"))
    assert told["84"] == 'error: can\'t open output file "/no/such/dir/": No such file or directory'
    assert told["83"].endswith('cannot run at host "node1" because it offers only hc:m_mem_free=63.000G')


DISABLED = """
==============================================================
job_number:                 3
hard_queue_list:            short.q
scheduling info:            queue instance "short.q@node1" dropped because it is disabled
                            cannot run in queue "all.q" because it is not contained in its hard queue list (-q)
"""


def test_a_job_whose_own_queue_is_disabled_says_so_and_nothing_of_other_queues():
    assert explanations(DISABLED) == {"3": 'queue instance "short.q@node1" dropped because it is disabled'}


def test_a_queue_that_a_job_does_not_ask_for_is_no_reason_for_its_wait():
    text = DISABLED.replace("short.q\n", "all.q,long*\n").replace(
        "not contained in its hard queue list (-q)", "only offers 0 slots"
    )
    assert explanations(text) == {"3": 'cannot run in queue "all.q" because it is only offers 0 slots'}
    anywhere = text.replace("hard_queue_list:            all.q,long*\n", "")
    assert explanations(anywhere)["3"].startswith(
        'queue instance "short.q@node1" dropped because it is disabled; cannot'
    )


@given(st.text())
def test_garbage_in_the_other_answers_raises_nothing(text):
    deleted(text), explanations(text), ranges(text)
    explanations(f"{'=' * 60}\njob_number:   7\n{text}")
    deleted(f"root has deleted job-array tasks {text} of job 11")


def test_the_run_time_limits_of_queues_are_read():
    text = "qname all.q\nh_rt   INFINITY\n\nqname   short.q\ns_rt INFINITY\nh_rt    00:05:00,[node1=1:0:0]\n"
    assert run_limits(text) == {"short.q": "00:05:00"}


# qstat -xml


def attempt(job, name, index=None):
    token = name[:27]
    return Submitted(job if index is None else f"{job}.{index}", token, name, None, index)


def states(rows, *attempts):
    listing = Rows(rows, name_length=100, member_id="{}.{}".format)
    return [row.state if (row := listing.of(one)) else None for one in attempts]


@pytest.mark.parametrize("name", ["qstat.xml", "qstat-r-g_d.xml"])
def test_jobs_and_tasks_are_found_by_id_and_name(name):
    listing = read_listing(sample(name))
    single = [
        attempt("77", "running"),
        attempt("80", "user_hold"),
        attempt("84", "bad_output"),
        attempt("99", "running"),
    ]
    assert states(listing, *single) == ["r", "hqw", "Eqw", None]
    array = [attempt("87", "array", i) for i in (1, 4, 40, 41)] + [attempt("88", "array_mixed", i) for i in (1, 2, 4)]
    assert states(listing, *array) == ["r", "qw", "qw", None, None, "Eqw", "r"]


def test_a_row_of_another_name_is_another_job():
    listing = read_listing(sample("qstat.xml"))
    assert states(listing, attempt("77", "mine"), attempt("87", "mine", 5), attempt("87", "array")) == [None] * 3


@pytest.mark.parametrize(
    ("state", "seen"),
    [
        *((state, Pending) for state in ("qw", "hqw", "hRwq", "t", "Rt", "dt")),
        *((state, Running) for state in ("r", "Rr", "dr", "s", "S", "T")),
        *((state, Unknown) for state in ("", "?", "z")),
    ],
)
def test_a_state_means_what_grid_engine_means(state, seen):
    assert isinstance(observation_of(state), seen)


def test_an_answer_that_broke_off_is_no_answer():
    text = sample("qstat.xml")
    for end in range(0, len(text) - len("</job_info>\n"), 97):
        with pytest.raises(ValueError):
            read_listing(text[:end])


def test_a_strangers_name_that_is_no_xml_hides_nobody():
    text = sample("qstat.xml").replace("waits_for_job", "a & b \x01")
    assert states(read_listing("motd\n" + text), attempt("77", "running")) == ["r"]


@st.composite
def mutated(draw, text):
    """A text with pieces cut out, doubled, or replaced."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 200)))
        text = text[:start] + draw(st.sampled_from(["", text[start:end] * 2]) | st.text(max_size=10)) + text[end:]
    return text


@given(mutated(sample("qstat.xml")))
def test_a_mutated_listing_is_read_or_refused(text):
    try:
        listing = read_listing(text)
    except ValueError:
        return
    for row in states(listing, attempt("77", "running"), attempt("87", "array", 5)):
        assert row is None or isinstance(observation_of(row), Observation)


# Accounting

ENDS = {
    "success": (0, None), "exit3": (3, Reason.EXIT_NONZERO), "notfound": (127, Reason.EXIT_NONZERO),
    "child137": (137, Reason.EXIT_NONZERO), "notify": (7, Reason.EXIT_NONZERO), "s_rt_trap": (5, Reason.EXIT_NONZERO),
    "h_vmem_malloc": (1, Reason.EXIT_NONZERO), "exit99": (0, None), "h_rt": (137, Reason.TIMEOUT),
    "s_rt": (138, Reason.TIMEOUT), "xcpu": (137, Reason.TIMEOUT), "h_vmem_shell": (137, Reason.OUT_OF_MEMORY),
    "qdel_running": (137, Reason.SIGNALLED), "sigkill": (137, Reason.SIGNALLED), "sigterm": (143, Reason.SIGNALLED),
    "segv": (139, Reason.SIGNALLED), "noshell": (None, Reason.UNKNOWN), "binshelln": (None, Reason.UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_every_kind_of_end_has_its_status_and_reason(name):
    end = exited([*read_qacct(sample(f"qacct-{name}.txt"))][-1])
    assert (end.status, end.reason) == ENDS[name]
    assert end.detail.startswith("failed ")


def test_the_tasks_of_an_array_have_a_record_each():
    assert [record.task for record in read_qacct(sample("qacct-array.txt"))] == [1, 2, 3, 4]


def test_usage_is_told_in_bytes_and_seconds():
    usage = exited(next(read_qacct(sample("qacct-h_rt.txt")))).usage
    assert usage["wall_s"] == 4
    assert usage["max_rss_bytes"] == pytest.approx(4596 * 1024, rel=1e-3)
    (line,) = [line for line in sample("accounting.txt").splitlines() if ":over_h_rt:" in line]
    assert exited(read_line(line)).usage == pytest.approx(usage | {"cpu_s": 0.015498}, rel=1e-3)
    assert exited(read_line(line)).reason is Reason.TIMEOUT


def test_lines_of_the_file_say_what_qacct_says():
    records = [record for line in sample("accounting.txt").splitlines() if (record := read_line(line))]
    assert len(records) == 14
    assert [(r.job, r.task, exited(r).reason) for r in records[1:6]] == [
        ("61", None, Reason.SIGNALLED), ("68", None, Reason.UNKNOWN), ("55", None, None),
        ("56", None, Reason.TIMEOUT), ("75", 1, Reason.EXIT_NONZERO),
    ]  # fmt: skip


def test_a_deletion_that_the_platform_tells_of_is_a_cancellation():
    text = sample("qacct-qdel_running.txt").replace("category ", "deleted_by   ann@node1\ncategory ")
    end = exited(next(read_qacct(text)))
    assert end.reason is Reason.CANCELLED
    assert "deleted by ann@node1" in end.detail
    assert exited(next(read_qacct(text)), (), "root").reason is Reason.CANCELLED


def test_a_deletion_by_its_own_user_is_that_users_cancellation():
    text = sample("qacct-qdel_running.txt").replace("category ", "deleted_by   ann@node1\ncategory ")
    assert exited(next(read_qacct(text)), (), "ann").reason is Reason.CANCELLED_BY_USER


@given(mutated(text_of("qacct-*.txt")))
def test_mutated_records_are_read_or_left_out(text):
    for record in read_qacct(text):
        assert isinstance(exited(record, ("m_mem_free",)), Exited)


@given(mutated(sample("accounting.txt")))
def test_mutated_lines_are_read_or_left_out(text):
    for line in text.splitlines():
        record = read_line(line)
        assert record is None or isinstance(exited(record), Exited)
