"""Writes of workers and agents: winning starts, living, reporting ends."""

from collections.abc import Iterable, Mapping
from functools import cache

from jobmon.errors import InvalidRequest
from jobmon.ids import output_paths
from jobmon.server.batches import refusal
from jobmon.server.instance_writes import forget_ended, without_result
from jobmon.server.live_records import KnownInstance
from jobmon.server.payloads import Inputs, environment_of, inputs_of, log_folder
from jobmon.server.transitions import Transitions
from jobmon.server.writing import Writing
from jobmon.states import instances
from jobmon.states.instances import InstanceEvent, JobInstance
from jobmon.states.names import FINAL_INSTANCE_STATES, InstanceState
from jobmon.states.reasons import Reason
from jobmon.store import instances as instance_rows
from jobmon.store import jobs as job_rows
from jobmon.store import workflows
from jobmon.store.jobs import StoredJob
from jobmon.store.writer import Transaction
from jobmon.wire.problems import Problem
from jobmon.wire.workers import (
    FinishAttempts,
    FinishReport,
    GiveBackAttempts,
    Heartbeat,
    HeartbeatAnswer,
    ReportsRecorded,
    Start,
    StartAttempts,
    Starts,
    Work,
)

_MAY_START = (InstanceState.SUBMITTING, InstanceState.SUBMITTED_TO_BATCH_EXECUTOR)


class AttemptWrites:
    """The start fence, heartbeats and reports."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def start(self, tx: Transaction, message: StartAttempts) -> Starts:
        """Let each command be started by the first worker that asks, and by no other.

        A call that cannot be given the results that it takes is not started, and ends.
        """
        found = self._writing.live.instances(tx, message.tokens)
        transitions = self._writing.transitions(tx)
        transitions.take_instances(found)
        specifications = job_rows.specifications(tx.connection, {i.job_id for i in found.values()})
        inputs = inputs_of(tx.connection, specifications)
        tokens = self._fitting(message.tokens, found, inputs)
        winning = [token for token in tokens if token in found and found[token].like.state in _MAY_START]
        for token in winning if inputs.problems else ():
            problem = inputs.problems.get(found[token].job_id)
            if problem is not None:
                transitions.to_each_instance(instances.Ended(Reason.UNKNOWN, detail=problem), [token])
        winning = [token for token in winning if found[token].job_id not in inputs.problems]
        transitions.to_each_instance(instances.Started(message.worker_id), winning)
        self._writing.store(tx, transitions)
        won, refusals = [], {}
        for token in tokens:
            instance = transitions.instance(token)
            if instance is None:
                refusals[token] = "there is no such attempt"
            elif instance.state is InstanceState.RUNNING and instance.worker_id == message.worker_id:
                won.append(instance)
            else:
                refusals[token] = _why_not(instance)
        works = self._works(tx, won, specifications, inputs)
        for instance in won:
            self._writing.signs.heard_worker(instance.token)
        patience = self._writing.signs.patience
        return Starts(
            [Start(token, works.get(token), refusals.get(token, "")) for token in tokens],
            patience.heartbeat_s,
            patience.orphan_after_s,
        )

    def _fitting(self, tokens: list[str], found: Mapping[str, KnownInstance], inputs: Inputs) -> list[str]:
        """The first ones of the tokens, as many as can be answered in one message."""
        if not inputs.references:
            return tokens
        ids = [found[token].job_id if token in found else 0 for token in tokens]
        return tokens[: len(inputs.fitting(ids))]

    def _works(
        self,
        tx: Transaction,
        won: list[JobInstance],
        specifications: Mapping[int, StoredJob],
        inputs: Inputs,
    ) -> dict[str, Work]:
        calls = inputs.calls({instance.job_id: specifications[instance.job_id] for instance in won})
        works = {}
        for workflow_id in {instance.workflow_id for instance in won}:
            context = environment_of(tx.connection, workflow_id)
            workflow = workflows.get(tx.connection, workflow_id)
            assert workflow is not None
            folder = log_folder(context, workflow.name, workflow_id)
            for instance in won:
                if instance.workflow_id != workflow_id:
                    continue
                spec = specifications[instance.job_id]
                stdout, stderr = output_paths(folder, spec.name, instance.job_id, instance.attempt)
                works[instance.token] = Work(
                    {**context.environment, **spec.payload.env},
                    spec.payload.cwd or context.cwd,
                    stdout,
                    stderr,
                    spec.payload.command,
                    calls.get(instance.job_id, spec.payload.call),
                )
        return works

    def heartbeat(self, tx: Transaction, message: Heartbeat) -> HeartbeatAnswer:
        """Note that the attempts live; tell which are to be ended. Commits nothing."""
        found = self._writing.live.instances(tx, message.tokens)
        end = []
        for token in message.tokens:
            instance = found.get(token)
            if (
                instance is not None
                and instance.like.state is InstanceState.RUNNING
                and instance.like.worker_id == message.worker_id
            ):
                self._writing.signs.heard_worker(token)
            else:
                end.append(token)
        return HeartbeatAnswer(end)

    def finish(self, tx: Transaction, message: FinishAttempts) -> ReportsRecorded:
        """Apply workers' reports; one of a worker that did not win the start, or that comes late, changes nothing.

        A success whose result cannot be kept is a failure.
        """
        transitions, found, refused = self._taken(tx, [report.token for report in message.reports])
        accepted, superseded, late = [], [], []
        for report in message.reports:
            if report.token not in found:
                continue
            like = transitions.like(report.token)
            if like.worker_id == message.worker_id and like.state not in FINAL_INSTANCE_STATES:
                accepted.append(report)
            else:
                superseded.append(report.token)
                late += [report] if like.state in FINAL_INSTANCE_STATES else []
        ended = cache(instances.Ended)  # attempts of which the same is said share the event
        for reports in (accepted, late):
            events: list[tuple[str, InstanceEvent]] = []
            for r in reports:
                unfit = without_result(r.result) if r.reason is None and r.result is not None else None
                events.append((r.token, unfit or ended(r.reason, r.exit_status, r.signal, r.detail)))
            transitions.to_instances(events, refused)
        self._writing.store(tx, transitions)
        self._keep(tx, transitions, message.worker_id, accepted)
        forget_ended(self._writing, tx, transitions, found)
        return ReportsRecorded(superseded, refused)

    def _keep(self, tx: Transaction, transitions: Transitions, worker_id: str, accepted: list[FinishReport]) -> None:
        """Store the results of those that are DONE, and the output tails and usage of all."""
        results = []
        for report in accepted:
            if report.result is not None:
                instance = transitions.instance(report.token)
                if instance is not None and instance.state is InstanceState.DONE:
                    results.append((instance.job_id, report.result))
        job_rows.save_results(tx.connection, results)
        telling = [r for r in accepted if r.stdout_tail or r.stderr_tail or r.usage]
        instance_rows.save_reports(tx.connection, worker_id.partition(":")[0], telling)

    def give_back(self, tx: Transaction, message: GiveBackAttempts) -> ReportsRecorded:
        """Attempts whose command was not started queue again."""
        transitions, found, refused = self._taken(tx, message.tokens)
        mine: list[str] = []
        superseded: list[str] = []
        for token in message.tokens:
            if token in found:
                (mine if transitions.like(token).worker_id == message.worker_id else superseded).append(token)
        transitions.to_each_instance(instances.GivenBack(message.why), mine, refused)
        self._writing.store(tx, transitions)
        forget_ended(self._writing, tx, transitions, mine)
        return ReportsRecorded(superseded, refused)

    def _taken(
        self, tx: Transaction, tokens: Iterable[str]
    ) -> tuple[Transitions, dict[str, KnownInstance], list[Problem]]:
        """The attempts that there are, and why others are refused."""
        found = self._writing.live.instances(tx, tokens)
        unknown = [token for token in tokens if token not in found]
        refused = [refusal(InvalidRequest(f"there is no attempt {token!r}"), token=token) for token in unknown]
        transitions = self._writing.transitions(tx)
        transitions.take_instances(found)
        return transitions, found, refused


def _why_not(instance: JobInstance) -> str:
    if instance.state is InstanceState.RUNNING:
        return f"another worker ({instance.worker_id}) has started it"
    return f"the attempt is {instance.state}" + (f": {instance.detail}" if instance.detail else "")
