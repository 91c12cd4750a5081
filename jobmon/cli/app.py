"""The group of commands: imports a command's module when it is used, turns errors into one message and an exit code."""

import errno
import importlib
import sys
from typing import Any

import click

from jobmon.cli.streams import drop_output, flush_output, prepare_streams, tell
from jobmon.inherited import settle

#: What writing to a stream may fail with.
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EBADF, errno.EIO, errno.EFBIG, errno.EDQUOT, errno.EAGAIN)
#: Command -> (module, what it is for). The function has the command's name.
COMMANDS = {
    "executors": (
        "jobmon.cli.executors",
        "List installed executor types and the executors of jobmon.toml.",
    ),
    "status": ("jobmon.cli.status", "Show how workflows stand, or one workflow by executor."),
    "jobs": ("jobmon.cli.jobs", "List the jobs of a workflow."),
    "logs": ("jobmon.cli.logs", "Print what an attempt of a job wrote."),
    "server": ("jobmon.cli.server", "Run a server in the foreground."),
    "manager": ("jobmon.cli.manager", "Serve executors from this host."),
    "backup": ("jobmon.cli.backup", "Copy the database, also while a server runs."),
    "check": ("jobmon.cli.check", "Look whether the database is whole."),
    "plugin": ("jobmon.cli.plugin", "Write executor types, and check them."),
}


class _Commands(click.Group):
    """The commands of the table above, imported one by one."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            answer = super().invoke(ctx)
            flush_output()
        except BrokenPipeError:  # kept from click, for which it is a failure
            drop_output()  # the reader, such as head, has gone
            return None
        return answer

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(COMMANDS)}"
            raise click.UsageError(f"no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


def _show_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"jobmon {version('jobmon')}")
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
def cli() -> None:
    """Jobmon runs workflows of tasks on executors and loses nothing."""


def main() -> None:
    """Run the command line and exit with a code of `jobmon.cli.exits`."""
    settle()
    prepare_streams()
    sys.exit(run())


def run(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    from jobmon.cli.exits import Exit, exit_code
    from jobmon.errors import JobmonError

    try:
        answer: Any = cli.main(args=argv, prog_name="jobmon", standalone_mode=False)
        return int(answer or Exit.OK)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        tell(error.show)
        return error.exit_code
    except JobmonError as error:
        message = f"jobmon.{type(error).__name__}: {error}"
        tell(lambda: click.echo(message, err=True))
        return exit_code(error)
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except OSError as error:
        return _not_done(error)


def _not_done(error: OSError) -> int:
    """What the system refused, in words: a file that it names, the working folder, or to take what is printed."""
    from jobmon.cli.exits import Exit

    code = Exit.CONFIGURATION
    if error.filename is not None:
        said = f"{error.filename}: {error.strerror}"
    elif error.errno in _OUTPUT_ERRORS:
        drop_output()
        said, code = f"the answer cannot be written to standard output: {error.strerror}", Exit.OUTPUT
    elif error.errno == errno.ENOENT:  # what os.getcwd says
        said = "the working folder is gone: change to one that is there"
    else:
        said = f"{error.strerror or error}"
    tell(lambda: click.echo(f"jobmon: {said}", err=True))
    return code
