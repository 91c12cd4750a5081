"""What `[executors.NAME]` of jobmon.toml, and a task's `"slurm"` resources, may say."""

import re
from typing import Any, Literal

import attrs

from jobmon.plugins import setting

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


def _said(words: str) -> Any:
    return setting(None, validator=_word, help=words)


def _listed(words: str) -> Any:
    return setting(factory=tuple, validator=_options, help=words)


def _seconds(default: float, words: str) -> Any:
    return setting(default, validator=attrs.validators.gt(0), help=words)


def _count(words: str) -> Any:
    return setting(None, validator=attrs.validators.optional(attrs.validators.ge(1)), help=words)


#: What Slurm's commands get, and through sbatch the jobs.
_ENVIRONMENT = ("HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "PATH", "SLURM_CONF")


@attrs.frozen
class Settings:
    """How this executor uses Slurm. What a task may say, too, in its resources, is the task's to override."""

    partition: str | None = _said("partition, or several with commas; none: the cluster's default")
    account: str | None = _said("who is charged; none: the user's default")
    qos: str | None = _said("quality of service")
    constraint: str | None = _said("features that nodes must have, as --constraint takes them")
    reservation: str | None = _said("a reservation to run in")
    gpu_type: str | None = _said('type of GPU, such as "a100"')
    whole_nodes: bool = setting(False, help="share nodes with no other job")
    hold: bool = setting(False, help="submit held: nothing runs until `scontrol release`")
    options: tuple[str, ...] = _listed('further options of sbatch, one a string, such as "--exclude=node7"')
    gpu_option: Literal["gres", "gpus"] = setting("gres", help="how GPUs are asked for: --gres=gpu:N or --gpus=N")
    memory_option: Literal["mem", "mem-per-cpu"] = setting("mem", help="how memory is asked for")
    check_limits: bool = setting(True, help="refuse what the partition's limits would keep pending for ever")
    array_size: int | None = _count("members of an array at most; none: as many as Slurm takes; 1: no arrays")
    array_running: int | None = _count("members of one array that run at once; none: no limit")
    cluster: str | None = _said("of several clusters, this one")
    bin: str | None = _said("the folder of Slurm's commands; none: they are on PATH")
    environment: tuple[str, ...] = setting(
        _ENVIRONMENT, help="the variables that Slurm's commands get, and through sbatch the jobs; nothing secret"
    )
    submit_timeout_s: float = _seconds(60.0, "for one sbatch, which itself may try for 49 s")
    query_timeout_s: float = _seconds(30.0, "for one squeue, scancel, scontrol or sinfo")
    accounting_timeout_s: float = _seconds(600.0, "for one sacct, for which nothing else waits")
    accounting_patience_s: float = _seconds(
        1800.0, "until a job that has left the queue counts as absent, while accounting does not answer"
    )


@attrs.frozen
class SlurmResources:
    """A task's own wishes, `{"slurm": {"partition": "long"}}`; none: as the executor's settings say."""

    partition: str | None = _said("partition, or several with commas")
    account: str | None = _said("who is charged")
    qos: str | None = _said("quality of service")
    constraint: str | None = _said("features that nodes must have")
    reservation: str | None = _said("a reservation to run in")
    gpu_type: str | None = _said('type of GPU, such as "a100"')
    whole_nodes: bool | None = setting(None, help="share nodes with no other job")
    hold: bool | None = setting(None, help="submit held")
    options: tuple[str, ...] = _listed("further options of sbatch, after those of the settings")

    @property
    def certain_place(self) -> bool:
        """It names a partition, and nothing that may lift the limits of it or lead elsewhere."""
        elsewhere = any(option.startswith(("--p", "--q", "--r")) for option in self.options)  # also abbreviated
        return bool(self.partition) and not (self.qos or self.reservation or elsewhere)


def wishes(settings: Settings, own: SlurmResources | None) -> SlurmResources:
    """What is asked for in the end: the task's word where it has one, else the executor's."""
    own = own or SlurmResources()
    said = {f.name: getattr(own, f.name) for f in attrs.fields(SlurmResources)}
    merged = {name: getattr(settings, name) if value is None else value for name, value in said.items()}
    return SlurmResources(**merged | {"options": (*settings.options, *own.options)})
