"""What a partition allows: Slurm accepts jobs beyond it and lets them wait for ever. Pure."""

import re

import attrs

from jobmon.plugins import Resources


@attrs.frozen
class Limits:
    """The limits of one partition; None: there is none, or it is not known."""

    partition: str
    runtime_s: float | None = None
    cores: int | None = None  #: of one node
    memory: int | None = None  #: bytes, of one node


def partitions(text: str) -> dict[str, Limits]:
    """Limits by name from `scontrol --oneliner show partition`."""
    found = {}
    for line in text.splitlines():
        said = dict(word.split("=", 1) for word in line.split() if "=" in word)
        name = said.get("PartitionName")
        if name:
            memory = _number(said.get("MaxMemPerNode", ""))
            cores = [n for n in (_number(said.get("MaxCPUsPerNode", "")), _number(said.get("TotalCPUs", ""))) if n]
            found[name] = Limits(
                name, _seconds(said.get("MaxTime", "")), min(cores, default=None), memory and memory * (1 << 20)
            )
    return found


def with_nodes(limits: dict[str, Limits], text: str) -> dict[str, Limits]:
    """The limits, none larger than the largest node of the partition, of `sinfo --format='%R|%c|%m'`."""
    most: dict[str, tuple[int, int]] = {}
    for line in text.splitlines():
        match = re.fullmatch(r"([^|]+)\|([0-9]+)\+?\|([0-9]+)\+?", line.strip())
        if match is not None:
            cores, mebibytes = most.get(match[1], (0, 0))
            most[match[1]] = max(cores, int(match[2])), max(mebibytes, int(match[3]))
    return {key: _within(one, most.get(one.partition)) for key, one in limits.items()}


def _within(one: Limits, node: tuple[int, int] | None) -> Limits:
    if node is None:
        return one
    cores, memory = node[0], node[1] << 20
    return attrs.evolve(one, cores=min(one.cores or cores, cores), memory=min(one.memory or memory, memory))


def beyond(limits: Limits, resources: Resources) -> list[str]:
    """What the partition would never let run, a sentence each."""
    wrong = []
    where = f"partition {limits.partition}"
    if limits.runtime_s is not None and (resources.runtime or 0) > limits.runtime_s:
        wrong.append(f"runtime of {resources.runtime:g} s is above the {limits.runtime_s:g} s that {where} allows")
    if limits.cores is not None and resources.cores > limits.cores:
        wrong.append(f"{resources.cores} cores are more than the {limits.cores} of a node of {where}")
    if limits.memory is not None and (resources.memory or 0) > limits.memory:
        mebibytes = (resources.memory or 0) >> 20
        wrong.append(f"{mebibytes} MiB of memory are more than the {limits.memory >> 20} of a node of {where}")
    return wrong


def array_size(config: str) -> int | None:
    """The members that an array may have, of `scontrol show config`: indexes stay below MaxArraySize."""
    match = re.search(r"^MaxArraySize\s*=\s*([0-9]+)\s*$", config, re.MULTILINE)
    return max(1, int(match[1]) - 1) if match else None


def controller(config: str) -> str | None:
    """The address or name of the controller's host, of `scontrol show config`: `SlurmctldHost[0] = head(10.0.0.1)`."""
    match = re.search(r"^SlurmctldHost\[0\]\s*=\s*([^\s()]+)(?:\(([^\s()]+)\))?\s*$", config, re.MULTILINE)
    return (match[2] or match[1]) if match else None


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _seconds(text: str) -> float | None:
    match = re.fullmatch(r"(?:([0-9]{1,9})-)?([0-9]{1,9}):([0-9]{1,2}):([0-9]{1,2})", text)
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(days * 86400 + hours * 3600 + minutes * 60 + seconds)
