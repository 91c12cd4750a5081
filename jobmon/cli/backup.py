"""`jobmon backup`: a copy of the database."""

from pathlib import Path

import click

from jobmon.cli.exits import Exit
from jobmon.cli.output import json_option, print_json


@click.command(short_help="Copy the database, also while a server runs.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def backup(file: Path, as_json: bool) -> int:
    """Write a copy of the data folder's database to FILE, which must not exist.

    It is one consistent moment of it, whatever is written meanwhile. The tasks' output is not part of it.
    """
    from jobmon.cli.check import own_folder
    from jobmon.store.backup import back_up

    folder = own_folder()
    size = back_up(folder.database, file.absolute())
    if as_json:
        print_json({"file": str(file.absolute()), "bytes": size})
    else:
        click.echo(f"{file}: {size:,} bytes of {folder.database}")
    return Exit.OK
