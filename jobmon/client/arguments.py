"""Arguments of a call: plain values and nothing else, with the places where an upstream's result belongs."""

from collections.abc import Callable
from typing import Any

from jobmon.client.task import Output, Task
from jobmon.worker.values import Plain

#: The key of the object that stands for an upstream's result on the wire.
OUTPUT_KEY = "$output"
_MOST_ITEMS = 10_000_000


class Arguments(Plain):
    """Takes a snapshot of values, collecting what is wrong with them and whose outputs they use."""

    def __init__(self) -> None:
        super().__init__(_MOST_ITEMS)
        self.outputs: dict[Task, None] = {}

    def snapshot(self, value: Any, where: str) -> Any:
        """A copy as it travels, Outputs kept. `where` names it in a problem."""
        return self.take(value, f"argument {where}")

    def check_key(self, key: Any) -> None:
        """Refuse what cannot be a key."""
        if key == OUTPUT_KEY:
            self.refuse(f"has the key {key!r}, which is reserved; use task.output")
        else:
            super().check_key(key)

    def other(self, value: Any) -> Any:
        """The results of other tasks have their places among arguments."""
        if type(value) is Output:
            self.outputs[value.task] = None
            return value
        if isinstance(value, Task):
            return self.refuse(f"is the task {value.name!r}; for its result pass task.output")
        return super().other(value)


def with_outputs(value: Any, refer: Callable[[Task], Any]) -> Any:
    """The snapshot with each Output replaced by `{"$output": refer(task)}`."""
    kind = type(value)
    if kind is Output:
        return {OUTPUT_KEY: refer(value.task)}
    if kind is list:
        return [with_outputs(item, refer) for item in value]
    if kind is dict:
        return {key: with_outputs(item, refer) for key, item in value.items()}
    return value
