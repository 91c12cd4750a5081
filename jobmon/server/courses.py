"""Records of which the same has become within a transaction go on together."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from jobmon.states.instances import Accepted, InstanceEvent, JobInstance
from jobmon.states.jobs import Job
from jobmon.store.history import Entry

Key = TypeVar("Key", int, str)
Record = TypeVar("Record", Job, JobInstance)


class Course(msgspec.Struct, Generic[Record], frozen=True, eq=False):
    """What has become of records within the transaction."""

    stored: Record | None  #: the like of how they are stored; None for new ones
    now: Record  #: the like of how they are now
    entry: Entry | None = None  #: None as long as nothing happened to them

    def happened(self, event: str, now: Record, attempt: int) -> "Course[Record]":
        """The course of those to which this happened next; an event that changed nothing comes in brackets."""
        name = event if now is not self.now else f"({event})"
        if self.entry is None:
            return Course(self.stored, now, Entry(name, self.now.state, None, now.state, attempt))
        return Course(self.stored, now, self.entry.extended(name, now.state))


def alike(
    events: Iterable[tuple[str, InstanceEvent]], courses: Mapping[str, Course[JobInstance]]
) -> Iterable[list[tuple[str, InstanceEvent]]]:
    """The events in groups for each of which one decision holds; those of one record stay in their order."""
    groups: dict[tuple[int, int], list[tuple[str, InstanceEvent]]] = {}
    seen: set[str] = set()
    for pair in events:
        key, event = pair
        if key in seen:  # what comes of its earlier event must be known first
            yield from groups.values()
            groups, seen = {}, set()
        seen.add(key)
        sort = 0 if type(event) is Accepted else id(event)
        place = (sort, id(courses[key]))
        group = groups.get(place)
        if group is None:
            groups[place] = [pair]
        else:
            group.append(pair)
    yield from groups.values()


def of_one_course(keys: Sequence[Key], courses: Mapping[Key, Course[Record]]) -> Iterable[list[Key]]:
    """The keys in groups of one course each; one that is there twice comes again when the first time is done with."""
    while keys:
        groups: dict[int, list[Key]] = {}
        once = dict.fromkeys(keys)
        for key in once:
            course = id(courses[key])
            group = groups.get(course)
            if group is None:
                groups[course] = [key]
            else:
                group.append(key)
        yield from groups.values()
        keys = _repeated(keys) if len(once) < len(keys) else ()


def _repeated(keys: Iterable[Key]) -> list[Key]:
    seen: set[Key] = set()
    repeated = []
    for key in keys:
        if key in seen:
            repeated.append(key)
        seen.add(key)
    return repeated


def by_course(courses: Mapping[Key, Course[Record]]) -> Iterable[tuple[Course[Record], list[Key]]]:
    """Each course, and the keys of the records that share it."""
    found: dict[int, tuple[Course[Record], list[Key]]] = {}
    for key, course in courses.items():
        group = found.get(id(course))
        if group is None:
            found[id(course)] = (course, [key])
        else:
            group[1].append(key)
    return found.values()
