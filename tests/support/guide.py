"""The author's guide, docs/executors.md, as a stranger follows it: its commands, and the pieces that it writes."""

import ast
import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import attrs

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "executors.md"
#: The same for a class with the contract's own methods.
PLAIN_PAGE = DOCS / "executor-plain.md"


@attrs.frozen
class Block:
    """A fenced block: `kind` is its language, and `sh fails` where its commands are meant to fail."""

    kind: str
    text: str


def blocks(page: Path = PAGE) -> Iterator[Block]:
    """What is to be done, in order."""
    for kind, text in re.findall(r"^```(\w+(?: fails)?)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        if kind in ("sh", "sh fails", "python"):
            yield Block(kind, text)


def write_into(module: Path, block: str) -> None:
    """Put imports at the top of a scaffolded module, and the rest in the place of the class's own of its name."""
    source = module.read_text()
    for node in ast.parse(block).body:
        text = ast.get_source_segment(block, node) or ""
        if isinstance(node, ast.ImportFrom):
            source = source.replace("from jobmon.plugins import", f"{text}\nfrom jobmon.plugins import", 1)
        else:
            source = _with_piece(source, _name(node), textwrap.indent(text, "    "))
    module.write_text(source)


def pieces(block: str) -> set[str]:
    """The names of the methods and attributes that a block writes."""
    return {_name(node) for node in ast.parse(block).body} - {""}


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.target)
    return node.name if isinstance(node, ast.FunctionDef) else ""


def _with_piece(source: str, name: str, text: str) -> str:
    lines = source.splitlines()
    cls = next(
        n
        for n in ast.parse(source).body
        if isinstance(n, ast.ClassDef) and "Executor" in "".join(map(ast.unparse, n.bases))
    )
    old = next((n for n in cls.body if _name(n) == name), None)
    if old is None:
        # Attributes before the methods, where `settings` is the last of them.
        at = (
            cls.end_lineno
            if text.lstrip().startswith("def ")
            else next(n for n in cls.body if _name(n) == "settings").lineno - 1
        )
        return "\n".join([*lines[:at], *([""] if at == cls.end_lineno else []), text, *lines[at:]]) + "\n"
    return "\n".join([*lines[: old.lineno - 1], text, *lines[old.end_lineno :]]) + "\n"


def labbatch(folder: Path) -> None:
    """The laboratory's real program, on this host, in a folder of programs; what it knows is in files beside it."""
    program = folder / "labbatch"
    program.write_text(_PROGRAM)
    program.chmod(0o755)


def run(argv: list[str], folder: Path, environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """A command, with all that it says as text."""
    return subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=600)


_PROGRAM = """\
#!/bin/bash
# Jobs are folders beside this program, or in LABBATCH_JOBS: their files are name, pid, began, status.
jobs=${LABBATCH_JOBS:-$(dirname "$(readlink -f "$0")")/jobs}
mkdir -p "$jobs"
start() {  # the name, then the arguments, of the job $id
    printf '%s' "$1" > "$id/name"
    setsid bash -c '"${@:2}"; echo $? > "$1/status"' labbatch "$id" "${@:2}" > "$id/output" 2>&1 < /dev/null &
    echo $! > "$id/pid"
}
case $1 in
submit)
    id=$(mktemp -d "$jobs/XXXXXXXX")
    start "$2" "${@:5}"
    basename "$id" ;;
submit-array)
    number=$(basename "$(mktemp -d "$jobs/XXXXXXXX")")
    for ((index = 1; index <= $5; index++)); do
        id=$jobs/$number.$index
        mkdir "$id"
        start "$2" "${@:6}" "$index"
    done
    echo "$number" ;;
list)
    for id in "$jobs"/*; do
        [[ -f $id/pid ]] || continue
        state=running
        [[ -f $id/status ]] && { [[ $(cat "$id/status") == 0 ]] && state=done || state=failed; }
        printf '%s\\t%s\\t%s\\t1.5\\n' "$(basename "$id")" "$(cat "$id/name")" "$state"
    done ;;
kill)
    for id in "${@:2}"; do
        [[ -f $jobs/$id/status ]] && continue
        kill -- "-$(cat "$jobs/$id/pid")" && echo 143 > "$jobs/$id/status"
    done
    exit 0 ;;
esac
"""
