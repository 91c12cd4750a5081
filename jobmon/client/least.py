"""The least that this host must allow a run, told before anything is started."""

import resource

from jobmon.errors import ConfigurationError

#: Limit, how much of it the parts of a run need, of what, and the shell's word for it.
_LEAST = (
    (resource.RLIMIT_NOFILE, 64, "files open at once", "ulimit -n"),
    (resource.RLIMIT_FSIZE, 4 << 20, "bytes in a file", "ulimit -f"),
)


def check_limits() -> None:
    """See that server, manager and agent may have what they need.

    Raises:
        ConfigurationError: they may not.
    """
    for which, least, what, word in _LEAST:
        allowed = resource.getrlimit(which)[0]
        if allowed != resource.RLIM_INFINITY and allowed < least:
            raise ConfigurationError(
                f"this process, and what it starts, may have only {allowed} {what}; a run needs {least} at least. "
                f"Raise the limit ({word}), or set it in the commands of the tasks that are to have it"
            )
