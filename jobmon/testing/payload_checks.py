"""Area robustness: executors that run commands and calls themselves run them as they were given."""

import json
import sys
from typing import Any

import attrs

from jobmon.plugins import Call, Command, Exited, Reason, Reporting
from jobmon.testing.hostile_checks import hostile
from jobmon.testing.sentences import Area, does_not_apply, holds
from jobmon.testing.world import World

_LONG = 128 * 1024
_RECORD = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('\\0'.join(sys.argv[2:]))"


class PayloadChecks:
    """Running the payload."""

    @staticmethod
    def _run(world: World, **payload: object) -> Exited:
        cls, conformance = world.conformance.executor_type, world.conformance
        if cls.reporting is not Reporting.PLATFORM or not conformance.runs_payloads:
            does_not_apply("it runs no commands and calls itself")
        changes: dict[str, Any] = {"command": None, "call": None} | payload
        request = attrs.evolve(world.requests()[0], **changes)
        seen = world.ended(world.submitted(request, world.submit([request]).of(request.token)))
        assert isinstance(seen, Exited), f"it is {seen!r}"
        return seen

    @holds(Area.ROBUSTNESS, "A command runs with environment set, in the folder cwd, whatever the values hold.")
    def test_a_command_gets_its_environment_and_folder(self, world: World) -> None:
        folder, out = world.folder / "it's a $(folder)", world.folder / "out"
        folder.mkdir()
        long = "y" * (_LONG - 100)  # with its name, as long as a variable may be
        values = {f"JOBMON_KIT_{number}": text for number, text in enumerate([long, *hostile(world)])}
        shell = "printf '%s\\0' \"$PWD\" " + " ".join(f'"${{{name}-is not set}}"' for name in values) + f" > '{out}'"
        seen = self._run(world, command=Command(shell=shell), environment=values, cwd=str(folder))
        assert seen.reason is None, f"it is {seen!r}"
        _assert_same([str(folder), *values.values()], out.read_text().split("\0")[:-1])

    @holds(Area.ROBUSTNESS, "A command is looked for along the PATH of environment.")
    def test_a_command_is_looked_for_along_its_path(self, world: World) -> None:
        out, tool = world.folder / "out", world.folder / "tools" / "jobmon-kit-tool"
        tool.parent.mkdir()
        tool.write_text('#!/bin/sh\necho "$@" >> "$JOBMON_KIT_OUT"\n')
        tool.chmod(0o700)
        values = {"PATH": f"{tool.parent}:/usr/bin:/bin", "JOBMON_KIT_OUT": str(out)}
        for command in (Command(shell=f"{tool.name} shell"), Command(argv=[tool.name, "argv"])):
            seen = self._run(world, command=command, environment=values)
            assert seen.reason is None, f"{command} with a PATH that leads to it is {seen!r}"
        assert out.read_text() == "shell\nargv\n", f"the tool was run with {out.read_text()!r}"

    @holds(Area.ROBUSTNESS, "The output of a command goes to the files stdout and stderr; their folder may be missing.")
    def test_a_commands_output_is_in_its_files(self, world: World) -> None:
        out, err = world.folder / "logs" / "1.out", world.folder / "logs" / "1.err"
        seen = self._run(world, command=Command(shell="echo out; echo err >&2"), stdout=str(out), stderr=str(err))
        assert seen.reason is None, f"it is {seen!r}"
        texts = {path.name: path.read_text() if path.exists() else None for path in (out, err)}
        assert texts == {"1.out": "out\n", "1.err": "err\n"}, f"the files hold {texts}"

    @holds(Area.ROBUSTNESS, "A list of arguments is run without a shell, as it was given.")
    def test_a_commands_arguments_arrive_as_they_were_given(self, world: World) -> None:
        out = world.folder / "out"
        argv = [sys.executable, "-P", "-c", _RECORD, str(out), *hostile(world)]
        seen = self._run(world, command=Command(argv=argv))
        assert seen.reason is None, f"it is {seen!r}"
        _assert_same(hostile(world), out.read_text().split("\0"))

    @holds(Area.ROBUSTNESS, "A shell command of 128 kB runs whole.")
    def test_a_long_shell_command_runs_whole(self, world: World) -> None:
        out = world.folder / "out"
        seen = self._run(world, command=Command(shell=f"printf {'x' * _LONG} > '{out}'\nprintf end >> '{out}'"))
        assert seen.reason is None, f"it is {seen!r}"
        assert len(out.read_text()) == _LONG + 3, f"{len(out.read_text())} characters of {_LONG + 3} came"

    @holds(Area.ROBUSTNESS, "The status of a command that fails is told, as EXIT_NONZERO.")
    def test_the_status_of_a_failing_command_is_told(self, world: World) -> None:
        seen = self._run(world, command=Command(shell="exit 3"))
        assert (seen.status, seen.reason) == (3, Reason.EXIT_NONZERO), f"it is {seen!r}"

    @holds(Area.ROBUSTNESS, "result is the JSON text of what a call returned.")
    def test_the_result_of_a_call_is_told(self, world: World) -> None:
        call = Call("json", "loads", args=['{"a": [1, null]}'], python=sys.executable)
        seen = self._run(world, call=call)
        assert seen.result is not None, f"it is {seen!r}"
        assert json.loads(seen.result) == {"a": [1, None]}, f"it is {seen!r}"

    @holds(Area.ROBUSTNESS, "A call that raises is EXIT_NONZERO, and detail says what it raised.")
    def test_a_call_that_raises_is_a_failure_with_its_words(self, world: World) -> None:
        seen = self._run(world, call=Call("json", "loads", args=["nonsense"], python=sys.executable))
        assert seen.reason is Reason.EXIT_NONZERO, f"it is {seen!r}"
        assert "Expecting value" in (seen.detail or ""), f"it is {seen!r}"


def _assert_same(given: list[str], came: list[str]) -> None:
    wrong = [(one, other) for one, other in zip(given, came, strict=False) if one != other]
    assert not wrong, f"given {wrong[0][0]!r}, it came as {wrong[0][1]!r}"
    assert len(given) == len(came), f"{len(given)} were given, {len(came)} came"
