"""An executor on the base class for batch systems: its platform is a script of answers, its clock set by the test."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from jobmon.plugins import (
    ArrayRequest,
    BatchExecutor,
    Completed,
    Exited,
    Observation,
    Outcome,
    Pending,
    Reason,
    Resources,
    Row,
    Running,
    Submission,
    SubmitRequest,
    Submitted,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN, OTHER = "j" + "a" * 26, "j" + "b" * 26
NAME = f"{TOKEN}-fit"


class Lab(BatchExecutor):
    """Answers each command from `answers`, by its first word, and notes it in `ran`."""

    name = "lab"
    api_version = (1, 0)
    states = {  # noqa: RUF012
        "wait": Pending("it is in the queue"),
        "run": Running(),
        "end": Exited(),
        "done": Exited(0),
        "late": Exited(reason=Reason.TIMEOUT),
    }
    refusals = "refused"
    not_now = "cannot reach|too many jobs"
    too_large = r"at most (\d+) members|array too large"
    none_listed = "no jobs"

    def __init__(self, settings: object = None, **answers: str | Completed | list[str | Completed]) -> None:
        super().__init__(settings)
        self.answers = {"sub": "7\n", "list": "", "kill": ""} | answers
        self.ran: list[list[str]] = []
        self.clock_s = 0.0

    def run(self, argv: Sequence[str], **_: object) -> Completed:  # type: ignore[override]
        self.ran.append(list(argv))
        answer = self.answers[argv[0]]
        if isinstance(answer, list):
            answer = answer.pop(0)
        return answer if isinstance(answer, Completed) else Completed(tuple(argv), 0, answer, "")

    def monotonic(self) -> float:
        return self.clock_s

    def now(self) -> datetime:
        return NOON

    def submit_argv(self, request: SubmitRequest) -> Sequence[str]:
        return ["sub", request.job_name, *request.worker_argv]

    def submit_array_argv(self, array: ArrayRequest) -> Sequence[str]:
        return ["sub", array.job_name, str(len(array.members))]

    def parse_submission(self, done: Completed) -> str:
        return done.stdout.strip()

    def list_argv(self) -> Sequence[str]:
        return ["list"]

    def parse_list(self, text: str) -> Iterable[Row]:
        for line in text.splitlines():
            job_id, name, state, status, why = line.split("|")
            number, _, index = job_id.partition(".")
            first, _, last = index.partition("-")
            members = range(int(first), int(last or first) + 1) if index else ()
            yield Row(number, name, state, members, int(status) if status else None, {"wall_s": 2.0}, why)

    def cancel_argv(self, ids: Sequence[str]) -> Sequence[str]:
        return ["kill", *ids]


class AccountedLab(Lab):
    """The same with an accounting, the command `acct`."""

    def accounting_argv(self, since: datetime, names: Sequence[str]) -> Sequence[str]:
        return ["acct", since.isoformat(), ",".join(names)]


def line(job_id: str = "7", name: str = NAME, state: str = "run", status: str = "", why: str = "") -> str:
    """A line of the lab's listing or accounting."""
    return f"{job_id}|{name}|{state}|{status}|{why}\n"


def failed(stderr: str = "", stdout: str = "", status: int | None = 1) -> Completed:
    """A command's answer that is no success."""
    return Completed(("lab",), status, stdout, stderr)


def request(token: str = TOKEN) -> SubmitRequest:
    """An attempt to submit."""
    return SubmitRequest(token, f"{token}-fit", "fit", Resources(), ("worker", "it's"))


def array(count: int = 3) -> ArrayRequest:
    """An array to submit."""
    return ArrayRequest(TOKEN, NAME, Resources(), ("worker",), tuple(f"m{index}" for index in range(1, count + 1)))


def attempt(job_id: str = "7", token: str = TOKEN) -> Submitted:
    """An attempt that was submitted."""
    return Submitted(job_id, token, f"{token}-fit", NOON)


def member(index: int, number: str = "7") -> Submitted:
    """A member of an array that was submitted."""
    return Submitted(f"{number}.{index}", f"m{index}", NAME, NOON, index)


def sought(index: int | None = None) -> Submission:
    """An attempt, or a member of an array, to look for."""
    return Submission(TOKEN if index is None else f"m{index}", NAME, NOON, index)


def send(lab: Lab) -> Outcome:
    """What comes of one submission."""
    return dict(lab.submit(requests=[request()]))[TOKEN]


def look(lab: Lab) -> Observation:
    """What is said of one attempt."""
    return lab.observe(submitted=[attempt()])[TOKEN]
