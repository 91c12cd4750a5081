"""What a process takes over from whoever started it and its code cannot bear: signals, descriptors, limits.

Standard library alone: the command line imports it before anything else.
"""

import os
import resource
import signal

#: Python itself ignores the first two; the others come from terminals, and who ignores them (nohup) means it.
_LEFT_ALONE = frozenset(
    {
        signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN,
        signal.SIGTTOU,
    }
)  # fmt: skip


def settle() -> None:
    """Put this process, in its main thread, into the state that programs expect: signals arrive, and what is not
    handled does what it does by default (while SIGCHLD is ignored, nobody hears how a child ended); the standard
    descriptors are open.
    """
    hold_standard_descriptors()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - _LEFT_ALONE:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def hold_standard_descriptors() -> None:
    """Open /dev/null as whichever of the descriptors 0, 1 and 2 is closed: else the next file opened would be taken for
    a standard stream, here or in a child."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest that is free
            os.set_inheritable(descriptor, descriptor <= 2)


def raise_limit(which: int, most: int = resource.RLIM_INFINITY) -> int:
    """Allow this process as much of a resource as it may allow itself, up to `most`; how much that is."""
    soft, hard = resource.getrlimit(which)
    wanted = lower_limit(hard, most)
    if lower_limit(soft, wanted) == soft and soft != wanted:
        resource.setrlimit(which, (wanted, hard))
        return wanted
    return soft


def lower_limit(one: int, other: int) -> int:
    """The lower of two limits of a resource, either of which may be RLIM_INFINITY."""
    if resource.RLIM_INFINITY in (one, other):
        return other if one == resource.RLIM_INFINITY else one
    return min(one, other)
