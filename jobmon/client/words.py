"""The words in which job states are counted for people; docs/states.md has the states themselves."""

from collections.abc import Mapping
from types import MappingProxyType

from jobmon.states.names import JobState

#: Each word, and the states that it counts. Every state is counted under one word.
WORDS: Mapping[str, tuple[JobState, ...]] = MappingProxyType(
    {
        "waiting": (JobState.REGISTERED,),
        "queued": (JobState.ADJUSTING_RESOURCES, JobState.QUEUED_FOR_INSTANTIATION, JobState.ERROR_RECOVERABLE),
        "submitted": (JobState.INSTANTIATED,),
        "running": (JobState.RUNNING,),
        "done": (JobState.DONE,),
        "failed": (JobState.ERROR_FATAL,),
        "cancelled": (JobState.CANCELLED,),
    }
)


def counted(states: Mapping[str, int]) -> dict[str, int]:
    """Jobs by word, from jobs by state."""
    return {word: sum(states.get(state, 0) for state in group) for word, group in WORDS.items()}


def word_of(state: JobState) -> str:
    """The word under which a state is counted."""
    return next(word for word, group in WORDS.items() if state in group)
