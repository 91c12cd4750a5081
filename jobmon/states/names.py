"""The states of the three machines, each explained in a sentence."""

from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands."""

    __hash__ = str.__hash__  # an Enum hashes in Python, and these are looked up more than anything else
    __repr__ = str.__repr__  # people see text

    REGISTERED = "REGISTERED"  #: known to the server; waits for its upstream jobs
    ADJUSTING_RESOURCES = "ADJUSTING_RESOURCES"  #: the resources of its next attempt are being worked out
    QUEUED_FOR_INSTANTIATION = "QUEUED_FOR_INSTANTIATION"  #: waits for a manager that serves its executor
    INSTANTIATED = "INSTANTIATED"  #: has a live attempt that does not run yet
    RUNNING = "RUNNING"  #: its attempt has won the start
    DONE = "DONE"  #: succeeded; final for ever
    ERROR_RECOVERABLE = "ERROR_RECOVERABLE"  #: its attempt failed and another one is due
    ERROR_FATAL = "ERROR_FATAL"  #: failed and has no attempt left; final within the run
    CANCELLED = "CANCELLED"  #: ended on request; final within the run


class InstanceState(StrEnum):
    """Where one attempt to run a job stands."""

    __hash__ = str.__hash__  # an Enum hashes in Python, and these are looked up more than anything else
    __repr__ = str.__repr__  # people see text

    INSTANTIATED = "INSTANTIATED"  #: claimed by a manager
    SUBMITTING = "SUBMITTING"  #: committed with its token, about to be given to the platform
    SUBMITTED_TO_BATCH_EXECUTOR = "SUBMITTED_TO_BATCH_EXECUTOR"  #: accepted by the platform
    RUNNING = "RUNNING"  #: its worker has won the start
    CANCELLING = "CANCELLING"  #: its end was asked for; the platform is told until it is gone
    DONE = "DONE"  #: succeeded
    ERROR = "ERROR"  #: the command failed
    RESOURCE_ERROR = "RESOURCE_ERROR"  #: it wanted more memory or time than it had asked for
    UNKNOWN_ERROR = "UNKNOWN_ERROR"  #: lost, or ended by the platform
    NO_EXECUTOR_ID = "NO_EXECUTOR_ID"  #: the platform refused it, or never accepted it
    CANCELLED = "CANCELLED"  #: ended because its end was asked for
    RETURNED = "RETURNED"  #: never sent, or given back unsent; the job queues again, uncharged


class RunState(StrEnum):
    """Where one run of a workflow stands."""

    __hash__ = str.__hash__  # an Enum hashes in Python, and these are looked up more than anything else
    __repr__ = str.__repr__  # people see text

    REGISTERED = "REGISTERED"  #: known to the server; its jobs are being bound
    BOUND = "BOUND"  #: all jobs are bound
    RUNNING = "RUNNING"  #: jobs are being queued
    STOPPING = "STOPPING"  #: its end was asked for; live attempts are being ended
    DONE = "DONE"  #: every job is done
    ERROR = "ERROR"  #: no job can go on and some are not done
    STOPPED = "STOPPED"  #: ended on request
    LOST = "LOST"  #: its client is gone


FINAL_JOB_STATES = frozenset({JobState.DONE, JobState.ERROR_FATAL, JobState.CANCELLED})
FINAL_INSTANCE_STATES = frozenset(
    {
        InstanceState.DONE,
        InstanceState.ERROR,
        InstanceState.RESOURCE_ERROR,
        InstanceState.UNKNOWN_ERROR,
        InstanceState.NO_EXECUTOR_ID,
        InstanceState.CANCELLED,
        InstanceState.RETURNED,
    }
)
FINAL_RUN_STATES = frozenset({RunState.DONE, RunState.ERROR, RunState.STOPPED, RunState.LOST})
