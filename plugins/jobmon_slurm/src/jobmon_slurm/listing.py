"""squeue and sacct: their command lines and their rows. Pure; a line that is no row is passed over."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import attrs

#: Between the columns: no name, state or reason has it.
SEP = "\x1f"
#: Have both write array expressions in full.
WHOLE_EXPRESSIONS = {"SLURM_BITSTR_LEN": "0"}
QUEUE_COLUMNS = SEP.join(("%i", "%T", "%r", "%j"))
_ACCOUNT_COLUMNS = ("JobID", "State", "ExitCode", "DerivedExitCode", "ElapsedRaw", "TotalCPU", "MaxRSS", "JobName")
_ID = re.compile(r"([0-9]{1,18})(?:_(?:([0-9]{1,18})|\[([0-9,:%.-]*)\]?))?(?:\.(\w+))?")
_K = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


@attrs.frozen
class RowId:
    """Whom a row is about: a job, a member of an array, or several members that share the row."""

    number: str
    index: int | None = None
    members: tuple[range, ...] = ()
    cut: bool = False  #: the expression of the members was cut off
    step: str | None = None  #: of accounting: a part of the job, such as `batch`

    @property
    def n(self) -> int:
        """How many jobs the row is about."""
        return sum(len(span) for span in self.members) or 1

    def covers(self, index: int) -> bool:
        """Whether the member is one of those that share the row."""
        return any(index in span for span in self.members)


@attrs.frozen
class Row:
    """A row of the queue or of accounting. The last three are accounting's."""

    id: RowId
    state: str
    reason: str
    name: str
    exit_code: str = ""
    derived: str = ""
    usage: dict[str, float] = attrs.field(factory=dict)


def queue_argv(user: str) -> list[str]:
    """All jobs of the user, those among them that ended a short while ago."""
    return ["--noheader", "--all", "--states=all", f"--user={user}", f"--format={QUEUE_COLUMNS}"]


def accounting_argv(user: str, since: datetime, *, ids: Sequence[str] = (), names: Sequence[str] = ()) -> list[str]:
    """Everything that accounting has of these, also of further jobs with the same ids. A start is always said.

    Without one sacct looks at the time since midnight.
    """
    return [
        *("--parsable2", "--noheader", "--duplicates", f"--delimiter={SEP}", f"--user={user}"),
        f"--format={','.join(_ACCOUNT_COLUMNS)}",
        f"--starttime={since.astimezone():%Y-%m-%dT%H:%M:%S}",
        *([f"--jobs={','.join(ids)}"] if ids else []),
        *([f"--name={','.join(names)}"] if names else []),
    ]


def queue_rows(text: str) -> Iterator[Row]:
    """The rows of squeue."""
    for cells in _cells(text, 4):
        if (row_id := parse_id(cells[0])) is not None:
            yield Row(row_id, cells[1], cells[2], cells[3])


def accounting_rows(text: str) -> Iterator[Row]:
    """The rows of sacct, a job's own before those of its steps, whose use of memory becomes the job's."""
    rows: list[Row] = []
    for cells in _cells(text, len(_ACCOUNT_COLUMNS)):
        row_id = parse_id(cells[0])
        if row_id is None:
            continue
        row = Row(row_id, cells[1], "", cells[7], cells[2], cells[3], _usage(cells[4], cells[5], cells[6]))
        if row_id.step is None:
            rows.append(row)
        elif rows and attrs.evolve(row_id, step=None) == rows[-1].id:
            rows[-1] = _with_step(rows[-1], row)
    yield from rows


def _with_step(job: Row, step: Row) -> Row:
    most = max(job.usage.get("max_rss_bytes", 0.0), step.usage.get("max_rss_bytes", 0.0))
    return attrs.evolve(job, usage=job.usage | ({"max_rss_bytes": most} if most else {}))


def _cells(text: str, count: int) -> Iterable[list[str]]:
    for line in text.split("\n"):
        cells = line.split(SEP)
        if len(cells) == count:
            yield cells


def parse_id(text: str) -> RowId | None:
    """`12`, `12_3`, `12_[1-4,7%2]`, cut off or not, and steps such as `12.batch`; None for anything else."""
    match = _ID.fullmatch(text.strip())
    if match is None:
        return None
    number, index, expression, step = match.groups()
    if expression is None:
        return RowId(number, None if index is None else int(index), step=step)
    return RowId(number, members=_spans(expression), cut="..." in expression or not text.rstrip().endswith("]"))


def _spans(expression: str) -> tuple[range, ...]:
    spans = []
    for part in expression.split("%")[0].split(","):
        match = re.fullmatch(r"([0-9]{1,18})(?:-([0-9]{1,18})(?::([0-9]{1,18}))?)?", part)
        if match is not None:
            first, last, by = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
            spans.append(range(first, last + 1, max(by, 1)))
    return tuple(spans)


def _usage(elapsed: str, cpu: str, rss: str) -> dict[str, float]:
    usage: dict[str, float] = {}
    if re.fullmatch(r"[0-9]{1,18}", elapsed):
        usage["wall_s"] = float(elapsed)
    match = re.fullmatch(r"(?:([0-9]{1,9})-)?(?:([0-9]{1,9}):)?([0-9]{1,9}):([0-9]{1,9}(?:\.[0-9]+)?)", cpu)
    if match is not None:
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        usage["cpu_s"] = days * 86400 + hours * 3600 + minutes * 60 + seconds
    match = re.fullmatch(r"([0-9]{1,18}(?:\.[0-9]+)?)([KMGT]?)", rss)
    if match is not None and float(match[1]) > 0:
        usage["max_rss_bytes"] = float(match[1]) * _K[match[2]]
    return usage


def expression(indexes: Iterable[int]) -> str:
    """Indexes as Slurm writes them: `1-4,7`."""
    parts: list[list[int]] = []
    for index in sorted(set(indexes)):
        if parts and index == parts[-1][-1] + 1:
            parts[-1][1:] = [index]
        else:
            parts.append([index])
    return ",".join("-".join(map(str, part)) for part in parts)
