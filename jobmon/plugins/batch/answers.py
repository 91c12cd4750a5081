"""What a platform's commands answered, and what that means. Pure: what is not understood is never certain."""

import re
from collections.abc import Callable

from jobmon.plugins.batch.rows import Row, checked
from jobmon.plugins.command import Completed
from jobmon.plugins.records import Accepted, Deferred, Outcome, Rejected, SchedulerUnavailable, Uncertain
from jobmon.plugins.wording import cut, said, shown

_MOST = 1000
_LONGEST_ID = 200
_NOT_NOW_S = 10.0


def words(done: Completed) -> str:
    """A command's words, in one line, of bounded length."""
    text = cut(f"{done.stderr}\n{done.stdout}", _MOST)
    how = "gave no answer in time" if done.timed_out else f"exited with {done.status}"
    return text or f"{done.argv[0]} {how} and said nothing"


def matches(pattern: str, done: Completed, *, job_name: str = "") -> "re.Match[str] | None":
    """Where a command's words have the pattern; an empty pattern is nowhere.

    The job's name, of which the user made a part, is none of the command's words.
    """
    text = f"{done.stderr}\n{done.stdout}"
    if job_name:
        text = text.replace(job_name, "")
    return re.search(pattern, text, re.IGNORECASE | re.MULTILINE) if pattern else None


def is_all(pattern: str, done: Completed) -> bool:
    """Whether each line of a command's words has the pattern, and there is one."""
    lines = [line for line in f"{done.stderr}\n{done.stdout}".splitlines() if line.strip()]
    return bool(pattern and lines) and all(re.search(pattern, line, re.IGNORECASE) for line in lines)


def is_id(found: object) -> bool:
    """Whether it can be an id: one word that no command would take for an option."""
    return isinstance(found, str) and len(found) <= _LONGEST_ID and bool(re.fullmatch(r"(?!-)[!-~]+", found))


def outcome(done: Completed, found: object, *, job_name: str, refusals: str, not_now: str) -> Outcome:
    """What came of a submission: `found` is what a parser made of its answer, an id if it has one."""
    told = words(done)
    if done.ok and isinstance(found, str) and is_id(found):
        return Accepted(found)
    if done.ok:
        made = said(found) if isinstance(found, Exception) else shown(found)
        return Uncertain(f"it gave no id (parse_submission made {made} of it); it said: {told}")
    if done.status is None:
        return Uncertain(f"{done.argv[0]} gave no answer in time; it said: {told}")
    if done.status < 0 or is_id(found):
        return Uncertain(f"{done.argv[0]} exited with {done.status}; it said: {told}")
    if matches(not_now, done, job_name=job_name):
        return Deferred(told, _NOT_NOW_S)
    return Rejected(told) if matches(refusals, done, job_name=job_name) else Uncertain(told)


def rows(done: Completed, parse: Callable[[str], object], *, none_listed: str) -> list[Row]:
    """The rows of a complete answer.

    Raises:
        SchedulerUnavailable: it is none.
    """
    if not done.timed_out and is_all(none_listed, done):
        return []
    done.check()
    try:
        found = checked(parse(done.stdout))
    except (NotImplementedError, SchedulerUnavailable):
        raise
    except Exception as error:
        raise SchedulerUnavailable(f"what {done.argv[0]} printed is not understood: {said(error)}") from error
    if not found and done.stderr.strip() and not done.stdout.strip():
        raise SchedulerUnavailable(f"{done.argv[0]} listed nothing, and said: {words(done)}")
    return found
