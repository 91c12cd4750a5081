"""The executor, with what Grid Engine's commands answer written down: which it runs, and what it makes of them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from jobmon_uge import GridEngine, Settings

from jobmon.plugins import (
    Absent,
    Accepted,
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

SAMPLES = Path(__file__).parent / "samples"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN = "j01m87e4ta60vhz8z3x32vnp39v"
NAME = f"{TOKEN}-fit"
EMPTY = "<job_info><queue_info></queue_info><job_info></job_info></job_info>"
NO_RECORD = Completed(("qacct",), 1, "", "error: job name j* not found\n")
AWAY = Completed(("qstat",), 1, "", "error: commlib error: got select error (Connection refused)\n")
RECORD = (SAMPLES / "qacct-exit3.txt").read_text().replace("exit3 ", f"{NAME} ")


class Script(GridEngine):
    """Answers commands from a table and notes them; its clock stands still."""

    def __init__(self, **settings):
        super().__init__(Settings(**settings))
        self.ran, self.clock_s = [], 0.0
        self.answers = {"qstat": EMPTY, "qacct": NO_RECORD, "qdel": "", "qsub": "7\n"}

    def run(self, argv, *, timeout_s=30.0, stdin=""):
        self.ran.append(list(argv))
        answer = self.answers.get(" ".join(argv[:2]), self.answers[argv[0]])
        return answer if isinstance(answer, Completed) else Completed(tuple(argv), 0, answer, "")

    def monotonic(self):
        return self.clock_s

    def now(self):
        return NOON

    def commands(self):
        return [argv[0] for argv in self.ran]


class Context:
    """What the executor needs of its host."""

    def __init__(self, folder):
        self.log_folder = folder

    def output_path(self, *, token, index=""):
        return self.log_folder / f"{token}.{index}"


@pytest.fixture
def make(tmp_path, monkeypatch):
    monkeypatch.delenv("SGE_ROOT", raising=False)

    def started(**settings):
        executor = Script(**settings)
        executor.start(Context(tmp_path))
        return executor

    return started


@pytest.fixture
def executor(make):
    return make()


def listed(*rows):
    jobs = "".join(
        f"<job_list><JB_job_number>{number}</JB_job_number><JB_name>{name}</JB_name><state>{state}</state>"
        + (f"<tasks>{tasks}</tasks>" if tasks else "")
        + "</job_list>"
        for number, name, state, tasks in rows
    )
    return f"<job_info><queue_info>{jobs}</queue_info></job_info>"


def attempt(job="7", index=None):
    token = TOKEN if index is None else f"{TOKEN[:-1]}{index}"
    return Submitted(job if index is None else f"{job}.{index}", token, NAME, NOON, index)


def look(executor, one=None):
    one = one or attempt()
    return executor.observe(submitted=[one])[one.token]


def send(executor, **resources):
    request = SubmitRequest(TOKEN, NAME, "fit", Resources(**resources), ("python", "worker", "it's"))
    return dict(executor.submit(requests=[request]))[TOKEN]


# Submitting.


def test_after_a_refusal_to_take_more_the_rest_is_not_even_tried(executor):
    executor.answers["qsub"] = AWAY
    requests = [SubmitRequest(f"{TOKEN[:-1]}{i}", NAME, "fit", Resources()) for i in range(3)]
    outcomes = dict(executor.submit(requests=requests))
    assert [type(outcome) for outcome in outcomes.values()] == [Deferred] * 3
    assert executor.commands() == ["qsub"]


def test_the_members_of_an_array_have_their_places_in_their_ids(executor):
    executor.answers["qsub"] = "7.1-2:1\n"
    array = ArrayRequest(TOKEN, NAME, Resources(), ("python", "worker"), ("a", "b"))
    assert dict(executor.submit_array(array=array)) == {"a": Accepted("7.1"), "b": Accepted("7.2")}


def test_a_job_that_no_queue_can_run_is_refused_with_what_the_queues_have(make):
    executor = make(queue="short.q")
    executor.answers |= {
        "qsub": Completed(("qsub",), 1, "", "Unable to run job: error: no suitable queues\nExiting."),
        "qconf": "qname short.q\nh_rt 00:05:00\n",
    }
    outcome = send(executor, runtime=3600.0)
    assert isinstance(outcome, Rejected)
    assert "it asks for 3600 s, and queue short.q has h_rt = 00:05:00" in outcome.why
    assert [argv[argv.index("-w") + 1] for argv in executor.ran[:2]] == ["e", "v"]


def test_resources_that_cannot_be_asked_for_are_refused_without_a_call(executor):
    assert isinstance(send(executor, cores=4), Rejected)
    assert executor.ran == []


def test_a_folder_that_is_not_there_puts_off_and_one_that_qsub_cannot_name_refuses(executor, tmp_path):
    executor.context = Context(tmp_path / "gone")
    assert isinstance(send(executor), Deferred)
    executor.context = Context(tmp_path / "a,b")
    assert isinstance(send(executor), Rejected)
    assert executor.ran == []


def test_each_task_of_an_array_writes_a_file_of_its_own(executor):
    executor.answers["qsub"] = "7.1-2:1\n"
    list(executor.submit_array(array=ArrayRequest(TOKEN, NAME, Resources(), ("python",), ("a", "b"))))
    (argv,) = executor.ran
    assert argv[argv.index("-o") + 1].endswith(f"/{TOKEN}.$TASK_ID")


def test_the_host_of_qmaster_is_that_of_the_cell(make, tmp_path):
    assert make().cluster_host() is None
    assert make(sge_root=str(tmp_path)).cluster_host() is None
    (tmp_path / "lab" / "common").mkdir(parents=True)
    (tmp_path / "lab" / "common" / "act_qmaster").write_text("qmaster1\n")
    assert make(sge_root=str(tmp_path), sge_cell="lab").cluster_host() == "qmaster1"


# Observing.


def test_what_is_listed_needs_no_accounting(executor):
    executor.answers["qstat"] = listed(("7", NAME, "r", ""))
    assert look(executor) == Running()
    assert executor.commands() == ["qstat"]


def test_a_listed_job_of_another_name_is_not_ours_and_neither_is_its_record(executor):
    executor.answers |= {"qstat": listed(("7", "stranger", "r", "")), "qacct": RECORD.replace(NAME, "stranger ")}
    assert isinstance(look(executor, attempt("15")), Unknown)


def test_an_end_is_told_as_the_accounting_has_it(executor):
    executor.answers["qacct"] = RECORD
    number = RECORD.split("jobnumber")[1].split()[0]
    seen = look(executor, attempt(number))
    assert isinstance(seen, Exited)
    assert (seen.status, seen.reason) == (3, Reason.EXIT_NONZERO)


def test_what_is_neither_listed_nor_accounted_for_is_absent_only_after_the_wait(executor):
    assert isinstance(look(executor), Unknown)
    executor.clock_s = 29.0
    assert isinstance(look(executor), Unknown)
    executor.clock_s = 30.0
    assert look(executor) == Absent(NOON)


def test_a_job_that_is_listed_again_begins_its_wait_anew(executor):
    look(executor)
    executor.answers["qstat"] = listed(("7", NAME, "qw", ""))
    assert isinstance(look(executor), Pending)
    executor.answers["qstat"], executor.clock_s = EMPTY, 31.0
    assert isinstance(look(executor), Unknown)


@pytest.mark.parametrize("answer", [AWAY, Completed(("qstat",), None, "", ""), "", "no XML", EMPTY[:30]])
def test_a_listing_that_is_not_complete_is_an_outage(executor, answer):
    executor.answers["qstat"] = answer
    for ask in (
        lambda: look(executor),
        lambda: executor.cancel(submitted=[attempt()]),
        lambda: executor.find(submissions=[Submission(TOKEN, NAME, NOON)]),
    ):
        with pytest.raises(SchedulerUnavailable):
            ask()


def test_without_accounting_nothing_is_absent(make):
    executor = make(accounting="/no/such/file")
    executor.clock_s = 100.0
    assert isinstance(look(executor), Unknown)
    executor.clock_s = 200.0
    assert isinstance(look(executor), Unknown)
    assert isinstance(executor.find(submissions=[Submission(TOKEN, NAME, NOON)])[TOKEN], CannotTell)


def test_a_job_in_the_error_state_is_deleted_and_told_with_its_message(executor):
    reason = (SAMPLES / "qstat-j-error.txt").read_text()
    executor.answers |= {"qstat": listed(("84", NAME, "Eqw", "")), "qstat -j": reason}
    executor.answers["qdel"] = "ann has deleted job 84\n"
    seen = look(executor, attempt("84"))
    assert isinstance(seen, Exited)
    assert seen.reason is Reason.UNKNOWN
    assert "/no/such/dir/" in seen.detail
    assert executor.ran[-1] == ["qdel", "84"]
    executor.answers["qstat"] = EMPTY
    assert look(executor, attempt("84")) == seen


def test_a_job_in_the_error_state_that_cannot_be_deleted_has_not_ended(executor):
    executor.answers |= {"qstat": listed(("84", NAME, "Eqw", "")), "qstat -j": "", "qdel": AWAY}
    assert isinstance(look(executor, attempt("84")), Unknown)


def test_why_jobs_wait_is_asked_from_time_to_time(executor):
    executor.answers |= {"qstat": listed(("83", NAME, "qw", ""))}
    executor.answers["qstat -j"] = (SAMPLES / "qstat-j-pending.txt").read_text()
    for executor.clock_s in (0.0, 10.0, 19.0, 20.0):
        assert "offers only hc:m_mem_free" in look(executor, attempt("83")).why
    assert sum("-j" in argv for argv in executor.ran) == 2


# Cancelling and finding.


def test_only_listed_jobs_of_our_name_are_deleted_in_few_calls(executor):
    executor.answers["qstat"] = listed(("7", NAME, "qw", "1-4000:1"), ("8", "stranger", "r", ""), ("9", NAME, "r", ""))
    members = [Submitted(f"7.{i}", f"{TOKEN[:-4]}{i:04}", NAME, NOON, i) for i in range(1, 5001)]
    executor.cancel(submitted=[*members, attempt("8"), attempt("9"), attempt("10")])
    assert executor.ran[1:] == [["qdel", "7.1-4000", "9"]]


def test_what_was_deleted_while_it_waited_is_absent_at_once(executor):
    executor.answers |= {"qstat": listed(("7", NAME, "qw", "")), "qdel": "ann has deleted job 7\n"}
    executor.cancel(submitted=[attempt()])
    executor.answers["qstat"] = EMPTY
    assert look(executor) == Absent(NOON)


def test_submissions_are_found_in_the_listing_and_in_the_accounting(executor):
    sought = [Submission(TOKEN, NAME, NOON), Submission(f"{TOKEN[:-1]}2", f"{TOKEN[:-1]}0-fit", NOON, 2)]
    executor.answers["qstat"] = listed(("7", NAME, "qw", ""), ("8", f"{TOKEN[:-1]}0-fit", "qw", "1-3:1"))
    assert list(executor.find(submissions=sought).values()) == [Found("7"), Found("8.2")]
    assert executor.commands() == ["qstat"]
    executor.answers |= {"qstat": EMPTY, "qacct": RECORD}
    number = RECORD.split("jobnumber")[1].split()[0]
    assert executor.find(submissions=sought[:1])[TOKEN] == Found(number)


def test_a_submission_is_absent_only_after_the_accountings_wait(executor):
    sought = [Submission(TOKEN, NAME, NOON)]
    assert isinstance(executor.find(submissions=sought)[TOKEN], CannotTell)
    executor.clock_s = 30.0
    assert executor.find(submissions=sought)[TOKEN] == Absent(NOON)
