"""Area robustness: names and command lines that mean something to a shell."""

from jobmon.plugins import Pending, Reporting, Running
from jobmon.testing.fault_checks import succeeded
from jobmon.testing.sentences import Area, does_not_apply, holds
from jobmon.testing.world import World

HOSTILE = (
    "two words",
    "it's",
    'a "quote"',
    "$(touch PWNED)",
    "`touch PWNED`",
    "; touch PWNED",
    "line\nbreak",
    "-n",
    "*",
    "\\",
    "%s",
    "#$ -S /bin/false",
    "ü",
    " blanks at the edges ",
    "a line's end\n",
    "\t",
    "",
)


#: So long is no single argument of a program, nor a variable of its environment.
TOO_LONG = "x" * 128 * 1024


def hostile(world: World) -> list[str]:
    """Texts that mean something to a shell; run, they make a file PWNED in the world's folder."""
    return [text.replace("PWNED", str(world.folder / "PWNED")) for text in HOSTILE]


class HostileChecks:
    """Nothing of a task's own text is ever interpreted on its way."""

    @holds(Area.ROBUSTNESS, "task_name is the user's own text and is never put on a command line.")
    def test_hostile_task_names_do_no_harm(self, world: World) -> None:
        texts = [TOO_LONG, *hostile(world)]
        for text in texts[: world.batch(len(texts))]:
            request = world.requests(name=text)[0]
            one = world.submitted(request, world.submit([request]).of(request.token))
            seen = world.look(one)
            assert isinstance(seen, Pending | Running) or succeeded(seen), f"{text[:100]!r}: {seen!r}"
            assert not (world.folder / "PWNED").exists(), f"the task name {text!r} was run"

    @holds(Area.ROBUSTNESS, "worker_argv is run as it was given.")
    def test_the_workers_command_line_arrives_as_it_was_given(self, world: World) -> None:
        if world.conformance.executor_type.reporting is not Reporting.WORKER:
            does_not_apply("it places no workers")
        request = world.requests(arguments=hostile(world))[0]
        one = world.submitted(request, world.submit([request]).of(request.token))
        given = world.platform.arguments(one.executor_job_id)
        assert given == list(request.worker_argv), f"given {list(request.worker_argv)}, run {given}"
        assert not (world.folder / "PWNED").exists(), "an argument was run"
