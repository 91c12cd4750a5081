"""`jobmon check`: whether the database is whole and keeps what is promised."""

import os

import click

from jobmon.cli.exits import Exit
from jobmon.cli.output import json_option, print_json, printable
from jobmon.errors import ConfigurationError, StoreError
from jobmon.requester.endpoint import DataFolder


@click.command(short_help="Look whether the database is whole.")
@click.option(
    "--accept-loss", is_flag=True, help="Go on with the database as it is, though what was acknowledged is missing."
)
@json_option
def check(accept_loss: bool, as_json: bool) -> int:
    """Look through the whole database of the data folder, also while a server runs.

    Its integrity, its foreign keys, and whether every history is without gaps, every command was started at most once
    and every success stayed. The exit code is 1 when there is a flaw.
    """
    from jobmon.store.audit import audit

    folder = own_folder()
    if accept_loss:
        _accept(folder)
        if not folder.database.exists():
            click.echo(f"{folder.path}: there is no database now; the next run makes a new one", err=True)
            return Exit.OK
    found = audit(folder.database)
    if as_json:
        print_json(found)
    else:
        for flaw in found.flaws:
            click.echo(printable(flaw))
        click.echo(
            f"{folder.database}: {found.workflows:,} workflows, {found.jobs:,} jobs, {found.instances:,} attempts, "
            f"{found.history:,} rows of history: " + (f"{len(found.flaws):,} flaws" if found.flaws else "no flaw")
        )
    return Exit.FAILED if found.flaws else Exit.OK


def own_folder() -> DataFolder:
    """The data folder in use on this host.

    Raises:
        ConfigurationError: the server in use is elsewhere.
    """
    from jobmon.requester.connecting import data_folder

    if os.environ.get("JOBMON_SERVER"):
        raise ConfigurationError(
            f"JOBMON_SERVER names {os.environ['JOBMON_SERVER']}, and this command works on files: run it where that "
            "server runs, without JOBMON_SERVER and with its JOBMON_DATA"
        )
    return data_folder(os.environ)


def _accept(folder: DataFolder) -> None:
    from jobmon.store.backup import accept_loss

    lock = folder.lock("server.lock")
    if not lock.acquire():
        raise StoreError(f"a server has the database of {folder.path} open: end it first")
    try:
        accept_loss(folder.database)
        folder.endpoint_file.unlink(missing_ok=True)
    finally:
        lock.release()
