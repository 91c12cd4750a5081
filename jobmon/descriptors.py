"""The standard descriptors of a process. Standard library alone: the command line imports it before anything else."""

import os


def hold_standard_descriptors() -> None:
    """Open /dev/null as whichever of the descriptors 0, 1 and 2 is closed: else the next file opened would be taken for
    a standard stream, here or in a child."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest that is free
            os.set_inheritable(descriptor, descriptor <= 2)
