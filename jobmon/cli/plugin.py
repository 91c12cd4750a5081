"""`jobmon plugin`: for authors of executor types."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from jobmon.cli.exits import Exit

_TEST = '''\
"""The kit against an installed type, with its default settings."""

from jobmon.plugins.registry import Registry
from jobmon.testing import ExecutorConformance


class TestInstalled(ExecutorConformance):
    executor_type = Registry().load({name!r})
    tells_reasons = executor_type.reporting == "platform"
'''


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
    from jobmon.plugins.installed import enabled
    from jobmon.scaffold.render import check_name, write_distribution

    check_name(name, installed=[one.name for one in enabled().types])
    written = write_distribution(name, parent, contract=CONTRACT_VERSION, jobmon_version=version("jobmon"), plain=plain)
    for path in written:
        click.echo(path)
    click.echo(f"\nNow: cd {parent / f'jobmon_{name}'}; pip install -e '.[testing]'; pytest", err=True)


@plugin.command(short_help="Run the conformance kit against an installed type.")
@click.argument("name")
@click.option(
    "--tests",
    type=click.Path(exists=True, path_type=Path),
    help="The plugin's own conformance tests, which know its platform; the bare kit when not given.",
)
def check(name: str, tests: Path | None) -> int:
    """Run the conformance kit, `jobmon[testing]`, against the installed executor type NAME and say what it reaches.

    Without a platform object, which only the plugin's own tests have, what can be checked is less, and said to be less.
    The exit code is 1 when a sentence of the contract is broken.
    """
    from importlib.util import find_spec

    from jobmon.errors import PluginError
    from jobmon.plugins.registry import Registry

    Registry().load(name)
    if find_spec("pytest") is None or find_spec("hypothesis") is None:
        raise PluginError("the kit needs pytest and hypothesis: pip install 'jobmon[testing]'")
    with tempfile.TemporaryDirectory(prefix="jobmon-check-") as folder:
        path = Path(folder) / f"test_{name}_conformance.py"
        path.write_text(_TEST.format(name=name), encoding="utf-8")
        return Exit.FAILED if _run_pytest(Path(folder), tests.absolute() if tests else path) else Exit.OK


def _run_pytest(folder: Path, tests: Path) -> int:
    """Run pytest in a process and a folder of its own, away from the settings of the project around."""
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    argv = [sys.executable, "-P", "-m", "pytest", "-q", "-c", str(folder / "pytest.ini"), "--rootdir", str(folder)]
    argv += ["-p", "no:cacheprovider", "--import-mode=importlib", "--tb=short", "-r", "N", str(tests)]
    environ = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    return subprocess.run(argv, env=environ, cwd=folder, check=False).returncode
