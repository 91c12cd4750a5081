"""`jobmon plugin catalogue`: a page made of reports."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobmon.cli.exits import Exit

if TYPE_CHECKING:
    from jobmon.reports.records import Sentence


@click.command(short_help="Make a page of executor types from their reports.")
@click.argument("reports", nargs=-1, required=True, type=click.Path(path_type=Path))
def catalogue(reports: tuple[Path, ...]) -> int:
    """Print a page in Markdown of the executor types that REPORTS, files of `jobmon plugin check --report`, are about.

    Nothing of the types is imported or run. A file that is no report, or holds what no report does, is named on the
    page, and the exit code is 1.
    """
    from jobmon.errors import ReportInvalid
    from jobmon.reports.catalogue import page
    from jobmon.reports.files import one_line, read

    known, refused = [], {}
    for path in reports:
        try:
            known.append(read(path))
        except (ReportInvalid, OSError) as error:
            refused[one_line(str(path))] = one_line(str(error).removeprefix(f"{path}: "))
    click.echo(page(known, refused, _sentences()), nl=False)
    for file, why in refused.items():
        click.echo(f"{file}: {why}", err=True)
    return Exit.FAILED if refused else Exit.OK


def _sentences() -> "dict[str, Sentence]":
    import msgspec

    from jobmon.cli.conformance import kit_listing
    from jobmon.reports.records import Sentence

    return msgspec.convert(kit_listing()["sentences"], dict[str, Sentence])
