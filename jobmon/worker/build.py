"""Make the one file that is shipped to nodes: a zip of this package that Python runs (see the module `zipapp`)."""

import contextlib
import hashlib
import importlib.util
import marshal
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import CodeType
from typing import IO

from jobmon.wire.health import API_VERSION

_MAIN = """import sys

from jobmon_worker.main import main

main(sys.argv[1:])
"""
#: Python imports `runpy`, and all that is above it, to run a zip; not for a script, which then imports from the zip.
_STARTER = """import sys

sys.path.insert(0, __file__ + "z")
from jobmon_worker.main import main

main(sys.argv[1:])
"""
_NOT_SHIPPED = {"build.py", "kept.py", "leftovers.py", "restoring.py", "usage.py", "warm.py", "watched.py"}
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold: equal content gives equal bytes


def build_worker(folder: Path) -> Path:
    """The worker's file in `folder`, made if it is not there; its name holds the wire's version and its content's hash.

    Another version of Jobmon, or another Python, so writes another file, and attempts that wait at a platform keep
    theirs. Safe to be called by several processes at once.

    Raises:
        OSError: the folder cannot be made or written.
    """
    content = _content()
    digest = hashlib.sha256(b"".join(name.encode() + data for name, data in sorted(content.items()))).hexdigest()
    path = folder / f"worker-{'.'.join(map(str, API_VERSION))}-{digest[:12]}.pyz"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, content)
    return path


def build_starter(folder: Path) -> Path:
    """A script beside the worker's file, and that file, made if they are not there; it starts attempts faster.

    Raises:
        OSError: the folder cannot be made or written.
    """
    path = build_worker(folder).with_suffix(".py")
    if not path.exists():
        _put(path, lambda file: file.write(_STARTER.encode()))
    return path


def _content() -> dict[str, bytes]:
    """Sources for any Python, and beside them the code already compiled for this one, which others pass over."""
    content = _with_compiled("__main__.py", _MAIN.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        if source.name not in _NOT_SHIPPED:
            content |= _with_compiled(f"jobmon_worker/{source.name}", source.read_bytes())
    return content


def _with_compiled(name: str, source: bytes) -> dict[str, bytes]:
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    return {name: source, f"{name}c": _pyc(code, source)}


def _pyc(code: CodeType, source: bytes) -> bytes:
    """As PEP 552 lays down, marked "unchecked": the source stands in the same file and cannot differ from it."""
    unchecked_hash = (1).to_bytes(4, "little")
    return importlib.util.MAGIC_NUMBER + unchecked_hash + importlib.util.source_hash(source) + marshal.dumps(code)


def _write(path: Path, content: dict[str, bytes]) -> None:
    def write(file: IO[bytes]) -> None:
        # Not compressed: the worker then starts without zlib.
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, data in content.items():
                archive.writestr(zipfile.ZipInfo(name, _DATE), data)

    _put(path, write)


def _put(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Make a file that all may read, whole or not at all."""
    with NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        try:
            write(file)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
            Path(file.name).rename(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(file.name).unlink()
            raise
