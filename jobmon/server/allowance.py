"""How often a worker may write: each write is kept for an hour, and a worker has little to say."""

from collections import OrderedDict

from jobmon.errors import InvalidRequest

#: Writes of one attempt; a start, an end and what it gives back are three, and repetitions under their ids are free.
_MOST_WRITES = 50
_REMEMBERED = 10_000


class Allowance:
    """Counts the writes of the attempts that have written last."""

    def __init__(self) -> None:
        self._written: OrderedDict[str, int] = OrderedDict()

    def take(self, attempt: str) -> None:
        """One more write of the worker of an attempt.

        Raises:
            InvalidRequest: it has had them all.
        """
        written = self._written[attempt] = self._written.pop(attempt, 0) + 1
        if len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)
        if written > _MOST_WRITES:
            raise InvalidRequest(f"the worker of attempt {attempt} has written {_MOST_WRITES} times, which is the most")
