"""Records what the real platform says in the course of a short life, when it is asked to."""

import tempfile
from pathlib import Path
from typing import Any

import pytest

from jobmon.testing.recording import Recording, RecordingInvalid, write
from jobmon.testing.replay_checks import led
from jobmon.testing.set_up import wrong_set_up
from jobmon.testing.taping import Tape


class RecordChecks:
    """Run in the place of all other tests with `--conformance-record FILE`, and else not at all."""

    def test_a_life_on_the_real_platform_is_recorded(self, tmp_path: Path, request: Any) -> None:
        """A life is led, and the file written at its end, whole."""
        tests: Any = self
        path: Path = request.config.getoption("--conformance-record")
        if wrong := wrong_set_up(tests):
            pytest.fail(wrong, pytrace=False)
        parent = tests.shared_folder or tmp_path
        with tempfile.TemporaryDirectory(prefix="jobmon-real-", dir=parent, ignore_cleanup_errors=True) as folder:
            try:
                steps = tuple(led(tests, Tape(), Path(folder) / "life", None))
            except AssertionError as error:
                pytest.fail(f"nothing is recorded: {error}", pytrace=False)
        if not any(step.calls for step in steps):
            pytest.fail("nothing is recorded: the executor ran no command through Executor.run", pytrace=False)
        try:
            write(path, Recording(tests.executor_type.name, steps))
        except (RecordingInvalid, OSError) as error:
            pytest.fail(f"nothing is recorded: {error}", pytrace=False)
