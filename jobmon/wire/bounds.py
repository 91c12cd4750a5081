"""Bounds of what may be sent: numbers that no database and no sum outgrows, names, lists, whole messages.

They are checked while a message is decoded, so that nothing out of bounds reaches what works on it.
"""

from typing import Annotated, Any

from msgspec import Meta

from jobmon.errors import InvalidRequest

#: Bytes of a message's headers and how many lines they have. Jobmon's own are eight lines of 400 bytes.
MOST_HEAD_BYTES, MOST_HEAD_LINES = 8 << 10, 64
#: Bytes of a message of the user, of a worker with a credential, and of one with neither. A report carries at most
#: 64 kB of result and 20 kB of output, which JSON may write six times as long.
MOST_BYTES, MOST_BYTES_OF_A_WORKER, MOST_BYTES_OF_ANYONE = 64 << 20, 1 << 20, 4 << 10
MOST_REQUEST_ID = 64
MOST_NESTING = 250

_LARGEST = 2**53  #: what every JSON library holds exactly, and far below what SQLite and its sums hold

Id = Annotated[int, Meta(ge=0, le=_LARGEST)]  #: of a workflow, a run, a job, an attempt; an epoch, a sequence number
Cursor = Annotated[int, Meta(ge=-1, le=_LARGEST)]  #: a sequence number; -1 is before the first
Limit = Annotated[int, Meta(ge=0, le=100_000)]  #: of a page
News = Annotated[int, Meta(ge=1, le=100_000)]  #: of a page that the next one goes on after
NJobs = Annotated[int, Meta(ge=0, le=10_000_000)]  #: of one workflow
MaxAttempts = Annotated[int, Meta(ge=1, le=1_000_000)]
Status = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]  #: an exit status or a signal, as odd as platforms have them
Port = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Name = Annotated[str, Meta(max_length=1000)]  #: of tasks, workflows, executors, hosts, workers, platforms' jobs
Token = Annotated[str, Meta(max_length=64)]
Challenge = Annotated[str, Meta(min_length=32, max_length=32)]
Text = Annotated[str, Meta(max_length=1_000_000)]  #: for people
Place = Annotated[str, Meta(max_length=10_000)]  #: a path, a module, a function
Places = Annotated[list[Place], Meta(max_length=10_000)]
Script = Annotated[str, Meta(max_length=10_000_000)]  #: a command
Texts = Annotated[list[Text], Meta(max_length=1_000_000)]
Tail = Annotated[str, Meta(max_length=100_000)]  #: the end of an output
Tokens = Annotated[list[Token], Meta(max_length=100_000)]
Ids = Annotated[list[Id], Meta(max_length=1_000_000)]
Usage = Annotated[dict[Annotated[str, Meta(max_length=100)], float], Meta(max_length=100)]


def check_nesting(value: dict[str, Any] | list[Any]) -> None:
    """Refuse JSON that is nested too deep to be worked on.

    Raises:
        InvalidRequest: it is.
    """
    level: list[Any] = [value]
    for _ in range(MOST_NESTING):
        inner: list[Any] = []
        for holder in level:
            for part in holder.values() if holder.__class__ is dict else holder:
                if part.__class__ is dict or part.__class__ is list:
                    inner.append(part)
        if not inner:
            return
        level = inner
    raise InvalidRequest(f"values are nested more than {MOST_NESTING} deep")
