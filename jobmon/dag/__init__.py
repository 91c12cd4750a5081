"""The graph of a workflow's tasks, as numbers: who waits for whom, who is ready, who is blocked by a failure."""

from jobmon.dag.blocked import BlockedSet
from jobmon.dag.graph import TaskDag
from jobmon.dag.ready import ReadySet

__all__ = ["BlockedSet", "ReadySet", "TaskDag"]
