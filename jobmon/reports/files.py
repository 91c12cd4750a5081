"""Reports as JSON files: written in one step, and believed only after a check, for they may come from anybody."""

import json
import math
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import attrs
import msgspec

from jobmon.errors import ReportInvalid
from jobmon.reports.records import SCHEMA, Findings, Measurement, Report

T = TypeVar("T")
LONGEST_FILE = 2_000_000  #: bytes
LONGEST_TEXT = 500  #: characters
_MOST = {"trials": 20, "results": 1000, "measurements": 50, "refused": 50, "problems": 50}
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]{0,59}")
_CHECK = re.compile(r"test_[a-z0-9_]{1,150}")
_PATTERNS = {
    "Report.type": _NAME,
    "Report.distribution": _NAME,
    "Report.version": _VERSION,
    "Report.jobmon": _VERSION,
    "Report.contract": _VERSION,
    "Report.python": _VERSION,
    "Trial.type": _NAME,
    "Result.check": _CHECK,
}
_WIDTH = 250


def one_line(text: str) -> str:
    """A text as reports have it: one line of printable characters, not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"


def write(path: Path, report: Report) -> None:
    """Put a report into a file, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    _put(path, attrs.asdict(report))


def write_findings(path: Path, findings: Mapping[str, Findings]) -> None:
    """Put what a run of the kit knows so far, by executor type, into a file, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    _put(path, {name: attrs.asdict(one) for name, one in findings.items()})


def _put(path: Path, plain: Any) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_laid_out(plain) + "\n")
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: Path) -> Report:
    """A report from a file of whatever origin.

    Raises:
        ReportInvalid: it is none, or holds what no report does.
        OSError: it cannot be read.
    """
    report = _decoded(path, Report)
    if report.schema != SCHEMA:
        raise ReportInvalid(f"{path}: its schema is {report.schema}, this Jobmon reads {SCHEMA}")
    if report.made_at.tzinfo is None:
        raise ReportInvalid(f"{path}: made_at has no time zone")
    return report


def read_findings(path: Path) -> dict[str, Findings]:
    """What a run of the kit has noted so far, by executor type.

    Raises:
        ReportInvalid, OSError: as `read`.
    """
    return _decoded(path, dict[str, Findings])


def read_evidence(path: Path) -> tuple[Measurement, ...]:
    """Measurements that somebody hands in: a JSON list of objects with `name`, `value` and `how`.

    Raises:
        ReportInvalid, OSError: as `read`.
    """
    return tuple(attrs.evolve(one, handed_in=True) for one in _decoded(path, tuple[Measurement, ...]))


def _decoded(path: Path, kind: type[T]) -> T:
    with path.open("rb") as file:
        text = file.read(LONGEST_FILE + 1)
    if len(text) > LONGEST_FILE:
        raise ReportInvalid(f"{path}: it is longer than {LONGEST_FILE:,} bytes")
    try:
        value = msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ReportInvalid(f"{path}: {one_line(str(error))}") from error
    for place, wrong in _wrong(value, "report"):
        raise ReportInvalid(f"{path}: {place} {wrong}")
    return value


def _wrong(value: object, place: str, pattern: re.Pattern[str] | None = None) -> Iterator[tuple[str, str]]:
    """What is wrong with a value and what it holds: the place and the fault."""
    if isinstance(value, str):
        if pattern is not None and not pattern.fullmatch(value):
            yield place, f"is {one_line(value)[:80]!r}, which is no {place.rpartition('.')[2]}"
        elif len(value) > LONGEST_TEXT or not value.isprintable():
            yield place, "has unprintable characters, or is too long"
    elif isinstance(value, float):
        if not math.isfinite(value) or value < 0:
            yield place, f"is {value}"
    elif isinstance(value, tuple):
        most = _MOST.get(place.rpartition(".")[2], 1000)
        if len(value) > most:
            yield place, f"has more than {most} entries"
        for number, one in enumerate(value):
            yield from _wrong(one, f"{place}[{number}]")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _wrong(key, place)
            yield from _wrong(one, f"{place}.{key}")
    elif attrs.has(kind := type(value)):
        for field in attrs.fields(kind):
            own = _PATTERNS.get(f"{type(value).__name__}.{field.name}")
            yield from _wrong(getattr(value, field.name), f"{place}.{field.name}", own)


def _laid_out(value: Any, indent: str = "") -> str:
    """JSON with a line for what fits into one."""
    short = json.dumps(value, ensure_ascii=False, default=datetime.isoformat)
    if len(short) + len(indent) <= _WIDTH or not isinstance(value, dict | list | tuple):
        return short
    deeper = indent + "  "
    if isinstance(value, dict):
        parts = [f"{deeper}{json.dumps(key)}: {_laid_out(one, deeper)}" for key, one in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + _laid_out(one, deeper) for one in value) + f"\n{indent}]"
