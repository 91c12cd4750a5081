"""One run of a checked workflow, from the connection to the result."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jobmon.client.aside import beside_the_run
from jobmon.client.capture import captured, left_out
from jobmon.client.failures import FailureLines
from jobmon.client.following import Following
from jobmon.client.interrupts import outliving_the_terminal, two_presses
from jobmon.client.manager_process import ManagerProcess
from jobmon.client.opening import open_run
from jobmon.client.plan import Plan
from jobmon.client.printing import span
from jobmon.client.progress import progress
from jobmon.client.reach import make_reachable
from jobmon.client.result import WorkflowResult
from jobmon.client.resuming import match
from jobmon.client.specs import digests, specs
from jobmon.client.views import View, choose_view
from jobmon.config import Config
from jobmon.errors import ConfigurationError, JobmonError, WorkflowChanged
from jobmon.managers.job_list_manager import JobListManager
from jobmon.processes import identify
from jobmon.requester import Requester, connect
from jobmon.trust import make_folder
from jobmon.whereabouts import working_folder
from jobmon.wire import routes
from jobmon.wire.runs import OpenRun, RunContext, RunOpened, StopRun
from jobmon.worker.command import MARK

if TYPE_CHECKING:
    from jobmon.client.workflow import ManagerPlace, Workflow
    from jobmon.managers.job_instance_manager import JobInstanceManager


def run_workflow(
    workflow: "Workflow",
    plan: Plan,
    config: Config,
    *,
    resume: bool,
    take_over: bool,
    manager: "ManagerPlace",
    process: ManagerProcess | None,
    show: bool,
    requester: Requester | None,
) -> WorkflowResult:
    """See `Workflow.run`. `process` is what `manager_ahead` gives."""
    with outliving_the_terminal(), beside_the_run(choose_view(show=show)) as view:
        requester = requester or connect(os.environ, port=config.server.port)
        return _run(workflow, plan, config, requester, view, process, manager, resume=resume, take_over=take_over)


def _run(
    workflow: "Workflow",
    plan: Plan,
    config: Config,
    requester: Requester,
    view: View,
    process: ManagerProcess | None,
    manager: "ManagerPlace",
    *,
    resume: bool,
    take_over: bool,
) -> WorkflowResult:
    began_s = time.monotonic()
    if manager != "none":  # one elsewhere sees to it itself
        for line in make_reachable(plan.usable, requester):
            view.line(line)
    context = run_context(workflow, config, requester)
    if manager != "none":
        _make_log_folder(Path(context.log_folder))
    opened = _open(workflow, plan, context, requester, resume=resume, take_over=take_over)
    head = f"{workflow.name} (workflow {opened.workflow_id}, run {opened.run_number})"
    view.line(f"{head}  {len(plan.tasks):,} jobs")
    for note in (*plan.notes, *_not_captured(config)):
        view.line(note)
    jobs = JobListManager(opened.workflow_id, requester)
    lines = FailureLines(plan.dag.names, requester, opened.workflow_id)
    executors = [(name, plan.types.get(name, "elsewhere")) for name in plan.executors]
    served_here = set() if manager == "none" else {executor.name for executor in plan.usable}
    following = Following(
        jobs,
        view,
        executors,
        fail_fast=workflow.fail_fast,
        tell_failure=lines.lines,
        manager_lives=lambda name: name in served_here and (process is None or process.lives()),
    )
    managed = _managed(manager, process, plan, opened, requester, following, Path(context.log_folder))
    fresh = opened.n_bound == 0
    with two_presses(following.interrupt), ExitStack() as serving:
        with _stopped_when(BaseException, requester, opened):  # it does not come to begin
            if fresh:  # nothing can be claimed before all is bound: the manager starts meanwhile
                serving.enter_context(managed)
            ids = _bind(workflow, plan, jobs, opened, following)
            jobs.begin(opened.run_id, plan.dag, ids, plan.executor_of, fresh=fresh)
        if not fresh:
            serving.enter_context(managed)
        with _stopped_when(ConfigurationError, requester, opened):  # its manager cannot start
            following.follow()
        state = jobs.finish()
    view.end(progress(jobs, executors))
    for line in lines.rest():
        view.line(line)
    elapsed_s = time.monotonic() - began_s
    view.line(f"{head} {state} after {span(elapsed_s)}")
    workflow.result = WorkflowResult(
        name=workflow.name,
        workflow_id=opened.workflow_id,
        run_number=opened.run_number,
        state=state,
        elapsed_s=elapsed_s,
        executors=plan.executors,
        dag=plan.dag,
        jobs=jobs,
        requester=requester,
    )
    if following.interrupted:
        raise KeyboardInterrupt
    return workflow.result


def run_context(workflow: "Workflow", config: Config, requester: Requester) -> RunContext:
    """Where and with which environment the jobs run."""
    environment = captured(os.environ, config.workflow.environment) | dict(workflow.env)
    return RunContext(workflow.working_folder(), environment, str(_log_folder(config, requester)))


def _not_captured(config: Config) -> list[str]:
    names = left_out(os.environ, config.workflow.environment)
    return [f"not given to jobs, as their values are not UTF-8: {', '.join(names)}"] if names else []


def _log_folder(config: Config, requester: Requester) -> Path:
    if config.workflow.log_folder:
        return Path(config.workflow.log_folder).expanduser().absolute()
    if requester.data_folder is not None:
        return Path(requester.data_folder) / "logs"
    return working_folder() / "jobmon_logs"


def _make_log_folder(folder: Path) -> None:
    try:
        make_folder(folder, 0o755)
    except OSError as error:
        raise ConfigurationError(
            f"the log folder {folder} cannot be made: {error.strerror}. "
            "Set log_folder under [workflow] in jobmon.toml to a folder you can write"
        ) from error


def _open(
    workflow: "Workflow", plan: Plan, context: RunContext, requester: Requester, *, resume: bool, take_over: bool
) -> RunOpened:
    request = OpenRun(
        workflow.name, workflow.workflow_args, len(plan.tasks), context, identify(), resume=resume, take_over=take_over,
        inside=os.environ.get(MARK) or None, exclusive=[named.name for named in plan.usable if named.exclusive],
    )  # fmt: skip
    try:
        return open_run(requester, request)
    except WorkflowChanged as error:
        if "workflow_id" in error.data:  # another number of tasks: say which
            bound = JobListManager(int(error.data["workflow_id"]), requester).read_bound()
            match(workflow.name, plan.dag, digests(plan), bound, first_job_id=0)
        raise


def _bind(
    workflow: "Workflow", plan: Plan, jobs: JobListManager, opened: RunOpened, following: Following
) -> Sequence[int]:
    """Bind all jobs that are not bound and done; their ids by position."""
    ids: Sequence[int] = range(opened.first_job_id, opened.first_job_id + len(plan.tasks))
    positions: Sequence[int] = range(len(plan.tasks))
    if opened.n_bound:
        matched = match(workflow.name, plan.dag, digests(plan), jobs.read_bound(), opened.first_job_id)
        ids, positions = matched.ids, matched.to_bind

    def until_interrupted() -> Iterator[int]:
        for position in positions:
            if following.interrupted:
                raise KeyboardInterrupt
            yield position

    jobs.bind(opened.run_id, specs(workflow, plan, ids, until_interrupted()))
    return ids


@contextmanager
def _stopped_when(kind: type[BaseException], requester: Requester, opened: RunOpened) -> Iterator[None]:
    """A run that fails in this way is ended, so that the next one need not wait for its lease."""
    try:
        yield
    except kind as error:
        try:
            requester.call(routes.STOP_RUN, StopRun(opened.run_id), patience_s=5.0)
        except JobmonError as further:
            error.add_note(f"(and the run could not be ended: {further})")
        raise


@contextmanager
def manager_ahead(manager: "ManagerPlace", plan: Plan, config: Config) -> Iterator[ManagerProcess | None]:
    """With the manager's process, where it is to be one of its own, that begins while a server is found or started."""
    names = [executor.name for executor in plan.usable]
    if manager != "process" or not names:
        yield None
        return
    process = ManagerProcess(names, config.folder)
    process.prepare()
    try:
        yield process
    finally:
        process.dismiss()


@contextmanager
def _managed(
    manager: "ManagerPlace",
    process: ManagerProcess | None,
    plan: Plan,
    opened: RunOpened,
    requester: Requester,
    following: Following,
    log_folder: Path,
) -> Iterator[None]:
    """With a manager at work. One in its own process is left alone when this process must end at once."""
    if manager == "none" or not plan.usable:  # all are served elsewhere
        yield
    elif process is not None:
        log = log_folder / f"manager-{opened.workflow_id}.log"
        process.start(opened.workflow_id, log, following.say, following.fail)
        try:
            yield
        except BaseException:
            process.leave()
            raise
        process.end()
    else:
        from jobmon.managers.job_instance_manager import JobInstanceManager

        here = JobInstanceManager(opened.workflow_id, plan.usable, requester=requester, in_process=True)
        here.start()
        threading.Thread(target=_watch, args=(here, following), name="jobmon-manager-watch", daemon=True).start()
        try:
            yield
        finally:
            here.stop()  # its threads end with this process; a call of the user's may go on in one of them
        here.join()


def _watch(manager: "JobInstanceManager", following: Following) -> None:
    """What ends the manager in this process ends the run."""
    try:
        manager.join()
    except Exception as error:  # noqa: BLE001 - raised again where the run is followed
        following.fail(error)
