"""The command lines of Grid Engine, as lists of words. Pure."""

import math
import shlex
from collections.abc import Iterable, Sequence
from itertools import groupby

from jobmon.plugins import Resources
from jobmon_uge.settings import OwnResources, Settings

_MB = 1 << 20


def program(settings: Settings, name: str) -> list[str]:
    """One of Grid Engine's commands, with its environment where the settings give it."""
    given = {"SGE_ROOT": settings.sge_root, "SGE_CELL": settings.sge_cell}
    variables = [f"{key}={value}" for key, value in given.items() if value is not None]
    path = name if settings.commands is None else f"{settings.commands}/{name}"
    return ["/usr/bin/env", *variables, path] if variables else [path]


def submission(
    settings: Settings, resources: Resources, *, job_name: str, output: str, count: int | None = None
) -> list[str]:
    """The qsub of a script on standard input: one job, or an array of `count` tasks."""
    own = resources.own or OwnResources()
    # What must hold whatever a site's defaults (sge_request) say: no rerun, no mail, no lines of the script as options.
    argv = [*program(settings, "qsub"), "-terse", "-N", job_name, "-S", "/bin/sh", "-b", "n", "-C", "", "-r", "n"]
    argv += ["-m", "n", "-wd", "/", "-j", "y", "-o", output, "-w", "e" if settings.verify else "n"]
    if count is not None:
        argv += ["-t", f"1-{count}"]
    if settings.hold:
        argv.append("-h")
    named = {"-q": own.queue or settings.queue, "-P": own.project or settings.project, "-A": settings.account}
    for option, value in named.items():
        if value is not None:
            argv += [option, value]
    pe = own.pe or settings.pe
    if pe and resources.cores > 1:
        argv += ["-pe", pe, str(resources.cores)]
    for name, value in _requests(settings, resources, own):
        argv += ["-l", f"{name}={value}"]
    return [*argv, *settings.native, *own.native]


def queues(settings: Settings, resources: Resources) -> list[str]:
    """The qconf that shows the queues that are asked for by name; none where there are none."""
    own = resources.own or OwnResources()
    names = [name.partition("@")[0] for name in (own.queue or settings.queue or "").split(",")]
    named = [name for name in names if name and not set(name) & set("*?![|&()")]
    return [*program(settings, "qconf"), "-sq", ",".join(named)] if named else []


def _requests(settings: Settings, resources: Resources, own: OwnResources) -> Iterable[tuple[str, object]]:
    if settings.cores_resource is not None:
        yield settings.cores_resource, resources.cores
    if resources.memory is not None:
        in_pe = bool(own.pe or settings.pe) and settings.memory_per_slot
        megabytes = math.ceil(resources.memory / (resources.cores if in_pe else 1) / _MB)
        for name in settings.memory_resources:
            yield name, f"{megabytes}M"
    if resources.runtime is not None and settings.runtime_resource is not None:
        yield settings.runtime_resource, math.ceil(resources.runtime)
    if resources.gpus and settings.gpu_resource is not None:
        yield settings.gpu_resource, resources.gpus
    yield from (settings.request | own.request).items()


def script(worker_argv: Sequence[str], *, array: bool) -> str:
    """What the job runs: the worker, in the place of the shell."""
    return f"exec {shlex.join(worker_argv)}" + (' "$SGE_TASK_ID"\n' if array else "\n")


def listing(settings: Settings, user: str) -> list[str]:
    """The qstat of all jobs of a user: pending tasks of an array together, running ones each by itself."""
    return [*program(settings, "qstat"), "-xml", "-u", user]


def explanation(settings: Settings, jobs: Iterable[str]) -> list[str]:
    """The qstat that tells why jobs wait, or could not be started."""
    return [*program(settings, "qstat"), "-j", ",".join(jobs)]


def accounting(settings: Settings, user: str, days: int) -> list[str]:
    """The qacct of all attempts of a user that began in the last days."""
    return [*program(settings, "qacct"), "-o", user, "-d", str(days), "-j", "j*"]


def deletions(settings: Settings, jobs: Iterable[tuple[str, int | None]], *, chunk: int = 200) -> Iterable[list[str]]:
    """The qdels of jobs and array tasks, so many words each: `8`, `12.3`, `12.5-900`."""
    by_job = groupby(sorted(jobs, key=lambda one: (one[0], one[1] or 0)), key=lambda one: one[0])
    words = [word for job, tasks in by_job for word in _words(job, [task for _, task in tasks])]
    for start in range(0, len(words), chunk):
        yield [*program(settings, "qdel"), *words[start : start + chunk]]


def _words(job: str, tasks: Sequence[int | None]) -> Iterable[str]:
    if None in tasks:
        yield job
        return
    # Tasks in a row have the same distance from their place in the list.
    for _, run in groupby(enumerate(sorted({task or 0 for task in tasks})), key=lambda at: at[1] - at[0]):
        numbers = [number for _, number in run]
        yield f"{job}.{numbers[0]}" + (f"-{numbers[-1]}" if len(numbers) > 1 else "")
