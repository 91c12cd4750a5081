"""That workers on other hosts will find what they need, seen to before anything of a workflow starts."""

from collections.abc import Iterable, Iterator

from jobmon.config import NamedExecutor
from jobmon.errors import ConfigurationError
from jobmon.managers.folders import check_shared
from jobmon.plugins import Placement, SchedulerUnavailable, answers
from jobmon.requester import Requester, workers_url


def make_reachable(executors: Iterable[NamedExecutor], requester: Requester) -> Iterator[str]:
    """Have the server listen where remote workers of these executors reach it; says where, a line for each address.

    Raises:
        ConfigurationError: it cannot, or the folder that is shared with the workers cannot be written.
    """
    users: dict[str, list[str]] = {}
    unshared = []
    for named in executors:
        check_shared(named.name, named.host.shared_folder)
        if named.cls.placement is not Placement.REMOTE:
            continue
        server = named.server
        try:
            url = workers_url(requester, host=server.host, port=server.port, cluster=_cluster_host(named))
        except ConfigurationError as error:
            raise ConfigurationError(f"workers of executor {named.name!r} run on other hosts, and {error}") from error
        users.setdefault(url, []).append(named.name)
        if url != requester.url and named.host.shared_folder is None and requester.data_folder is not None:
            unshared.append(named.name)
    for url, names in users.items():
        if url != requester.url:
            yield f"the server listens at {url}, too, for workers of {', '.join(names)}"
    for name in unshared:  # the database is on no network file system: likely nothing beside it is
        yield (
            f"workers of {name} look for their files below {requester.data_folder}; if their hosts do not see that, "
            f"set shared_folder under [executors.{name}.host] and log_folder under [workflow]"
        )


def _cluster_host(named: NamedExecutor) -> str | None:
    """None when the cluster does not answer here, or wrongly: the manager asks again, and speaks of it."""
    try:
        return answers.host(named.ask(lambda executor: executor.cluster_host()))[0]
    except SchedulerUnavailable:
        return None
