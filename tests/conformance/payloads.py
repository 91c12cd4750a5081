"""A right executor that runs commands and calls itself, as child processes, from which wrong ones are derived."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from jobmon.plugins import (
    Absent,
    Accepted,
    Call,
    Executor,
    Exited,
    Finding,
    Found,
    Observation,
    Outcome,
    Reason,
    Reporting,
    Running,
    Submission,
    SubmitRequest,
    Submitted,
)
from jobmon.testing import ExecutorConformance, LocalPlatform, does_not_apply

#: Loads and runs a call by the core's means; the result, or what it raised, goes to standard output.
_CALL = """\
import json, sys
from jobmon.worker.calls import CallFailed, run_call
try:
    print(json.dumps(run_call(json.load(open(sys.argv[1])))))
except CallFailed as error:
    print(json.dumps(str(error)))
    sys.exit(1)
"""


class Payloads(Executor):
    """Payloads as children of this process; what is known of them is in files and in the kernel."""

    name = "payloads"
    api_version = (1, 0)
    reporting = Reporting.PLATFORM
    children: ClassVar[dict[str, subprocess.Popen[bytes]]] = {}

    def submit(self, *, requests: Sequence[SubmitRequest]) -> Iterable[tuple[str, Outcome]]:
        for request in requests:
            with self.output(request).open("wb") as out, Path(request.stderr).open("wb") as err:
                child = subprocess.Popen(
                    self.argv(request),
                    cwd=request.cwd,
                    env=self.environment(request),
                    stdin=subprocess.DEVNULL,
                    stderr=err,
                    stdout=out,
                )
            self.children[request.token] = child
            yield request.token, Accepted(f"p{child.pid}-{request.token}")

    def output(self, request: SubmitRequest) -> Path:
        Path(request.stdout).parent.mkdir(parents=True, exist_ok=True)
        return Path(request.stdout) if request.call is None else self.file(request.token, "out")

    def file(self, token: str, kind: str) -> Path:
        return self.context.state_folder / f"{token}.{kind}"

    def environment(self, request: SubmitRequest) -> dict[str, str]:
        return os.environ | request.environment

    def argv(self, request: SubmitRequest) -> list[str]:
        if request.call is not None:
            return self.call_argv(request.token, request.call)
        assert request.command is not None
        if request.command.argv is not None:
            return request.command.argv
        return self.shell_argv(request.token, request.command.shell or "")

    def call_argv(self, token: str, call: Call) -> list[str]:
        self.file(token, "call").write_bytes(msgspec.json.encode(call))
        return [sys.executable, "-c", _CALL, str(self.file(token, "call"))]

    def shell_argv(self, token: str, shell: str) -> list[str]:
        self.file(token, "sh").write_text(shell)  # one argument may hold 128 kB at most
        return ["bash", str(self.file(token, "sh"))]

    def observe(self, *, submitted: Sequence[Submitted]) -> Mapping[str, Observation]:
        return {one.token: self.seen(one.token) for one in submitted}

    def seen(self, token: str) -> Observation:
        child = self.children.get(token)
        if child is None:
            return Absent(self.now())
        status = child.poll()
        return Running() if status is None else self.end(token, status)

    def end(self, token: str, status: int) -> Exited:
        said = self.file(token, "out").read_text() if self.file(token, "call").exists() else "null"
        if status == 0:
            return Exited(0, result=json.loads(said))
        if status < 0:
            return Exited(None, Reason.SIGNALLED, detail=f"signal {-status}")
        return Exited(status, Reason.EXIT_NONZERO, detail=json.loads(said) or f"status {status}")

    def cancel(self, *, submitted: Sequence[Submitted]) -> None:
        for one in submitted:
            if one.token in self.children:
                self.children[one.token].terminate()

    def find(self, *, submissions: Sequence[Submission]) -> Mapping[str, Finding]:
        mine = {token: Found(f"p{child.pid}-{token}") for token, child in self.children.items()}
        return {s.token: mine.get(s.token, Absent(self.now())) for s in submissions}


class Children(LocalPlatform):
    """This process's children."""

    def close(self) -> None:
        self.world.stand_ins.close()
        for token in self.world.tokens():
            if token in Payloads.children:
                Payloads.children.pop(token).wait(30)

    def forget(self, executor_job_id: str) -> None:
        does_not_apply("a child is never lost")

    def kill_runner(self, executor_job_id: str) -> None:
        self.kill(executor_job_id)  # a payload is a child without anything between

    def recycle(self, executor_job_id: str) -> str:
        does_not_apply("an id holds the token")


class PayloadsConformance(ExecutorConformance):
    """The kit on child processes."""

    executor_type = Payloads
    platform_type = Children
    tells_reasons = False
    many = 10
    lives = 2
    shrinks = False
