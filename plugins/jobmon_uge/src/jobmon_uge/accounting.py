"""Records of jobs that have ended: from lines of the accounting file, or from what qacct prints. Pure."""

import re
from collections.abc import Iterator

import attrs

_UNITS = {"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


@attrs.frozen
class Record:
    """How one job or array task ended, as Grid Engine tells it."""

    name: str
    job: str
    task: int | None  #: None: it was no array
    ended_s: float  #: since the epoch; 0: it never began
    failed: int
    status: int
    wall_s: float
    cpu_s: float
    rss_bytes: float
    vmem_bytes: float
    slots: int
    where: str  #: queue and host
    requested: str  #: the options that it was submitted with, as far as the accounting keeps them
    deleted_by: str = ""  #: some versions tell who


def read_line(line: str) -> Record | None:
    """The record of a line of the accounting file (see accounting(5)); None for what is none."""
    part = line.rstrip("\n").split(":")
    try:
        return Record(
            name=part[4],
            job=str(int(part[5])),
            task=int(part[35]) or None,
            ended_s=_instant(part[10]) or _instant(part[8]) if part[9] != "0" else 0.0,
            failed=int(part[11]),
            status=int(part[12]),
            wall_s=_amount(part[13]),
            cpu_s=_amount(part[36]),
            rss_bytes=_amount(part[16]) * 1024,
            vmem_bytes=_amount(part[42]),
            slots=int(part[34]),
            where=f"{part[0]}@{part[1]}",
            requested=part[39],
        )
    except (IndexError, ValueError):
        return None


def _instant(text: str) -> float:
    value = _amount(text)
    return value / 1000 if value > 1e11 else value  # some versions count milliseconds


def _amount(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(f"{text} is no amount")
    return value


def read_qacct(text: str) -> Iterator[Record]:
    """The records that `qacct -j` prints, in the order of the ends; what is not understood is left out."""
    for block in re.split(r"^={20,}\s*$", text, flags=re.MULTILINE):
        value = dict(re.findall(r"^(\w+)[ \t]+(.*?)[ \t]*$", block, re.MULTILINE))
        try:
            yield Record(
                name=value["jobname"],
                job=str(int(value["jobnumber"])),
                task=None if value["taskid"] == "undefined" else int(value["taskid"]),
                ended_s=0.0,
                failed=int(value["failed"].split()[0]),  # the number, then words
                status=int(value["exit_status"].split()[0]),
                wall_s=_measure(value.get("ru_wallclock", "0")),
                cpu_s=_measure(value.get("cpu", "0")),
                # The kernel's kilobytes, which qacct takes for bytes: 4512 kB are printed as "4.406KB".
                rss_bytes=_measure(value.get("ru_maxrss", "0")) * 1024,
                vmem_bytes=_measure(value.get("maxvmem", "0")),
                slots=int(value.get("slots", "1")),
                where=f"{value.get('qname', '?')}@{value.get('hostname', '?')}",
                requested=value.get("category", ""),
                deleted_by=value.get("deleted_by", "").replace("NONE", ""),
            )
        except (KeyError, IndexError, ValueError):
            continue


def _measure(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)\s*(s|[KMGT]?B|)", text.strip())
    if match is None:
        raise ValueError(f"{text} is no measure")
    return _amount(match[1]) * _UNITS.get(match[2], 1)
