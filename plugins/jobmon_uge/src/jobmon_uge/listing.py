"""What `qstat -xml` lists. Pure."""

import re
from xml.etree import ElementTree

import attrs

from jobmon.plugins import Observation, Pending, Running, Submission, Submitted, Unknown
from jobmon_uge.answers import ranges

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&(?!(?:#\\d+|#x[0-9a-fA-F]+|[a-z]+);)")


@attrs.frozen
class Row:
    """One or more tasks of a job in the same state."""

    job: str
    name: str
    state: str
    tasks: tuple[range, ...] = ()  #: none: a job that is no array


class Listing:
    """Rows, to be looked up by id and name."""

    def __init__(self, rows: list[Row]) -> None:
        self.ids: dict[str, str] = {}  #: by the token of the submission
        self._rows: dict[tuple[str, int | None], Row] = {}
        self._wide: dict[str, list[Row]] = {}
        for row in rows:
            self.ids[key_of_name(row.name)] = row.job
            if not row.tasks:
                self._rows[row.job, None] = row
            elif len(row.tasks) == 1 and len(row.tasks[0]) == 1:
                self._rows[row.job, row.tasks[0][0]] = row
            else:
                self._wide.setdefault(row.job, []).append(row)

    def row(self, one: Submitted) -> Row | None:
        """The row of an attempt; a row of that id whose name does not carry the token is another job's."""
        job, _, _ = one.executor_job_id.partition(".")
        row = self._rows.get((job, one.index))
        if row is None and one.index is not None:
            row = next((r for r in self._wide.get(job, ()) if any(one.index in tasks for tasks in r.tasks)), None)
        return row if row is not None and row.name.startswith(key_of(one)) else None


def key_of(one: Submitted | Submission) -> str:
    """The token of the submission of an attempt: its own, or its array's, which is as long."""
    return key_of_name(one.job_name)


def key_of_name(name: str) -> str:
    """The token that begins a job's name, if it is one of Jobmon's: `j` and 26 characters."""
    return name[:27]


def read_listing(text: str) -> Listing:
    """The rows of a complete answer.

    Raises:
        ValueError: it is not complete, or not understood.
    """
    start, end = text.find("<job_info"), text.rfind("</job_info>")
    try:
        # Names of other jobs may hold what XML does not allow, and some versions pass it on.
        root = ElementTree.fromstring(_NOT_XML.sub("?", text[max(start, 0) : end + len("</job_info>")]))
    except ElementTree.ParseError as error:
        raise ValueError(f"qstat's answer is no XML: {error}") from error
    return Listing([_row(element) for element in root.iter("job_list")])


def _row(element: ElementTree.Element) -> Row:
    job, name, state, tasks = (element.findtext(t) for t in ("JB_job_number", "JB_name", "state", "tasks"))
    found = tuple(ranges(tasks)) if tasks else ()
    if job is None or not job.strip().isdecimal() or name is None or (tasks and not found):
        raise ValueError(f"qstat lists a job that cannot be understood: {job!r} {name!r} {tasks!r}")
    return Row(job.strip(), name, (state or "").strip(), found)


def is_error(state: str) -> bool:
    """Grid Engine could not start it, and keeps it until somebody deletes it or has it try again."""
    return "E" in state


def observation_of(state: str, why: str = "") -> Observation:
    """What a state other than an error means."""
    if "q" in state or "w" in state:
        if "h" in state:
            return Pending(f"held ({state}): by its user, an operator, or for another job")
        return Pending(why or f"in the queue ({state})")
    if "t" in state and not set(state) & set("rsSTNP"):
        return Pending(f"sent to its host, which has not said yet that it runs ({state})")
    if set(state) & set("rsSTNP"):
        return Running()
    return Unknown(f"Grid Engine lists it in state {state!r}")
