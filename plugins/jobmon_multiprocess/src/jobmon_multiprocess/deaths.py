"""When the agent dies again and again, something kills it: that has to be said."""

from collections import deque

#: So many deaths in so short a time are no accident.
_MANY, _WITHIN_S = 3, 600.0


class Deaths:
    """The agent's deaths. Pure: the time is given, in seconds."""

    def __init__(self) -> None:
        self._at: deque[float] = deque()
        self._how = ""

    def another(self, now_s: float, how: str) -> None:
        """It died just now."""
        self._at.append(now_s)
        self._how = how

    def words(self, now_s: float) -> str:
        """That it keeps dying, and how; empty while it does not."""
        while self._at and now_s - self._at[0] > _WITHIN_S:
            self._at.popleft()
        if len(self._at) < _MANY:
            return ""
        return (
            f"its agent died {len(self._at)} times within {_WITHIN_S / 60:g} minutes, the last time {self._how}: "
            "look for what kills it, such as a task that uses up this host's memory"
        )
