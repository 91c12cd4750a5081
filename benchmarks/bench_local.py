"""Real commands and calls on this machine, 2 at a time, beside others that do the same."""

from collections.abc import Sequence

from benchmarks import records
from benchmarks.client import Request
from benchmarks.peers import Peer, make, ninja, xargs
from benchmarks.runs import Run, cpu_ms_per_job, run
from benchmarks.scratch import scratch
from benchmarks.setting import Setting


def true(setting: Setting) -> None:
    """The command `true`, again and again."""
    for n in (200,) if setting.quick else (2_000, 10_000, 50_000):
        request = Request("flat", n, "local", "")
        _beside(setting, "true", request, (xargs(n), ninja(n)), target="0.7 of xargs or more")


def layers(setting: Setting) -> None:
    """`true` in layers, each command after three of the layer before."""
    n, width = (200, 20) if setting.quick else (2_000, 100)
    request = Request("layers", n, "local", "", width=width)
    _beside(setting, "true in layers", request, (ninja(n, width), make(n, width)))


def calls(setting: Setting) -> None:
    """Python calls that return their argument, in two warm interpreters."""
    n = 200 if setting.quick else 10_000
    peers = (setting.peers.python_calls("parsl", n), setting.peers.python_calls("huey", n))
    _beside(setting, "Python calls", Request("calls", n, "local", ""), peers)


def _beside(setting: Setting, name: str, request: Request, peers: Sequence[Peer], *, target: str = "") -> None:
    """Jobmon and the peers in turn, as often as there are repeats; rates, and ratios of medians to each peer."""
    n = request.n
    here, missing = setting.peers.among(*peers)
    runs: list[Run] = []
    seconds: dict[str, list[float]] = {}
    for _ in range(setting.repeats):
        runs.append(_once(setting, request))
        setting.peers_once(here, seconds)
    whole = [n / r.timings.run_s for r in runs]
    no_starts = [n / r.spans.bind_to_done_s for r in runs]
    from_claim = [n / r.spans.claim_to_done_s for r in runs]
    rates = {peer: [n / s for s in taken] for peer, taken in seconds.items()}
    setting.results.take(
        name,
        "jobs/s",
        n,
        whole,
        target=target,
        peers={**rates, **missing},
        without_starting_client_and_server=no_starts,
        from_the_first_claim=from_claim,
        cpu_ms_per_job=cpu_ms_per_job(runs, n),
        **{
            f"of_{peer}": {
                "run": _ratios(whole, theirs),
                "without_starting_client_and_server": _ratios(no_starts, theirs),
                "from_the_first_claim": _ratios(from_claim, theirs),
            }
            for peer, theirs in rates.items()
        },
    )


def _once(setting: Setting, request: Request) -> Run:
    with scratch(setting.parent) as where:
        done = run(where, Request(request.shape, request.n, request.executor, str(where.path), request.width))
        records.check_all_done(where.database, request.n)
        if request.shape == "calls":
            records.check_values(where.database, request.n)
    return done


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Of each repeat to the peer's run that followed it."""
    return [round(a / b, 3) for a, b in zip(ours, theirs, strict=True)]
