"""What a platform's listing or accounting has: rows, looked up by attempt, and what they mean. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import attrs

from jobmon.plugins.answer_parts import USAGE_KEYS, wrong_id, wrong_used
from jobmon.plugins.records import Exited, Observation, Pending, Running, Submission, Submitted, Unknown
from jobmon.plugins.wording import cut, shown
from jobmon.states.reasons import Reason

#: What a platform's word for a state may mean.
State = Pending | Running | Exited
_LONGEST_DETAIL = 1000
#: Rows of more members are searched; there are few of them in an array.
_FEW = 16


@attrs.frozen
class Row:
    """One line of a platform's listing or accounting: a job, or members of an array.

    A platform that lists each member by itself gives each a row; one that lists many together, one row with a range.
    """

    id: str  #: the platform's id; of members: the array's, without their indexes
    name: str  #: as the platform has it
    state: str  #: the platform's own word, a key of `states`
    #: Of an array: the indexes that the row is about, such as `(3,)` or `range(4, 900)`.
    members: tuple[int, ...] | range = ()
    status: int | None = None  #: the exit status, where the platform tells it
    usage: Mapping[str, float] = MappingProxyType({})  #: of `wall_s`, `cpu_s` and `max_rss_bytes` what it tells
    detail: str = ""  #: the platform's own words: why the job waits, or how it ended


class Rows:
    """The rows of a complete answer. A row of another name is another's, whatever its id."""

    def __init__(self, rows: Iterable[Row], *, name_length: int, member_id: Callable[[str, int], str]) -> None:
        self._name_length, self._member_id = name_length, member_id
        self._single: dict[tuple[str, int | None], list[Row]] = defaultdict(list)
        self._wide: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            name = row.name[:name_length]
            if len(row.members) > _FEW:
                self._wide[name].append(row)
            else:
                for index in row.members or (None,):
                    self._single[name, index].append(row)

    def of(self, one: Submitted | Submission) -> Row | None:
        """The row about an attempt: of its name, its place in an array and, where that is known, its id.

        Of several it is the last: the platform ran the job more than once.
        """
        name = one.job_name[: self._name_length]
        rows = self._single.get((name, one.index), [])
        if one.index is not None:
            rows = [row for row in self._wide.get(name, ()) if one.index in row.members] + rows
        if isinstance(one, Submitted):
            rows = [row for row in rows if self.id_of(row, one.index) == one.executor_job_id]
        return rows[-1] if rows else None

    def id_of(self, row: Row, index: int | None) -> str:
        """The id of an attempt that has this row."""
        return row.id if index is None else self._member_id(row.id, index)


def checked(rows: object) -> list[Row]:
    """What a parser made, if it is rows.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(rows, Iterable) or isinstance(rows, str | Mapping):
        raise ValueError(f"the parser made {shown(rows)} of it, no rows")
    found = list(rows)
    for row in found:
        if not isinstance(row, Row):
            raise ValueError(f"the parser made {shown(row)} of a part of it, no Row")
        if not all(isinstance(text, str) for text in (row.id, row.name, row.state, row.detail)):
            raise ValueError(f"the parser made {shown(row)}: id, name, state and detail are texts")
        if wrong := wrong_id(row.id):
            raise ValueError(f"the parser made {shown(row)}: {wrong}")
        if not isinstance(row.members, tuple | range) or any(type(index) is not int for index in _few(row.members)):
            raise ValueError(f"the parser made {shown(row)}: members are a tuple or a range of whole numbers")
        if type(row.status) not in (int, type(None)) or not isinstance(row.usage, Mapping):
            raise ValueError(f"the parser made {shown(row)}: the status is a whole number or None, the usage a mapping")
    return found


def _few(members: tuple[int, ...] | range) -> tuple[int, ...]:
    """A range may be long, and its numbers need no look."""
    return members if isinstance(members, tuple) else ()


def meaning(row: Row, states: Mapping[str, State], platform: str) -> Observation:
    """What a row says, by the platform's words.

    A success needs a word for it, `Exited(0)`, or a word for an end, `Exited()`, and the status 0; a status above 0
    makes either a failure.
    """
    state = states.get(row.state)
    if isinstance(state, Pending):
        return Pending(cut(row.detail or state.why, _LONGEST_DETAIL))
    if isinstance(state, Running):
        return state
    if isinstance(state, Exited):
        return _end(row, state, row.detail or state.detail or f"{platform}: {row.state}")
    return Unknown(f"{platform} says {shown(row.state)}, a state that this executor type does not know")


def _end(row: Row, state: Exited, detail: str) -> Exited:
    status = state.status if row.status is None else row.status
    reason = state.reason
    if status is not None and not 0 <= status <= 255:
        status, reason, detail = None, reason or Reason.UNKNOWN, f"{detail} (exit status {status})"
    elif reason is None and status is None:
        reason, detail = Reason.UNKNOWN, f"{detail} (without an exit status)"
    elif reason is None and status:
        reason = Reason.EXIT_NONZERO
    if reason is not None and status == 0:
        status = None  # of something else than the command
    return attrs.evolve(
        state, status=status, reason=reason, usage=_usage(row.usage), detail=cut(detail, _LONGEST_DETAIL)
    )


def _usage(told: Mapping[str, float]) -> Mapping[str, float]:
    """What of it can be: a text may say anything."""
    return {key: told[key] for key in USAGE_KEYS if key in told and not wrong_used(key, told[key])}
