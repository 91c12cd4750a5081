"""Processes found by their mark."""

import subprocess
import sys
import uuid

from jobmon.processes import kill_marked, marked

MARK = "JOBMON_TEST_MARK"


def test_a_process_is_found_from_the_moment_that_its_start_is_known_to_have_succeeded() -> None:
    for _ in range(50):
        value = uuid.uuid4().hex
        with subprocess.Popen(["sleep", "100"], env={MARK: value}) as process:
            try:
                assert list(marked(MARK, value)) == [(process.pid, value)]
            finally:
                process.kill()


def test_processes_without_an_environment_and_those_that_ended_are_passed_over() -> None:
    value = uuid.uuid4().hex
    bare = subprocess.Popen(["sleep", "100"], env={})
    ended = subprocess.Popen([sys.executable, "-c", "pass"], env={MARK: value})
    try:
        while list(marked(MARK, value)):  # until it has ended; nobody collects it, so it stays as a zombie
            pass
        assert kill_marked(MARK, value) == 0
        assert bare.poll() is None
    finally:
        bare.kill()
        bare.wait()
        ended.wait()
