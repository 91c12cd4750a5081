"""How every other process of Jobmon talks to the server; the only place that knows `requests`."""

from jobmon.requester.connecting import connect
from jobmon.requester.embedded import Listen
from jobmon.requester.requester import Requester

__all__ = ["Listen", "Requester", "connect"]
