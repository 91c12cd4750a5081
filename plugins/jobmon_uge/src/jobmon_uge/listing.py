"""What `qstat -xml` lists. Pure."""

import re
from xml.etree import ElementTree

from jobmon.plugins import Observation, Pending, Row, Running, Unknown
from jobmon_uge.answers import ranges

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&(?!(?:#\\d+|#x[0-9a-fA-F]+|[a-z]+);)")


def read_listing(text: str) -> list[Row]:
    """The rows of a complete answer: of an array's tasks in the same state one for each range.

    Raises:
        ValueError: it is not complete, or not understood.
    """
    start, end = text.find("<job_info"), text.rfind("</job_info>")
    try:
        # Names of other jobs may hold what XML does not allow, and some versions pass it on.
        root = ElementTree.fromstring(_NOT_XML.sub("?", text[max(start, 0) : end + len("</job_info>")]))
    except ElementTree.ParseError as error:
        raise ValueError(f"qstat's answer is no XML: {error}") from error
    return [row for element in root.iter("job_list") for row in _rows(element)]


def _rows(element: ElementTree.Element) -> list[Row]:
    job, name, state, tasks = (element.findtext(t) for t in ("JB_job_number", "JB_name", "state", "tasks"))
    found = ranges(tasks) if tasks else [range(0)]
    if job is None or not job.strip().isdecimal() or name is None or not found or (tasks and not all(found)):
        raise ValueError(f"qstat lists a job that cannot be understood: {job!r} {name!r} {tasks!r}")
    return [Row(job.strip(), name, (state or "").strip(), members) for members in found]


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
