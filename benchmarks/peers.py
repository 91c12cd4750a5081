"""Others that do the same work: command-line tools, and Python packages in an environment of their own."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from benchmarks.client import parents

#: Writes whatever it needs into the folder that it is given, and returns the command to time.
Prepare = Callable[[Path], Sequence[str]]
_SCRIPT = Path(__file__).with_name("peer_script.py")


@attrs.frozen
class Peer:
    """Another program and how to have it do the work."""

    name: str
    prepare: Prepare
    says_seconds: bool = False  #: it prints how long the work took; otherwise the command is timed from start to end

    def seconds(self, parent: Path) -> float:
        """Do the work once, in a fresh folder below `parent`.

        Raises:
            CalledProcessError: it failed.
        """
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=f"peer-{self.name}-"))
        command = self.prepare(folder)
        began = time.perf_counter()
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        elapsed_s = time.perf_counter() - began
        return float(done.stdout.split()[-1]) if self.says_seconds else elapsed_s


@attrs.frozen
class Peers:
    """The peers of this machine. Missing ones are said, not skipped unseen."""

    missing: Mapping[str, str]
    venv: Path | None

    @classmethod
    def find(cls, venv: Path | None) -> "Peers":
        """What is installed; `venv` may hold parsl and huey."""
        missing = {name: "not installed" for name in ("xargs", "ninja", "make") if shutil.which(name) is None}
        for name in ("parsl", "huey"):
            if venv is None:
                missing[name] = "not measured: no --peers-venv"
            elif subprocess.run([venv / "bin/python", "-c", f"import {name}"], capture_output=True).returncode:
                missing[name] = f"not installed in {venv.name}"
        return cls(missing, venv)

    def among(self, *peers: Peer) -> tuple[list[Peer], dict[str, str]]:
        """Those of the given ones that can be measured, and why the others cannot."""
        here = [peer for peer in peers if peer.name not in self.missing]
        return here, {peer.name: self.missing[peer.name] for peer in peers if peer.name in self.missing}

    def python_calls(self, package: str, n: int) -> Peer:
        """`n` Python calls that return their argument, by parsl's threads or huey's two processes."""
        python = str(self.venv / "bin/python") if self.venv else "python"
        return Peer(package, lambda _: [python, str(_SCRIPT), package, str(n)], says_seconds=True)


def xargs(n: int) -> Peer:
    """`true`, n times, two at a time."""

    def prepare(folder: Path) -> Sequence[str]:
        (folder / "arguments").write_text("".join(f"{i}\n" for i in range(n)))
        return ["xargs", "-a", "arguments", "-P2", "-n1", "true"]

    return Peer("xargs", prepare)


def ninja(n: int, width: int | None = None, command: str = "true") -> Peer:
    """The same as a graph of outputs that never come to be; in layers when `width` is given."""

    def prepare(folder: Path) -> Sequence[str]:
        edges = (f"build t{i}: run {' '.join(f't{p}' for p in _above(i, width))}\n" for i in range(n))
        (folder / "build.ninja").write_text(f"rule run\n  command = {command}\n{''.join(edges)}")
        return ["ninja", "--quiet", "-j2"]

    return Peer("ninja", prepare)


def make(n: int, width: int | None = None) -> Peer:
    """As `ninja`, with make."""

    def prepare(folder: Path) -> Sequence[str]:
        names = " ".join(f"t{i}" for i in range(n))
        rules = (f"t{i}: {' '.join(f't{p}' for p in _above(i, width))}\n\t@true\n" for i in range(n))
        (folder / "Makefile").write_text(f"all: {names}\n.PHONY: all {names}\n{''.join(rules)}")
        return ["make", "--silent", "-r", "-j2"]

    return Peer("make", prepare)


def _above(i: int, width: int | None) -> Sequence[int]:
    return parents(i, width) if width else ()
