"""How every other process of Jobmon talks to the server; the only place that knows `requests`."""

from jobmon.requester.connecting import connect
from jobmon.requester.reach import workers_url
from jobmon.requester.requester import Requester

__all__ = ["Requester", "connect", "workers_url"]
