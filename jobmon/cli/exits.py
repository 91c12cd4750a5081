"""Exit codes of the command `jobmon`, for scripts. docs/cli.md repeats them; a test compares the two."""

from enum import IntEnum

from jobmon import errors


class Exit(IntEnum):
    """How a command ended."""

    OK = 0  #: fine
    FAILED = 1  #: the question was answered, and the answer is that some job failed or some plugin cannot be used
    USAGE = 2  #: the command line is wrong
    SERVER = 3  #: no server answers, or it does not accept the token or the version
    CONFIGURATION = 4  #: jobmon.toml, the environment or an executor plugin is wrong
    REFUSED = 5  #: what was asked for does not exist or is refused
    OUTPUT = 6  #: standard output is closed or full: the answer could not be written
    INTERRUPTED = 130  #: stopped by Ctrl-C


def exit_code(error: errors.JobmonError) -> Exit:
    """The exit code that tells of an error."""
    if isinstance(error, errors.ServerError | errors.StoreError):
        return Exit.SERVER
    if isinstance(error, errors.ConfigurationError | errors.PluginError):
        return Exit.CONFIGURATION
    return Exit.REFUSED
