"""What `[executors.NAME]` of jobmon.toml, and the table `uge` of a task's resources, may say of Grid Engine."""

import re
from typing import Any

import attrs

from jobmon.plugins import Resources, parse_runtime

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
    """The comment beside each field is its help."""

    queue: str | None = attrs.field(default=None, validator=_name)  #: queue, or list of them with commas
    project: str | None = attrs.field(default=None, validator=_name)
    account: str | None = attrs.field(default=None, validator=_name)  #: a word that the accounting keeps
    pe: str | None = attrs.field(default=None, validator=_name)  #: parallel environment that gives cores on one host
    cores_resource: str | None = attrs.field(default=None, validator=_name)  #: resource that counts cores: `fthread`
    memory_resources: tuple[str, ...] = attrs.field(default=("m_mem_free",), validator=_names)  #: all are asked for
    memory_per_slot: bool = True  #: in a parallel environment the cluster multiplies them by the slots
    runtime_resource: str | None = attrs.field(default="h_rt", validator=_name)
    gpu_resource: str | None = attrs.field(default=None, validator=_name)  #: resource that counts GPUs
    request: dict[str, str] = attrs.field(factory=dict, validator=_requests)  #: other resources, by name: `-l`
    hold: bool = False  #: submit with a user hold, to be released by `qrls`
    native: tuple[str, ...] = attrs.field(default=(), validator=_options)  #: further options of qsub, an item each
    verify: bool = True  #: have a job refused at once that no queue could ever run (`-w e`)
    array_limit: int = attrs.field(default=1000, validator=attrs.validators.ge(1))  #: 1: no arrays
    commands: str | None = None  #: folder of qsub and the others; None: found along PATH
    sge_root: str | None = None  #: None: as the environment says
    sge_cell: str | None = None  #: None: as the environment says
    accounting: str | None = None  #: the accounting file; None: where the cell has it
    accounting_wait: float = attrs.field(default=30.0, converter=parse_runtime)  #: how late it may know of an end
    query_timeout: float = attrs.field(default=25.0, converter=parse_runtime)  #: of qstat, qdel and qacct
    submit_timeout: float = attrs.field(default=60.0, converter=parse_runtime)  #: of qsub
    explain_every: float = attrs.field(default=20.0, converter=parse_runtime)  #: how often qstat is asked for reasons


@attrs.frozen
class OwnResources:
    """The table `uge`: for one task, in the place of the executor's settings (`request` and `native`: beside them)."""

    queue: str | None = attrs.field(default=None, validator=_name)
    project: str | None = attrs.field(default=None, validator=_name)
    pe: str | None = attrs.field(default=None, validator=_name)
    request: dict[str, str] = attrs.field(factory=dict, validator=_requests)
    native: tuple[str, ...] = attrs.field(default=(), validator=_options)


def problems_of(settings: Settings, resources: Resources) -> list[str]:
    """What no setting tells how to ask the cluster for, a sentence each."""
    own = resources.own or OwnResources()
    said = []
    if resources.cores > 1 and not (own.pe or settings.pe or settings.cores_resource):
        said.append(f"it asks for {resources.cores} cores: set `pe` or `cores_resource` of the executor")
    if resources.gpus and settings.gpu_resource is None:
        said.append(f"it asks for {resources.gpus} GPUs: set `gpu_resource` of the executor")
    return said
