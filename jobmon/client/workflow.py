"""What the user writes: a workflow of tasks."""

import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from jobmon.client.checking import check
from jobmon.client.elsewhere import served_elsewhere
from jobmon.client.identity import args_text
from jobmon.client.import_paths import script_folder
from jobmon.client.interrupts import hearing_of_children
from jobmon.client.least import check_limits
from jobmon.client.result import WorkflowResult
from jobmon.client.task import NOTHING, Task, tags_of
from jobmon.client.uncaught import speak_plainly
from jobmon.config import Config, load_config
from jobmon.errors import InvalidWorkflow
from jobmon.inherited import hold_standard_descriptors
from jobmon.plugins.registry import Registry
from jobmon.whereabouts import working_folder
from jobmon.worker.calls import LOADING, SCRIPT_NAME

if TYPE_CHECKING:
    from jobmon.requester import Requester

ManagerPlace = Literal["process", "in-process", "none"]
speak_plainly()


class Workflow:
    """A graph of tasks that runs as one, known by its name and `workflow_args`.

    `workflow_args` tells this workflow from others of its name: what was run with the same can be resumed. Without them
    each run is of a fresh workflow. `executor`, `resources`, `max_attempts`, `env`, `cwd` and `tags` are for tasks that
    say nothing else. With `fail_fast` the first failure stops the run.
    """

    def __init__(
        self,
        name: str,
        *,
        workflow_args: Any = None,
        executor: str | None = None,
        max_attempts: int = 1,
        fail_fast: bool = False,
        resources: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        tags: Iterable[str] = (),
    ) -> None:
        self.name = name
        self.workflow_args = args_text(workflow_args)
        self.executor = executor
        self.max_attempts = max_attempts
        self.fail_fast = fail_fast
        self.resources = resources or NOTHING
        self.env = env or NOTHING
        self.cwd = cwd
        self.tags = tags_of(tags)
        self.tasks: list[Task] = []
        self.result: WorkflowResult | None = None  #: of the last run, also when Ctrl-C ended it

    def add_task(self, task: Task) -> Task:
        """Add a task and return it. One without a name is named `task-N`, or after its function, with its position."""
        if not isinstance(task, Task):
            raise InvalidWorkflow(f"{task!r} is no task; add a BashTask or a PythonTask")
        self.tasks.append(task)
        if task.name is None:
            task.name = task.default_name(len(self.tasks))
        return task

    def add_tasks(self, tasks: Iterable[Task]) -> None:
        """Add several tasks."""
        for task in tasks:
            self.add_task(task)

    def validate(self) -> None:
        """Look for everything that can be known to be wrong, as `run` does first, and start nothing.

        Raises:
            JobmonError: as `run`.
        """
        check(self, load_config(script_folder()), Registry(), served=partial(served_elsewhere, None))

    def run(
        self,
        *,
        resume: bool = False,
        take_over: bool = False,
        manager: ManagerPlace = "process",
        progress: bool = True,
        config: Config | None = None,
        requester: "Requester | None" = None,
    ) -> WorkflowResult:
        """Run the workflow to its end and say what came of it; a task that fails raises nothing here.

        `resume` goes on with a workflow of this name and workflow_args: what is done stays done, what runs is adopted,
        the rest runs; without workflow_args there is none, and it warns. `take_over` ends another active run of it,
        wherever its client is. `manager`: in a process of its own, in this one (for debugging), or none, when `jobmon
        manager` runs elsewhere. `progress` false shows nothing.

        The first Ctrl-C stops politely: running jobs are told to end, this waits until they are, and then raises
        KeyboardInterrupt (the result is in `self.result`); the second raises it at once.

        Raises:
            InvalidWorkflow, ConfigurationError, PluginError: something is wrong with it; nothing was started.
            WorkflowExists: it was run before, and `resume` is not said.
            WorkflowChanged: it is not the graph that is to be resumed; the text shows the difference.
            WorkflowActive: another run of it is alive.
            ServerError, StoreError: there is no server, or it cannot work.
            Superseded: another run took the place of this one.
        """
        from jobmon.client.running import (  # the parts that talk over HTTP are slow to import
            manager_ahead,
            run_workflow,
        )

        if hasattr(sys.modules.get(SCRIPT_NAME), LOADING):
            raise InvalidWorkflow(
                "this script is being loaded for a function that a task calls, and would run its workflow again. "
                'Put what builds and runs the workflow under: if __name__ == "__main__":'
            )

        if manager not in ("process", "in-process", "none"):
            raise InvalidWorkflow(f'manager is {manager!r}; it must be "process", "in-process" or "none"')
        if resume and self.workflow_args is None:
            warnings.warn(
                f"workflow {self.name!r} has no workflow_args, so that resume=True finds nothing to go on with and "
                "this run is of a new workflow: give workflow_args, such as a date; the same ones then go on",
                stacklevel=2,
            )
        hold_standard_descriptors()
        check_limits()
        with hearing_of_children():
            config = load_config(script_folder()) if config is None else config
            served = partial(served_elsewhere, requester)
            plan = check(self, config, Registry(), elsewhere=manager == "none", served=served)
            with manager_ahead(manager, plan, config) as process:
                return run_workflow(
                    self, plan, config, resume=resume, take_over=take_over, manager=manager, process=process,
                    show=progress, requester=requester,
                )  # fmt: skip

    def working_folder(self) -> str:
        """Where commands run that say nothing else: `cwd`, else the working folder of this process."""
        return str(working_folder() / (self.cwd or ""))

    def __repr__(self) -> str:
        return f"<Workflow {self.name!r}, {len(self.tasks):,} tasks>"
