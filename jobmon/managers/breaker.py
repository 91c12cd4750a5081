"""A circuit breaker: a platform that does not answer is left alone for a while, longer each time."""

from collections.abc import Callable


def backoff_s(failures: int, jitter: float, *, first_s: float = 1.0, most_s: float = 60.0) -> float:
    """The pause after so many failures in a row: doubled each time, up to `most_s`; `jitter` (0 to 1) takes up to half.

    Jitter spreads hosts that lost the same platform, so that they do not all come back to it in one instant.
    """
    return min(most_s, first_s * 2.0 ** min(failures - 1, 30)) * (1.0 - 0.5 * jitter)


class Breaker:
    """Whether one platform may be called. Pure: the time and the jitter are given."""

    def __init__(self, jitter: Callable[[], float], *, first_s: float = 1.0, most_s: float = 60.0) -> None:
        self._jitter = jitter
        self._first_s, self._most_s = first_s, most_s
        self.failures = 0  #: in a row
        self.why = ""  #: the last failure's text
        self._retry_at_s = 0.0

    def failed(self, now_s: float, why: str) -> None:
        """The platform did not answer."""
        self.failures += 1
        self.why = why
        self._retry_at_s = now_s + backoff_s(self.failures, self._jitter(), first_s=self._first_s, most_s=self._most_s)

    def succeeded(self) -> None:
        """The platform answered."""
        self.failures = 0
        self._retry_at_s = 0.0

    def wait_s(self, now_s: float) -> float:
        """Seconds until the platform may be called again; 0: now."""
        return max(0.0, self._retry_at_s - now_s) if self.failures else 0.0
