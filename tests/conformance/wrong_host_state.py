"""Wrong executors that do something to the process in which they are called, or that keep it waiting."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from reference import Memory
from wrong_executors import fails

_kept: list[Any] = []  #: what leaks


def _block() -> None:
    threading.Event().wait(5.0)


# Calls that block


@fails("test_every_call_answers_in_time")
class BlocksInStart(Memory):
    def start(self, context):
        super().start(context)
        _block()


@fails("test_every_call_answers_in_time")
class BlocksInStop(Memory):
    def stop(self):
        _block()


@fails("test_every_call_answers_in_time")
class BlocksInFind(Memory):
    def find(self, *, submissions):
        _block()


@fails("test_every_call_answers_in_time")
class BlocksInObserve(Memory):
    def observe(self, *, submitted):
        _block()


@fails("test_every_call_answers_in_time")
class BlocksBetweenOutcomes(Memory):
    def submit(self, *, requests):
        yield from super().submit(requests=requests)
        _block()


@fails("test_every_call_answers_in_time")
class BlocksInTheConstructor(Memory):
    def __init__(self, settings):
        super().__init__(settings)
        _block()


@fails("test_every_call_answers_in_time")
class BlocksOnceAttemptsAreSettled(Memory):
    def settled(self, *, tokens):
        _block()


# What calls do to their process


@fails("test_no_call_changes_its_process")
class ChangesTheFolder(Memory):
    def observe(self, *, submitted):
        os.chdir(self.context.log_folder)
        return super().observe(submitted=submitted)


@fails("test_no_call_changes_its_process")
class ChangesTheUmask(Memory):
    def submit(self, *, requests):
        os.umask(0)
        return super().submit(requests=requests)


@fails("test_no_call_changes_its_process")
class SetsAVariable(Memory):
    def submit(self, *, requests):
        os.environ["LAB_FOLDER"] = str(self.context.state_folder)
        return super().submit(requests=requests)


@fails("test_no_call_changes_its_process")
class TakesVariablesAway(Memory):
    def find(self, *, submissions):
        os.environ.pop("HOME", None)
        return super().find(submissions=submissions)


@fails("test_no_call_changes_its_process")
class SilencesStandardOutput(Memory):
    def cancel(self, *, submitted):
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115
        super().cancel(submitted=submitted)


@fails("test_no_call_writes_to_standard_output")
class PrintsWhatItDoes(Memory):
    def cancel(self, *, submitted):
        print("cancelling", len(submitted))
        super().cancel(submitted=submitted)


@fails("test_no_call_writes_to_standard_output")
class LetsItsCommandPrint(Memory):
    def start(self, context):
        super().start(context)
        subprocess.run(["echo", "connected"], check=True)


@fails("test_no_call_leaves_something_behind_each_time")
class OpensAFileEachTime(Memory):
    def observe(self, *, submitted):
        _kept.append((self.context.state_folder / "listing").open("w"))
        return super().observe(submitted=submitted)


@fails("test_no_call_leaves_something_behind_each_time")
class StartsAThreadEachTime(Memory):
    def find(self, *, submissions):
        threading.Thread(target=_block, daemon=True).start()
        return super().find(submissions=submissions)


@fails("test_no_call_leaves_something_behind_each_time")
class LeavesAProcessEachTime(Memory):
    def cancel(self, *, submitted):
        _kept.append(subprocess.Popen(["true"]))
        super().cancel(submitted=submitted)
