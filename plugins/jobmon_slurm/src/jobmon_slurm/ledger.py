"""Rows of the queue or of accounting, looked up by the attempt that they are about. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from jobmon.plugins import Submission, Submitted
from jobmon_slurm.listing import Row
from jobmon_slurm.meaning import ENDED


class Ledger:
    """Rows by the token that their names begin with; a row of another name is another's, whatever its id."""

    def __init__(self, rows: Iterable[Row], token_length: int) -> None:
        self._length = token_length
        self._singles: dict[tuple[str, int | None], list[Row]] = defaultdict(list)
        self._shared: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            token = row.name[:token_length]
            if row.id.members or row.id.cut:
                self._shared[token].append(row)
            else:
                self._singles[token, row.id.index].append(row)

    def of(self, one: Submitted | Submission) -> Row | None:
        """The row about an attempt, the last if there are several; None: there is none.

        A member of an array may have a row of its own or share one. An array that was cancelled whole before any
        member began has a row as if it were none.
        """
        token = one.job_name[: self._length]
        number = one.executor_job_id.split("_")[0] if isinstance(one, Submitted) else None
        own = self._of_number(self._singles.get((token, one.index), []), number)
        if own or one.index is None:
            return own[-1] if own else None
        shared = self._of_number(self._shared.get(token, []), number)
        sharing = [row for row in shared if row.id.covers(one.index)] or [row for row in shared if row.id.cut]
        whole = self._of_number(self._singles.get((token, None), []), number)
        ended = [row for row in whole if row.state.split(" ")[0] in ENDED]
        return next(iter([*sharing, *ended]), None)

    @staticmethod
    def _of_number(rows: list[Row], number: str | None) -> list[Row]:
        return [row for row in rows if number in (None, row.id.number)]


def id_of(row: Row, index: int | None) -> str:
    """The id that Jobmon gives to an attempt that has this row."""
    return row.id.number if index is None else f"{row.id.number}_{index}"
