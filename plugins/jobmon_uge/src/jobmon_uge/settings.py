"""What `[executors.NAME]` of jobmon.toml, and the table `uge` of a task's resources, may say of Grid Engine."""

import re
from typing import Any

import attrs

from jobmon.plugins import Resources, parse_runtime, setting

#: Options of qsub that this plugin sets itself, or that would show a secret or break what it relies on.
_OURS = frozenset(
    "-C -N -S -V -b -cwd -e -h -j -m -now -o -r -shell -sync -t -terse -v -verify -w -wd -@ -clear -help".split()  # noqa: SIM905
)


def _name(_instance: object, field: "attrs.Attribute[Any]", value: str | None) -> None:
    if value is not None and not re.fullmatch(r"[A-Za-z0-9_@*?!][\w.@*?!|&,()\[\]+-]*", value):
        raise ValueError(f"{field.name} = {value!r} is no name that Grid Engine could know")


def _names(instance: object, field: "attrs.Attribute[Any]", value: tuple[str, ...]) -> None:
    for one in value:
        _name(instance, field, one)


def _requests(instance: object, field: "attrs.Attribute[Any]", value: dict[str, str]) -> None:
    _names(instance, field, tuple(value))
    for name, wanted in value.items():
        if not re.fullmatch(r"[^\s,]+", wanted):
            raise ValueError(f"{field.name}: {name} = {wanted!r} must have no white space and no comma")


def _options(_instance: object, field: "attrs.Attribute[Any]", value: tuple[str, ...]) -> None:
    if value and not value[0].startswith("-"):
        raise ValueError(f"{field.name} begins with {value[0]!r}; each option and each of its values is one item")
    for one in value:
        if one in _OURS:
            raise ValueError(f"{field.name} has {one!r}, which Jobmon sets itself or must not use")
        if not one or not one.isprintable():
            raise ValueError(f"{field.name} has {one!r}, which is empty or has characters that cannot be printed")


@attrs.frozen
class Settings:
    """What `[executors.NAME]` may say."""

    queue: str | None = setting(None, validator=_name, help="queue, or several with commas")
    project: str | None = setting(None, validator=_name, help="project that the jobs are accounted to")
    account: str | None = setting(None, validator=_name, help="a word that the accounting keeps")
    pe: str | None = setting(None, validator=_name, help="parallel environment that gives cores on one host")
    cores_resource: str | None = setting(None, validator=_name, help="resource that counts cores, such as fthread")
    memory_resources: tuple[str, ...] = setting(
        ("m_mem_free",), validator=_names, help="resources by which memory is asked for; all of them"
    )
    memory_per_slot: bool = setting(True, help="in a parallel environment the cluster multiplies memory by the slots")
    runtime_resource: str | None = setting("h_rt", validator=_name, help="resource by which run time is asked for")
    gpu_resource: str | None = setting(None, validator=_name, help="resource that counts GPUs")
    request: dict[str, str] = setting(factory=dict, validator=_requests, help="other resources, by name")
    hold: bool = setting(False, help="submit with a user hold, to be released by qrls")
    native: tuple[str, ...] = setting((), validator=_options, help="further options of qsub, one item for each word")
    verify: bool = setting(True, help="have a job refused at once that no queue could ever run")
    array_limit: int = setting(1000, validator=attrs.validators.ge(1), help="tasks in one array; 1: no arrays")
    commands: str | None = setting(None, help="folder of qsub and the others, which else are found along PATH")
    sge_root: str | None = setting(None, help="SGE_ROOT, where the environment does not say it")
    sge_cell: str | None = setting(None, help="SGE_CELL, where the environment does not say it")
    accounting: str | None = setting(None, help="the accounting file, where it is not the cell's own")
    accounting_wait: float = setting(30.0, converter=parse_runtime, help="how late the accounting may know of an end")
    accounting_timeout: float = setting(
        600.0, converter=parse_runtime, help="how long the accounting may take to answer; nothing else waits for it"
    )
    accounting_patience: float = setting(
        1800.0,
        converter=parse_runtime,
        help="until a job that has left the queue counts as absent, while the accounting does not answer",
    )
    query_timeout: float = setting(25.0, converter=parse_runtime, help="how long qstat and qdel may take")
    submit_timeout: float = setting(60.0, converter=parse_runtime, help="how long qsub may take")
    explain_every: float = setting(20.0, converter=parse_runtime, help="how often qstat is asked why jobs wait")


@attrs.frozen
class OwnResources:
    """The table `uge`: for one task, in the place of the executor's settings (`request` and `native`: beside them)."""

    queue: str | None = setting(None, validator=_name, help="queue, or several with commas")
    project: str | None = setting(None, validator=_name, help="project that the job is accounted to")
    pe: str | None = setting(None, validator=_name, help="parallel environment that gives cores on one host")
    request: dict[str, str] = setting(factory=dict, validator=_requests, help="other resources, by name")
    native: tuple[str, ...] = setting((), validator=_options, help="further options of qsub, one item for each word")


def problems_of(settings: Settings, resources: Resources) -> list[str]:
    """What no setting tells how to ask the cluster for, a sentence each."""
    own = resources.own or OwnResources()
    said = []
    if resources.cores > 1 and not (own.pe or settings.pe or settings.cores_resource):
        said.append(f"it asks for {resources.cores} cores: set `pe` or `cores_resource` of the executor")
    if resources.gpus and settings.gpu_resource is None:
        said.append(f"it asks for {resources.gpus} GPUs: set `gpu_resource` of the executor")
    return said
