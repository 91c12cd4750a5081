"""Each method of an executor, called once, as its host does in the life of one attempt."""

from collections.abc import Callable, Iterator

from jobmon.plugins import Accepted, Submitted
from jobmon.testing.world import World, find_is_defined


def every_call(world: World) -> Iterator[tuple[str, Callable[[], object]]]:
    """The methods' names, and what calls each: to be called in this order."""
    request = world.requests()[0]
    unstarted = world.made()
    attempts: list[Submitted] = []

    def submit() -> None:
        outcome = world.submit([request]).of(request.token)
        attempts.extend([world.submitted(request, outcome)] if isinstance(outcome, Accepted) else [])

    def start() -> None:
        world.executor = world.new_executor()

    def call(what: str) -> tuple[str, Callable[[], object]]:
        return what, lambda: world.call(what, getattr(world.executor, what))

    yield (
        "check_resources",
        lambda: world.call("check_resources", lambda: unstarted.check_resources(resources=request.resources)),
    )
    yield "cluster_host", lambda: world.call("cluster_host", unstarted.cluster_host)
    yield call("stop")
    yield "start", start
    yield call("running_limit")
    yield call("array_limit")
    yield "submit", submit
    yield "observe", lambda: world.observe(attempts)
    if find_is_defined(world):
        yield "find", lambda: world.find(attempts or [request])
    yield "cancel", lambda: world.cancel(attempts)
    yield "settled", lambda: world.call("settled", lambda: world.executor.settled(tokens=[request.token]))
    yield call("stop")
    yield "start", start
