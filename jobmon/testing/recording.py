"""What a platform's program printed while a few jobs lived, as a file beside the tests: a line a step."""

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import msgspec

from jobmon.testing.real_run import PREFIX

SCHEMA = 1
#: In the place of the run's prefix, and as long: parsers of columns must not notice.
RECORDED = "jtest" + "recorded"
LONGEST_TEXT, LONGEST_FILE = 100_000, 2_000_000
_SECRET = re.compile(r"TOKEN|PASSW|SECRET|CREDENTIAL|KEY", re.IGNORECASE)
_FOLDER, _HOME, _HIDDEN = "/recorded/folder", "/recorded/home", "(secret)"


@attrs.frozen
class Call:
    """A command and what it answered. Of its standard input no more is kept than whether there was any."""

    argv: tuple[str, ...]
    stdin: bool
    status: int | None  #: None: it gave no answer in time
    stdout: str
    stderr: str

    @property
    def program(self) -> str:
        """The command's name, without its folder."""
        return Path(self.argv[0]).name


@attrs.frozen
class Step:
    """One step of the life: what was asked, what the executor made of the answers, and these."""

    step: str
    saw: tuple[str, ...]  #: a phrase an attempt
    states: tuple[str, ...]  #: the platform's own words for them, where the executor's class is told them
    calls: tuple[Call, ...]


@attrs.frozen
class Recording:
    """A life as it was led on the real platform."""

    type: str
    steps: tuple[Step, ...]


class RecordingInvalid(Exception):
    """A file is no recording, or a life is too long for one."""


def token(number: int) -> str:
    """What stands in a recording for the token of this number, from 0 on."""
    return f"{RECORDED}{number:014}"


def neutral(text: str, tokens: Sequence[str], folder: Path) -> str:
    """A text without tokens of the run, folders of this host, and values of variables that are called secret."""

    def counted(match: "re.Match[str]") -> str:
        for number, one in enumerate(tokens):
            if one.startswith(match[0]) or match[0].startswith(one):  # a platform may cut names, or add to them
                return token(number)[: len(match[0])] + match[0][len(one) :]
        return match[0].replace(PREFIX, RECORDED)

    for path, word in ((folder.resolve(), _FOLDER), (folder, _FOLDER), (Path.home(), _HOME)):
        if len(path.parts) > 1:
            text = text.replace(str(path), word)
    for name, value in os.environ.items():
        if _SECRET.search(name) and len(value) >= 8:
            text = text.replace(value, _HIDDEN)
    return re.sub(PREFIX + "[A-Za-z0-9]*", counted, text)


def write(path: Path, recording: Recording) -> None:
    """Put a recording into a file, whole or not at all.

    Raises:
        RecordingInvalid: a command printed too much.
        OSError: it cannot be written.
    """
    for step in recording.steps:
        for call in step.calls:
            if (length := max(len(call.stdout), len(call.stderr))) > LONGEST_TEXT:
                raise RecordingInvalid(
                    f"{step.step}: {call.argv[0]} printed {length:,} characters; a recording takes {LONGEST_TEXT:,}. "
                    "Record where fewer jobs are listed"
                )
    lines: list[Mapping[str, object]] = [{"schema": SCHEMA, "type": recording.type}]
    text = "".join(json.dumps(one) + "\n" for one in [*lines, *map(attrs.asdict, recording.steps)])
    if len(text) > LONGEST_FILE:
        raise RecordingInvalid(f"{len(text):,} bytes were printed in all; a recording takes {LONGEST_FILE:,}")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: Path) -> Recording:
    """A recording from a file.

    Raises:
        RecordingInvalid: it is none.
        OSError: it cannot be read.
    """
    first, *others = path.read_text(encoding="utf-8").splitlines() or [""]
    try:
        head = msgspec.json.decode(first, type=dict[str, int | str])
        steps = tuple(msgspec.json.decode(line, type=Step) for line in others)
    except msgspec.MsgspecError as error:
        raise RecordingInvalid(f"{path}: {error}") from error
    if head.get("schema") != SCHEMA or not steps:
        raise RecordingInvalid(f"{path}: it is no recording of schema {SCHEMA}: record again")
    return Recording(str(head.get("type")), steps)
