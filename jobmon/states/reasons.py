"""Why an attempt ended, and which final state that is: the one table (architecture, "The state machines")."""

from enum import StrEnum
from types import MappingProxyType

from jobmon.states.names import InstanceState


class Reason(StrEnum):
    """Why an attempt did not succeed. The retry policy reads nothing else."""

    __hash__ = str.__hash__  # an Enum hashes in Python, and these are looked up more than anything else
    __repr__ = str.__repr__  # people see text

    EXIT_NONZERO = "EXIT_NONZERO"  #: the command ended with a status other than 0, or the call raised
    SIGNALLED = "SIGNALLED"  #: the command was ended by a signal that nobody of Jobmon sent
    OUT_OF_MEMORY = "OUT_OF_MEMORY"  #: it used more memory than it had asked for
    TIMEOUT = "TIMEOUT"  #: it ran longer than it had asked for
    NODE_FAILURE = "NODE_FAILURE"  #: the host, or what ran the command there, went away
    PREEMPTED = "PREEMPTED"  #: the platform took the place for another job
    CANCELLED = "CANCELLED"  #: somebody asked for its end
    CANCELLED_BY_USER = "CANCELLED_BY_USER"  #: its own user ended it at the platform: its job is cancelled
    SUBMIT_REJECTED = "SUBMIT_REJECTED"  #: refused for good, by the platform, or as its arguments cannot be given to it
    LOST = "LOST"  #: it is gone and nothing tells how it ended
    UNKNOWN = "UNKNOWN"  #: the platform says something that the plugin does not know


#: The final state of an attempt that ended for a reason; success has no reason and is DONE.
FINAL_STATE = MappingProxyType(
    {
        Reason.OUT_OF_MEMORY: InstanceState.RESOURCE_ERROR,
        Reason.TIMEOUT: InstanceState.RESOURCE_ERROR,
        Reason.EXIT_NONZERO: InstanceState.ERROR,
        Reason.SIGNALLED: InstanceState.ERROR,
        Reason.CANCELLED: InstanceState.CANCELLED,
        Reason.CANCELLED_BY_USER: InstanceState.CANCELLED,
        Reason.NODE_FAILURE: InstanceState.UNKNOWN_ERROR,
        Reason.PREEMPTED: InstanceState.UNKNOWN_ERROR,
        Reason.SUBMIT_REJECTED: InstanceState.UNKNOWN_ERROR,
        Reason.LOST: InstanceState.UNKNOWN_ERROR,
        Reason.UNKNOWN: InstanceState.UNKNOWN_ERROR,
    }
)

#: The task's own faults: only these use up its attempts.
CHARGED = frozenset({Reason.EXIT_NONZERO, Reason.SIGNALLED, Reason.OUT_OF_MEMORY, Reason.TIMEOUT})


def final_state(reason: Reason | None) -> InstanceState:
    """The final state of an attempt that ended for `reason`; None means success."""
    return InstanceState.DONE if reason is None else FINAL_STATE[reason]
