"""Makes the report of what the kit found out."""

import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Protocol

from jobmon.reports.files import one_line
from jobmon.reports.levels import claim, reached, refusals
from jobmon.reports.records import SCHEMA, Findings, Report


class Brought(Protocol):
    """The distribution that brings a type."""

    @property
    def distribution(self) -> str:
        """Its name."""

    @property
    def version(self) -> str:
        """Its version."""


def make_report(
    type_name: str, brought: Brought | None, findings: Findings | None, problems: Iterable[str], contract: str
) -> Report:
    """The report; without findings (None), one that says why there are none."""
    known = findings or Findings()
    return Report(
        SCHEMA,
        type_name,
        "" if brought is None else brought.distribution,
        "" if brought is None else brought.version,
        version("jobmon"),
        contract,
        platform.python_version(),
        datetime.now(UTC).replace(microsecond=0),
        reached(known),
        claim(known),
        tuple(map(one_line, refusals(known))),
        tuple(map(one_line, problems)),
        known,
    )
