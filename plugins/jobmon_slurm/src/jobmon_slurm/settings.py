"""What `[executors.NAME]` of jobmon.toml, and a task's `"slurm"` resources, may say."""

import re
from typing import Any, Literal

import attrs

#: What the plugin itself says to sbatch. Slurm takes abbreviations of these, too.
_OURS = (
    *("array", "bell", "chdir", "clusters", "cpus-per-task", "error", "export", "export-file", "get-user-env", "gid"),
    *("help", "input", "job-name", "mem", "mem-per-cpu", "nodes", "no-requeue", "ntasks", "open-mode", "output"),
    *("parsable", "quiet", "requeue", "test-only", "time", "uid", "usage", "verbose", "version", "wait", "wrap"),
)
_OPTION = re.compile(r"--([a-z][a-z0-9-]*)(=.*)?")


def _options(_instance: object, field: "attrs.Attribute[tuple[str, ...]]", value: tuple[str, ...]) -> None:
    for option in value:
        form = _OPTION.fullmatch(option)
        if form is None:
            raise ValueError(f"{field.name}: {option!r} is not of the form --name or --name=value, one option each")
        if any(ours == form[1] or ours.startswith(form[1]) for ours in _OURS):
            raise ValueError(f"{field.name}: --{form[1]} is said by Jobmon itself; there are settings and resources")


def _word(_instance: object, field: "attrs.Attribute[str | None]", value: str | None) -> None:
    if value is not None and (not value or not value.isprintable()):
        raise ValueError(f"{field.name} = {value!r} is no word for Slurm")


def _said() -> Any:
    return attrs.field(default=None, validator=_word)


def _listed() -> Any:
    return attrs.field(factory=tuple, validator=_options)


def _seconds(default: float) -> Any:
    return attrs.field(default=default, validator=attrs.validators.gt(0))


def _count() -> Any:
    return attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))


@attrs.frozen
class Settings:
    """How this executor uses Slurm. What a task may say, too, in its resources, is the task's to override."""

    partition: str | None = _said()  #: None: the cluster's default
    account: str | None = _said()  #: who is charged; None: the user's default
    qos: str | None = _said()  #: quality of service
    constraint: str | None = _said()  #: features that nodes must have
    reservation: str | None = _said()
    gpu_type: str | None = _said()  #: such as "a100"
    whole_nodes: bool = False  #: share nodes with no other job
    hold: bool = False  #: submit held: nothing runs until `scontrol release`
    options: tuple[str, ...] = _listed()  #: further options of sbatch, such as "--exclude=node7"
    gpu_option: Literal["gres", "gpus"] = "gres"  #: how GPUs are asked for: --gres=gpu:N or --gpus=N
    memory_option: Literal["mem", "mem-per-cpu"] = "mem"  #: how memory is asked for
    check_limits: bool = True  #: refuse what the partition's limits would keep pending for ever
    array_size: int | None = _count()  #: members of an array at most; None: as many as Slurm takes; 1: no arrays
    array_running: int | None = _count()  #: members of one array that run at once; None: no limit
    cluster: str | None = _said()  #: of several clusters, this one
    bin: str | None = _said()  #: the folder of sbatch and the others; None: they are on PATH
    environment: tuple[str, ...] = ("HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "PATH", "SLURM_CONF")
    #: the variables that Slurm's commands get, and jobs from sbatch; nothing secret
    submit_timeout_s: float = _seconds(60.0)  #: for one sbatch, which itself tries for 49 s
    query_timeout_s: float = _seconds(30.0)  #: for one squeue, sacct, scancel or scontrol


@attrs.frozen
class SlurmResources:
    """A task's own wishes, `{"slurm": {"partition": "long"}}`; None: as the executor's settings say."""

    partition: str | None = _said()
    account: str | None = _said()
    qos: str | None = _said()
    constraint: str | None = _said()
    reservation: str | None = _said()
    gpu_type: str | None = _said()
    whole_nodes: bool | None = None
    hold: bool | None = None
    options: tuple[str, ...] = _listed()  #: after those of the settings


def wishes(settings: Settings, own: SlurmResources | None) -> SlurmResources:
    """What is asked for in the end: the task's word where it has one, else the executor's."""
    own = own or SlurmResources()
    said = {f.name: getattr(own, f.name) for f in attrs.fields(SlurmResources)}
    merged = {name: getattr(settings, name) if value is None else value for name, value in said.items()}
    return SlurmResources(**merged | {"options": (*settings.options, *own.options)})
