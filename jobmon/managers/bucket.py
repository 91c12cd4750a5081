"""A token bucket: how often a platform may be called."""

import math


class TokenBucket:
    """Lets `burst` calls pass at once and `rate_per_s` in the long run. Pure: the time is given, nothing waits here."""

    def __init__(self, rate_per_s: float, burst: int, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self.limits = not math.isinf(rate_per_s)  #: else all pass, and nobody needs to ask
        self._burst = float(max(1, burst))
        self._level = self._burst
        self._filled_s = now_s

    def take(self, now_s: float) -> float:
        """Book one call; the seconds to wait before it may be made. Calls booked later wait longer."""
        if not self.limits:
            return 0.0
        elapsed_s = max(0.0, now_s - self._filled_s)
        self._level = min(self._burst, self._level + elapsed_s * self._rate_per_s) - 1.0
        self._filled_s = max(now_s, self._filled_s)
        return 0.0 if self._level >= 0 else -self._level / self._rate_per_s
