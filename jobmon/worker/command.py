"""From the work that the server gave to what is executed: program, arguments, environment. Pure."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: Stands in the environment of an attempt's command and of all that it starts: the attempt's token.
MARK = "JOBMON_ATTEMPT"
#: Stands in the environment of a worker alone, where its executor set it, never in that of its command.
WORKER_MARK = "JOBMON_WORKER"
#: The user's token, where the worker inherited it: no command needs it.
USER_TOKEN = "JOBMON_TOKEN"

#: Linux refuses a single argument of 128 kB and above (MAX_ARG_STRLEN in execve(2)): longer ones go through a file.
LONGEST_ARGUMENT = 131_071

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./=:,+@%- ")
# Words that mean something to bash itself. `true` and `false` are left out: the programs do the same.
_BASH_WORDS = frozenset(
    """
    alias bg bind break builtin caller case cd command compgen complete compopt continue coproc declare dirs disown do
    done echo elif else enable esac eval exec exit export fc fg fi for function getopts hash help history if in jobs
    kill let local logout mapfile popd printf pushd pwd read readarray readonly return select set shift shopt source
    suspend test then time times trap type typeset ulimit umask unalias unset until wait while . :
    """.split()  # noqa: SIM905 - a list of them would be a page
)


def plain_words(shell: str, environment: Mapping[bytes, bytes]) -> list[str] | None:
    """The words of a command that needs no shell, None for one that does.

    Nothing in it may mean anything to bash: no quoting, expansion or redirection, no builtin, keyword or assignment,
    and no function of that name or start-up file handed down in the environment.
    """
    words = shell.split()
    if not words or not _PLAIN.issuperset(shell) or words[0] in _BASH_WORDS or "=" in words[0] or words[0][0] == "%":
        return None
    if b"BASH_ENV" in environment or f"BASH_FUNC_{words[0]}%%".encode() in environment:
        return None
    return words


def bash(shell: str) -> tuple[list[str], str | None]:
    """The arguments that make bash run the string, and the content of descriptor 3 where it is too long for one."""
    if len(os.fsencode(shell)) < LONGEST_ARGUMENT:
        return ["bash", "-c", shell], None
    return ["bash", "/dev/fd/3"], shell


def environment_of(inherited: bytes, extra: Mapping[str, str], token: str) -> dict[bytes, bytes]:
    """The command's environment: the worker's own (as /proc/self/environ shows it), `extra` over it, and the mark.

    The worker's own is read as the platform set it, because Python adds to it (LC_CTYPE, where no locale is set).
    """
    environment = dict(item.split(b"=", 1) for item in inherited.split(b"\0") if b"=" in item)
    for private in (WORKER_MARK, USER_TOKEN):
        environment.pop(private.encode(), None)
    environment |= {os.fsencode(name): os.fsencode(value) for name, value in extra.items()}
    environment[MARK.encode()] = token.encode()
    return environment


def find_program(name: str, environment: Mapping[bytes, bytes], cwd: str) -> list[str]:
    """The files that running `name` may mean, in the order to try them: itself where it has a slash, else along PATH.

    Like execvp(3), but with the command's PATH and folder.
    """
    if "/" in name:
        return [name]
    path = os.fsdecode(environment.get(b"PATH", os.fsencode(os.defpath)))
    return [os.path.join(cwd, folder or ".", name) for folder in path.split(os.pathsep)]


def call_argv(call: Mapping[str, Any], archive: str) -> list[str]:
    """The command of a Python call: the call is read from descriptor 3 and answered to descriptor 4."""
    return [call["python"], archive, "call", "3", "4"]
