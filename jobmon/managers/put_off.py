"""A platform that takes nothing for the moment: since when, why, and when it is tried again."""

from datetime import datetime

from jobmon.managers.breaker import backoff_s

#: The pause between two tries grows up to this, or up to what the platform asks for, if that is more.
_MOST_S = 60.0


class PutOff:
    """Tries that were put off in a row. Each pause is twice as long as the one before. Pure: the time is given."""

    def __init__(self) -> None:
        self._tries = 0
        self._since: datetime | None = None
        self._why = ""
        self._retry_at_s = self._soonest_s = 0.0

    def again(self, now_s: float, now: datetime, why: str, retry_after_s: float) -> None:
        """A try was put off: it need not be made again before `retry_after_s`."""
        if now_s < self._retry_at_s:  # one that was on its way already
            return
        self._tries += 1
        self._since = self._since or now
        self._why = why
        pause_s = backoff_s(self._tries, 0.0, first_s=retry_after_s, most_s=max(retry_after_s, _MOST_S))
        self._soonest_s, self._retry_at_s = now_s + retry_after_s, now_s + pause_s

    def room(self) -> None:
        """A place may have become free: try again as soon as the platform allows."""
        self._retry_at_s = min(self._retry_at_s, self._soonest_s)

    def over(self) -> None:
        """The platform took something, or nothing is left to give to it."""
        self._tries, self._since = 0, None
        self._retry_at_s = self._soonest_s = 0.0

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next try; 0: now."""
        return max(0.0, self._retry_at_s - now_s)

    def words(self) -> str:
        """Since when and why, for `status`; empty when nothing is put off. It changes with the reason alone."""
        if self._since is None:
            return ""
        return f"the platform takes no more jobs since {self._since:%Y-%m-%d %H:%M:%S} UTC: {self._why}"
