"""Python for Jobmon's own processes: what they import is Python's, Jobmon's or installed, wherever they are started.

Run by its path, `python -P -E isolated.py MODULE ARGUMENTS...` calls `main()` of a module, or of the `__main__` of a
package, as `-m` would, but for the import path. Neither the working folder nor the script's is on it. The folders of
PYTHONPATH come last: what is found there alone, a plugin or all of Jobmon, is found, and nothing there takes the place
of anything else. The environment stays as it is, for the user's commands.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def isolated(module: str, *arguments: str) -> list[str]:
    """The command line of a process of Jobmon's own, for this interpreter."""
    options = ["-P"]
    if "PYTHONHOME" not in os.environ:  # which -E would hide; then `_own_path` puts things right a little later
        options.append("-E")
    options += ["-s"] * sys.flags.no_user_site + ["-B"] * sys.flags.dont_write_bytecode
    options += ["-X", "utf8"] if sys.flags.utf8_mode else []
    return [sys.executable, *options, os.path.abspath(__file__), module, *arguments]  # noqa: PTH100


def _own_path(path: list[str], theirs: list[str]) -> list[str]:
    """The import path without `theirs`, with the folder that holds Jobmon behind the standard library."""
    library = os.path.dirname(os.__file__)  # noqa: PTH120
    own = list(path)
    while own and own[0] in theirs and own[0] != library:  # there they are, where -E could not be given
        del own[0]
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    if home not in own:
        ends = [i + 1 for i, folder in enumerate(own) if folder == library or folder.startswith(library + "/lib-dyn")]
        own.insert(max(ends, default=0), home)
    return own


class _Library:
    """Finds modules of the standard library in our own folders or not at all: it asks for some that Linux lacks."""

    def __init__(self, finder: Any, own: list[str]) -> None:
        self._finder, self._own = finder, own

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """As `importlib.abc.MetaPathFinder` has it."""
        if path is not None or name not in sys.stdlib_module_names:
            return None
        spec = self._finder.find_spec(name, self._own, target)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return spec


def _enter() -> None:
    """Have this interpreter import as the head of this file says."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    theirs = [os.path.abspath(folder) for folder in given if folder]  # noqa: PTH100
    own = _own_path(sys.path, theirs)
    sys.path[:] = own + [folder for folder in theirs if folder not in own]
    if theirs:
        finders = [getattr(finder, "__name__", "") for finder in sys.meta_path]
        at = finders.index("PathFinder")
        sys.meta_path.insert(at, _Library(sys.meta_path[at], own))


def _main() -> None:
    _enter()
    from importlib import import_module

    name = sys.argv[1]
    module = import_module(name)
    if hasattr(module, "__path__"):
        module = import_module(f"{name}.__main__")
    sys.argv[:2] = [str(module.__file__)]
    sys.exit(module.main())


if __name__ == "__main__":
    _main()
