"""`jobmon server`: a server in the foreground."""

import logging
import os
from pathlib import Path

import click

from jobmon.cli.exits import Exit
from jobmon.cli.streams import drop_output


@click.command(short_help="Run a server in the foreground.")
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="The data folder; JOBMON_DATA when not given."
)
@click.option("--host", help="Listen here, too, beside loopback; else [server] host of jobmon.toml.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port; [server] port of jobmon.toml, else a free one.")
def server(data: Path | None, host: str | None, port: int | None) -> int:
    """Serve a data folder until SIGINT or SIGTERM. Workflows of the same data folder use this server by themselves.

    From elsewhere: set JOBMON_SERVER to the address that is printed and JOBMON_TOKEN_FILE to a copy of the token file.
    """
    from jobmon.config import load_config
    from jobmon.requester.connecting import data_folder
    from jobmon.requester.endpoint import DataFolder, Endpoint
    from jobmon.server.main import serve
    from jobmon.whereabouts import working_folder

    configured = load_config(working_folder(), os.environ).server
    folder = data_folder(os.environ) if data is None else DataFolder(data.absolute())

    def tell(endpoint: Endpoint) -> None:
        urls = " and ".join([endpoint.url, *(place.url for place in endpoint.outside)])
        try:
            click.echo(f"serving {folder.path} at {urls}; the token is in {folder.path / 'token'}")
        except OSError:  # whoever started it does not read; it serves others
            drop_output()

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    serve(
        folder,
        host=configured.host if host is None else host,
        port=configured.port if port is None else port,
        ends_when_idle=False,
        on_ready=tell,
    )
    return Exit.OK
