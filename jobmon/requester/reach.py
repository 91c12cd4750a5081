"""How workers on other hosts reach the server: at which address of this host, and that it listens there."""

from urllib.parse import urlsplit

from jobmon.requester.addresses import address_towards, is_loopback
from jobmon.requester.requester import Requester
from jobmon.wire import routes
from jobmon.wire.health import Listen


def workers_url(requester: Requester, *, host: str | None, port: int | None, cluster: str | None) -> str:
    """The URL at which workers on other hosts reach the server, which listens there from now on, if it did not.

    `host` and `port` are what the user wants, `cluster` is a host of the cluster. A server that is not reached through
    loopback from here is reached by the workers as it is from here.

    Raises:
        ConfigurationError: the server cannot listen there, or no address can be told.
    """
    if not is_loopback(urlsplit(requester.url).hostname or ""):
        return requester.url
    wanted = host or address_towards(cluster)
    if is_loopback(wanted):
        return requester.url
    return requester.call(routes.LISTEN, Listen(wanted, port)).url
