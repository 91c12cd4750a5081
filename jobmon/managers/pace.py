"""How often a platform is polled and how much is sent to it at once, from what that cost and brought so far."""

#: Polling may take up to this share of the executor's thread.
_BUSY_SHARE = 0.2
#: A submission should not keep observations and cancellations waiting longer than this.
_CALL_S = 2.0


class PollPace:
    """The pause before the next observation: short while attempts change, longer and longer while they do not.

    A change is so noticed within half the time since the one before. Pure: costs are given in seconds.
    """

    def __init__(self, least_s: float, most_s: float) -> None:
        self._least_s, self._most_s = least_s, max(least_s, most_s)
        self._pause_s = least_s

    def next_pause_s(self, *, changed: bool, cost_s: float) -> float:
        """The pause after an observation that took `cost_s`, and that did or did not show something new."""
        self._pause_s = self._least_s if changed else min(self._most_s, self._pause_s * 1.5)
        return max(self._pause_s, min(self._most_s, cost_s / _BUSY_SHARE))

    def hurry(self) -> float:
        """Something new is known to be on its way: the shortest pause."""
        self._pause_s = self._least_s
        return self._least_s


class BatchSize:
    """How many attempts to send in one submission, so that it lasts about two seconds. Pure."""

    def __init__(self, most: int, first: int = 100) -> None:
        self._most = max(1, most)
        self._times = 10
        self.size = min(first, self._most)

    def measured(self, sent: int, cost_s: float) -> None:
        """A submission of so many took so long."""
        fitting = self._most if cost_s <= 0 else int(_CALL_S * sent / cost_s)
        # A small submission says little about a large one: grow at most tenfold at a time.
        self.size = max(1, min(self._most, fitting, max(self.size, self._times * sent)))

    def put_off(self, taken: int) -> None:
        """Only so many of a submission were taken: send no more than that, and grow carefully from now on.

        Each attempt that is put off leaves a record.
        """
        self.size = max(1, min(self._most, taken))
        self._times = 2
