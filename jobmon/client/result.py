"""What came of a run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from jobmon.client.failures import cause_key, stderr_end
from jobmon.client.printing import printable_lines
from jobmon.dag import TaskDag
from jobmon.errors import WorkflowFailed
from jobmon.managers.job_list_manager import STATES, JobListManager
from jobmon.states.names import JobState, RunState
from jobmon.states.reasons import Reason
from jobmon.wire import routes
from jobmon.wire.runs import ReadResult
from jobmon.worker.values import restored

if TYPE_CHECKING:
    from jobmon.requester import Requester

_SHOWN = 20
_EXAMPLES = 3


@attrs.frozen
class TaskResult:
    """How one task stands at the end of a run. `blocked`: it is waiting for something above it that failed."""

    name: str
    job_id: int
    state: JobState
    reason: Reason | None
    detail: str | None
    blocked: bool
    _requester: "Requester" = attrs.field(repr=False, eq=False)
    _failed_above: Callable[[], str] = attrs.field(repr=False, eq=False)

    @property
    def ok(self) -> bool:
        """It is done."""
        return self.state is JobState.DONE

    @property
    def value(self) -> Any:
        """What the task's function returned, asked of the server now; None for a command.

        Raises:
            WorkflowFailed: the task is not done.
        """
        if not self.ok:
            raise WorkflowFailed(f"task {self.name!r} has no value: {self.why}")
        text = self._requester.call(routes.RESULT, ReadResult(self.job_id)).value
        return None if text is None else restored(msgspec.json.decode(text))

    @property
    def why(self) -> str:
        """Its state in a sentence, fit to be printed."""
        if self.blocked:
            return f"waiting for {self._failed_above()!r}, which failed"
        detail = f"({printable_lines(self.detail)})" if self.detail else ""
        parts = [str(self.state), str(self.reason) if self.reason else "", detail]
        return " ".join(part for part in parts if part)


class WorkflowResult:
    """What came of a run: its state, and that of every task by name."""

    def __init__(
        self,
        *,
        name: str,
        workflow_id: int,
        run_number: int,
        state: RunState,
        elapsed_s: float,
        executors: tuple[str, ...],
        dag: TaskDag,
        jobs: JobListManager,
        requester: "Requester",
    ) -> None:
        self.name = name
        self.workflow_id = workflow_id
        self.run_number = run_number
        self.state = state
        self.elapsed_s = elapsed_s
        self._executors, self._dag, self._jobs, self._requester = executors, dag, jobs, requester
        self._position_of: dict[str, int] = {}

    @property
    def ok(self) -> bool:
        """Every task is done."""
        return self.state is RunState.DONE

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """For each executor, how many of its jobs are in each state (those with none left out)."""
        return {
            executor: {str(state): n for state, n in zip(STATES, counts, strict=True) if n}
            for executor, counts in zip(self._executors, self._jobs.counts, strict=True)
        }

    def __len__(self) -> int:
        return len(self._dag)

    def __iter__(self) -> Iterator[TaskResult]:
        return (self._at(position) for position in range(len(self._dag)))

    def __getitem__(self, name: str) -> TaskResult:
        """The task of that name.

        Raises:
            KeyError: there is none.
        """
        if not self._position_of:
            self._position_of = {task: position for position, task in enumerate(self._dag.names)}
        return self._at(self._position_of[name])

    @property
    def failures(self) -> list[TaskResult]:
        """Tasks that failed, in the order in which that was heard."""
        return self._ended_as(JobState.ERROR_FATAL)

    @property
    def cancelled(self) -> list[TaskResult]:
        """Tasks that were ended on request, or did not start because of it."""
        return self._ended_as(JobState.CANCELLED)

    def _ended_as(self, state: JobState) -> list[TaskResult]:
        return [self._at(position) for position, change in self._jobs.failures.items() if change.state is state]

    @property
    def blocked(self) -> list[TaskResult]:
        """Tasks that are waiting for something above them that failed."""
        return [self._at(position) for position in range(len(self._dag)) if self._jobs.is_blocked(position)]

    def raise_for_failures(self) -> None:
        """Nothing, when every task is done.

        Raises:
            WorkflowFailed: some are not; the text names them and says why.
        """
        if self.ok:
            return
        lines = self._failure_lines(self.failures)
        for word, number in (("cancelled", len(self.cancelled)), ("waiting for what failed", len(self.blocked))):
            lines += [f"  {number:,} {word}"] if number else []
        n_done = sum(counts.get(JobState.DONE, 0) for counts in self.counts.values())
        head = f"workflow {self.name!r} (workflow {self.workflow_id}, run {self.run_number}) ended as {self.state}: "
        raise WorkflowFailed("\n".join([f"{head}{n_done:,} of {len(self):,} tasks are done", *lines]))

    def _failure_lines(self, failures: Sequence[TaskResult]) -> list[str]:
        """A line for each cause, with the tasks that it hit and the last words of the first."""
        causes: dict[tuple[object, ...], list[TaskResult]] = {}
        for task in failures:
            causes.setdefault(cause_key(task.name, task.reason, task.detail), []).append(task)
        lines = []
        for tasks in list(causes.values())[:_SHOWN]:
            names = ", ".join(task.name for task in tasks[:_EXAMPLES])
            names = f"{len(tasks):,} tasks, such as {names}" if len(tasks) > _EXAMPLES else names
            lines.append(f"  {names}: {tasks[0].why}")
            path, words = stderr_end(self._requester, tasks[0].job_id)
            lines += [f"    stderr: {words}"] if words and words not in tasks[0].why else []
            lines += [f"    log: {path}"] if path else []
        return [*lines, f"  and {len(causes) - _SHOWN:,} more causes"] if len(causes) > _SHOWN else lines

    def __repr__(self) -> str:
        return f"<WorkflowResult {self.name!r} workflow {self.workflow_id} run {self.run_number}: {self.state}>"

    def _at(self, position: int) -> TaskResult:
        change = self._jobs.failures.get(position)
        return TaskResult(
            self._dag.names[position],
            self._jobs.job_id(position),
            self._jobs.state(position),
            change.reason if change else None,
            change.detail if change else None,
            self._jobs.is_blocked(position),
            self._requester,
            lambda: self._dag.names[self._jobs.failed_above(position)],
        )
