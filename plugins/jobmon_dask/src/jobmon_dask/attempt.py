"""The task that runs one attempt on a Dask worker, and how it is ended. This module runs there and is sent by value.

The payload runs in processes of its own: a thread of a Dask worker cannot be ended, and a command that kills its parent
must not take the worker with it. They end with the worker.
"""

import subprocess
from typing import Any

from distributed import get_worker
from distributed.utils import sync

#: How long the scheduler may take to answer a task, in seconds.
_ANSWER_S = 60


def run_attempt(token: str, argv: list[str], payload: str) -> None:
    """Run the payload, if its start can be won; tell the ledger how it ended."""
    worker = get_worker()
    here = _attempts(worker)
    here["live"][token] = None
    try:
        if _ask(worker, "jobmon_start", token=token, worker=worker.address):
            told, trouble = _run(here, token, argv, payload)
            _ask(worker, "jobmon_end", token=token, told=told, trouble=trouble)
    finally:
        del here["live"][token]
        here["doomed"].discard(token)


def end_attempts(tokens: list[str], dask_worker: Any) -> None:
    """Ask those of the attempts that run on this worker to end."""
    here = _attempts(dask_worker)
    for token in tokens:
        if token in here["live"]:
            here["doomed"].add(token)  # also for one that is just about to start
            process = here["live"][token]
            if process is not None:
                process.terminate()


def _attempts(worker: Any) -> dict[str, Any]:
    """The attempts of this worker, kept by the worker, because a module that is sent by value has no place for them."""
    here: dict[str, Any] = vars(worker).setdefault("jobmon_attempts", {"live": {}, "doomed": set()})
    return here


def _ask(dask_worker: Any, what: str, **message: Any) -> Any:
    async def ask() -> Any:
        return await getattr(dask_worker.scheduler, what)(**message)

    return sync(dask_worker.loop, ask, callback_timeout=_ANSWER_S)


def _run(here: dict[str, Any], token: str, argv: list[str], payload: str) -> tuple[str, str]:
    """What the runner wrote; and what is wrong with the runner itself, if anything is."""
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True, errors="replace", cwd="/")
    except OSError as error:
        return "", f"cannot run {argv[0]} on the worker {get_worker().address}: {error}"
    here["live"][token] = process
    if token in here["doomed"]:
        process.terminate()
    told, words = process.communicate(payload)
    if told and process.returncode == 0:
        return told, ""
    return "", f"the runner of the payload ended with {process.returncode}: {words[-2000:].strip()}"
