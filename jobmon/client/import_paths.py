"""Where the script finds its modules, so that workers find the same: `sys.path` without the interpreter's own."""

import functools
import os
import site
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from jobmon.whereabouts import working_folder
from jobmon.worker.calls import FOLDER

#: Stands among import paths for those that the interpreter has itself.
OWN = ""


def script_folder() -> Path:
    """The folder of the script that runs; the working folder in an interactive session or under `python -m`.

    Inside a task it is that of the script whose function is called.
    """
    main = sys.modules["__main__"]
    if calls_for := getattr(main, FOLDER, None):
        return Path(calls_for)
    path = getattr(main, "__file__", None)
    if not path or not is_script(main):
        return working_folder()
    folder = Path(path).absolute().parent
    return folder if folder.is_dir() else folder.parent  # beside the zip file that is run


def is_script(main: ModuleType) -> bool:
    """`__main__` is a file, a folder or a zip file that Python was told to run, no module under `python -m`."""
    spec = getattr(main, "__spec__", None)
    return spec is None or spec.name == "__main__"


def import_paths() -> list[str]:
    """Folders and zip files in the order of `sys.path`, "" where the interpreter's own lie if anything follows them.

    What PYTHONPATH and .pth files name, a worker finds itself.
    """
    own, paths = _own(), list[str]()
    script = str(script_folder())
    entries = sys.path if script in _absolute(sys.path) else [script, *sys.path]
    for entry in entries:
        path = os.path.abspath(entry) if isinstance(entry, str) else ""  # noqa: PTH100 - as imports do, symlinks kept
        if os.path.realpath(path) in own:
            path = OWN
        elif not path or not os.path.exists(path):  # noqa: PTH110
            continue
        if path not in paths:
            paths.append(path)
    return paths[:-1] if paths and paths[-1] == OWN else paths


def _absolute(paths: Iterable[object]) -> set[str]:
    return {os.path.abspath(path) for path in paths if isinstance(path, str)}  # noqa: PTH100


@functools.cache
def _own() -> frozenset[str]:
    """What an interpreter like this one, with this environment, has on its `sys.path` before it runs anything."""
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= set(site.getsitepackages())
    if site.ENABLE_USER_SITE:
        folders.add(site.getusersitepackages())
    for folder in tuple(folders):
        folders |= set(_named_by_pth_files(Path(folder)))
        folders.add(str(Path(folder) / "lib-dynload"))
    folders |= {path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path}
    return frozenset(os.path.realpath(folder) for folder in folders)


def _named_by_pth_files(folder: Path) -> Iterable[str]:
    try:
        files = sorted(folder.glob("*.pth"))
        for file in files:
            for line in file.read_text(errors="surrogateescape").splitlines():
                if line.strip() and not line.startswith(("#", "import ", "import\t")):
                    yield str(folder / line.strip())
    except OSError:
        return
