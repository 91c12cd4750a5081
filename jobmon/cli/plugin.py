"""`jobmon plugin`: for authors of executor types."""

from pathlib import Path

import click

from jobmon.cli.catalogue import catalogue
from jobmon.cli.conformance import check


@click.group(short_help="Write executor types, and check them.")
def plugin() -> None:
    """Write executor types, and check them."""


@plugin.command(short_help="Write the distribution of a new executor type.")
@click.argument("name")
@click.option(
    "--in",
    "parent",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The folder in which jobmon_NAME is made; the working folder when not given.",
)
@click.option(
    "--plain",
    is_flag=True,
    help="For platforms that are no batch systems with commands: the class has the contract's own methods.",
)
def new(name: str, parent: Path, plain: bool) -> None:
    """Write the distribution jobmon-executor-NAME in ./jobmon_NAME: an executor type NAME with its tests.

    Its tests run at once; what fails is what is left to write, and says what to write. Nothing is ever overwritten.
    """
    from importlib.metadata import version

    from jobmon.plugins import CONTRACT_VERSION
    from jobmon.plugins.installed import by_name, enabled
    from jobmon.scaffold.render import check_name, write_distribution

    types = by_name(enabled().types)
    check_name(name, installed={one: [t.distribution for t in brought] for one, brought in types.items()})
    written = write_distribution(name, parent, contract=CONTRACT_VERSION, jobmon_version=version("jobmon"), plain=plain)
    for path in written:
        click.echo(path)
    click.echo(f"\nNow: cd {parent / f'jobmon_{name}'}; pip install -e '.[testing]'; pytest", err=True)


plugin.add_command(check)
plugin.add_command(catalogue)
