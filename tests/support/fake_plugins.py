"""Executor plugins that are installed for whoever has a folder on its path: metadata and one module, nothing built."""

from pathlib import Path

#: A whole plugin, but for what the test is about.
GOOD = """\
from jobmon.plugins import Executor, hookimpl

class Good(Executor):
    \"\"\"Does nothing, well.\"\"\"

    name = {name!r}
    api_version = {version!r}

@hookimpl
def jobmon_executor_types():
    return [Good]
"""


def plugin(folder: Path, name: str, code: str, *, distribution: str = "") -> None:
    """A distribution, `jobmon-executor-NAME` 1.2 unless it is given, of one module with one executor type."""
    distribution = distribution or f"jobmon-executor-{name}"
    (folder / f"jobmon_{name}.py").write_text(code)
    info = folder / f"{distribution.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[jobmon.executors]\n{name} = jobmon_{name}\n")


def good(name: str, version: object = (1, 0)) -> str:
    """The module of a plugin that can be used, if the version can."""
    return GOOD.format(name=name, version=version)
