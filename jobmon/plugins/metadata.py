"""Reads what distributions say of their executor types, one distribution at a time: a fault in one hides no other.

Nothing is imported of them, and nothing here takes long to import, so that `jobmon executors` answers at once.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from importlib_metadata import EntryPoint, distributions

from jobmon.plugins.wording import said

GROUP = "jobmon.executors"

AnyDistribution = Any  # the library has two types for them, which differ between its versions


class InstalledType(NamedTuple):
    """An executor type that a distribution brings."""

    name: str
    distribution: str
    version: str
    module: str
    location: str
    attribute: str = ""  #: of the module, where the entry point names one

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


class Fault(NamedTuple):
    """Metadata that cannot be used."""

    file: str
    problem: str
    type: str = ""  #: the executor type that is lost by it, where that can be told
    distribution: str = ""  #: as its folder is named

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}"


class Found(NamedTuple):
    """All that is installed."""

    types: list[InstalledType]
    faults: list[Fault]


def read_path() -> Found:
    """What the folders of `sys.path` have. A distribution that an earlier folder has hides a later one, as in imports;
    what cannot be used hides none.
    """
    found = Found([], [])
    seen: dict[str, object] = {}
    for folder in dict.fromkeys(entry for entry in sys.path if isinstance(entry, str)):
        for dist in _distributions(folder, found.faults):
            types, faults = _read(dist)
            found.faults.extend(faults)
            for name in {_normal(one.distribution) for one in types}:
                if seen.setdefault(name, dist) is dist:
                    found.types.extend(types)
    return found


def _distributions(folder: str, faults: list[Fault]) -> Iterator[AnyDistribution]:
    """Those of a folder, by name, without what pip has set aside (`~name`) to delete it."""
    try:
        listed = {_path(dist): dist for dist in distributions(path=[folder])}
    except Exception as error:  # noqa: BLE001 - it may be any finder of any package
        faults.append(Fault(_shown(folder), f"its distributions cannot be listed: {said(error)}"))
        return
    for path, dist in sorted(listed.items()):
        if not path.name.startswith("~"):
            yield dist


def _read(dist: AnyDistribution) -> tuple[list[InstalledType], list[Fault]]:
    """The types of a distribution, and its faults; one without types has none, unless that cannot be known."""
    path = _path(dist)
    file = path / "entry_points.txt"
    stem = path.name.rpartition(".")[0].partition("-")[0]
    try:
        if dist.read_text(file.name) is None:
            if file.exists():
                return [], [Fault(_shown(file), "it cannot be read", distribution=stem)]
            return [], []
        entries = [entry for entry in dist.entry_points if entry.group == GROUP]
    except Exception as error:  # noqa: BLE001 - whatever the file holds, and wherever it lies
        return [], [Fault(_shown(file), f"it cannot be read: {said(error)}", distribution=stem)]
    if not entries:
        return [], []
    name = version = None
    try:
        if dist.read_text("METADATA") or dist.read_text("PKG-INFO"):
            name, version = dist.metadata["Name"], dist.metadata["Version"]
        problem = "" if name and version else "it is missing, or names no distribution and version"
    except Exception as error:  # noqa: BLE001
        problem = f"it cannot be read: {said(error)}"
    if problem:
        faults = [Fault(_shown(path / "METADATA"), problem, entry.name, stem) for entry in entries]
        return [], faults
    types, faults = [], []
    for entry in entries:
        if wrong := _wrong(entry):
            faults.append(Fault(_shown(file), wrong, entry.name, str(name)))
        else:
            location = _shown(str(dist.locate_file("")))
            types.append(InstalledType(entry.name, str(name), str(version), entry.module, location, entry.attr or ""))
    return types, faults


def _wrong(entry: EntryPoint) -> str:
    if not (entry.name.isidentifier() and entry.name == entry.name.lower()):
        return f"{entry.name!r} is no name of an executor type, which is a lower-case identifier"
    try:
        parts = [*entry.module.split("."), *(entry.attr.split(".") if entry.attr else ())]
    except ValueError:
        parts = [""]
    return "" if all(part.isidentifier() for part in parts) else f"{entry.name} = {entry.value!r} names no module"


def _path(dist: AnyDistribution) -> Path:
    """The folder of its metadata; it has no public name."""
    return Path(str(getattr(dist, "_path", None) or dist.locate_file("")))


def _shown(path: Path | str) -> str:
    """A path that can be written anywhere, whatever bytes it has."""
    return str(path).encode(errors="backslashreplace").decode()


def _normal(distribution: str) -> str:
    return distribution.lower().replace("-", "_").replace(".", "_")


def lost(faults: Iterable[Fault], name: str) -> str:
    """What is wrong with metadata that would bring a type of this name; nothing where there is none."""
    return "; ".join(str(fault) for fault in faults if fault.type == name)
