"""Writes of managers about attempts: claims, what came of submissions, what platforms say."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from jobmon.errors import InvalidRequest
from jobmon.ids import new_tokens
from jobmon.server import arrays
from jobmon.server.batches import refusal
from jobmon.server.credentials import Credentials
from jobmon.server.live_records import KnownInstance
from jobmon.server.payloads import Inputs, environment_of, inputs_of, log_folder
from jobmon.server.transitions import Transitions
from jobmon.server.writing import Writing
from jobmon.states import evidence, instances, jobs
from jobmon.states.evidence import Facts, Graces, Observed, Reporting, Sighting
from jobmon.states.instances import InstanceEvent, JobInstance
from jobmon.states.names import FINAL_INSTANCE_STATES, InstanceState
from jobmon.states.reasons import Reason
from jobmon.store import instances as instance_rows
from jobmon.store import jobs as job_rows
from jobmon.store import workflows
from jobmon.store.history import iso
from jobmon.store.jobs import StoredJob
from jobmon.store.writer import Transaction
from jobmon.wire.leases import (
    Claim,
    ClaimJobs,
    JobsClaimed,
    Lease,
    Observation,
    OutcomeKind,
    Recorded,
    RecordObservations,
    RecordOutcomes,
)
from jobmon.wire.problems import Problem
from jobmon.wire.results import result_problem
from jobmon.wire.workers import FinishReport


class InstanceWrites:
    """Claiming jobs, recording outcomes and observations."""

    def __init__(self, writing: Writing, credentials: Credentials, graces: Graces) -> None:
        self._writing = writing
        self._credentials = credentials
        self._graces = graces

    def claim(self, tx: Transaction, message: ClaimJobs) -> JobsClaimed:
        """Make an attempt, SUBMITTING and with its token, of each queued job up to the limit."""
        self._writing.check_lease(tx, message.lease)
        lease = message.lease
        while queued := job_rows.claimable(tx.connection, lease.workflow_id, lease.executor, message.limit):
            specifications = job_rows.specifications(tx.connection, queued)
            inputs = inputs_of(tx.connection, specifications)
            made = self._made(tx, lease, inputs.fitting(queued) if message.with_payload else queued, inputs.problems)
            if not made:  # all were refused: there may be more
                continue
            if message.with_payload:
                return self._with_payloads(tx, message, made, specifications, inputs)
            credential = self._credentials.for_attempt if message.with_credentials else lambda _: None
            claims = [
                Claim(i.token, i.job_id, spec.name, i.like.attempt, spec.resources, credential=credential(i.token))
                for i, spec in ((i, specifications[i.job_id]) for i in made)
            ]
            return JobsClaimed(_in_arrays(tx, claims, message.array_limit) if message.array_limit > 1 else claims)
        return JobsClaimed([])

    def _made(
        self, tx: Transaction, lease: Lease, queued: Sequence[int], problems: Mapping[int, str]
    ) -> list[KnownInstance]:
        """New attempts, SUBMITTING; those of jobs with problems are refused for good, and left out."""
        found = self._writing.live.jobs(tx, queued)
        first = instance_rows.last_id(tx.connection) + 1
        likes = {
            n: self._writing.live.like_of(JobInstance(0, 0, lease.workflow_id, lease.executor, n + 1, ""))
            for n in {job.attempts for job in found.values()}
        }
        made = [
            KnownInstance(first + i, job_id, token, None, likes[found[job_id].attempts])
            for i, (job_id, token) in enumerate(zip(queued, new_tokens(len(queued)), strict=True))
        ]
        transitions = self._writing.transitions(tx)
        transitions.take_jobs(found)
        transitions.add_instances(made)
        transitions.to_jobs(jobs.Instantiated(), queued)
        transitions.to_each_instance(instances.SubmissionBegan(), [instance.token for instance in made])
        self._writing.store(tx, transitions)
        if not problems:
            return made
        refused = {instance.token: instance for instance in made if instance.job_id in problems}
        transitions = self._writing.transitions(tx)  # a new attempt is stored before anything more can be said of it
        transitions.take_instances(refused)
        for token, instance in refused.items():
            transitions.to_each_instance(instances.Rejected(problems[instance.job_id]), [token])
        self._writing.store(tx, transitions)
        return [instance for instance in made if instance.token not in refused]

    def _with_payloads(
        self,
        tx: Transaction,
        message: ClaimJobs,
        made: Sequence[KnownInstance],
        specifications: Mapping[int, StoredJob],
        inputs: Inputs,
    ) -> JobsClaimed:
        context = environment_of(tx.connection, message.lease.workflow_id)
        workflow = workflows.get(tx.connection, message.lease.workflow_id)
        assert workflow is not None
        calls = inputs.calls({instance.job_id: specifications[instance.job_id] for instance in made})
        claims = []
        for i in made:
            spec = specifications[i.job_id]
            payload = spec.payload
            call = calls.get(i.job_id, payload.call)
            claims.append(
                Claim(
                    i.token, i.job_id, spec.name, i.like.attempt, spec.resources, payload.command, call, payload.env,
                    payload.cwd,
                )
            )  # fmt: skip
        return JobsClaimed(claims, context.environment, context.cwd, log_folder(context, workflow.name, workflow.id))

    def record_outcomes(self, tx: Transaction, message: RecordOutcomes) -> Recorded:
        """Apply what came of submissions."""
        transitions, found, refused = self._taken(tx, message.lease, [outcome.token for outcome in message.outcomes])
        event_of = cache(_event_of)  # attempts of which the same is said share the event
        events: list[tuple[str, InstanceEvent]] = []
        for outcome in message.outcomes:
            if outcome.token not in found:
                continue
            event = event_of(outcome.kind, outcome.executor_job_id, outcome.why)
            if event is None:
                what = InvalidRequest(f"the outcome of {outcome.token!r} is ACCEPTED, without an executor_job_id")
                refused.append(refusal(what, token=outcome.token))
            else:
                events.append((outcome.token, event))
        transitions.to_instances(events, refused)
        return self._recorded(tx, transitions, found, refused)

    def record_observations(self, tx: Transaction, message: RecordObservations) -> Recorded:
        """Weigh what the platform says against what is known, by the table of evidence."""
        transitions, found, refused = self._taken(tx, message.lease, [seen.token for seen in message.observations])
        observations = [seen for seen in message.observations if seen.token in found]
        stored = self._writing.lease_of(tx, message.lease.workflow_id, message.lease.executor)
        assert stored is not None
        reporting = stored.registration.reporting
        calls = self._calls(tx, found, observations) if reporting is not Reporting.PLATFORM else set()
        accepted: list[tuple[str, InstanceEvent]] = []
        events: list[tuple[str, InstanceEvent]] = []
        results = []
        reports: defaultdict[str | None, list[FinishReport]] = defaultdict(list)
        decide = cache(self._decide)  # what is alike to the table of evidence is decided once
        for seen in observations:
            token, instance = seen.token, found[seen.token]
            state = instance.like.state
            if state in FINAL_INSTANCE_STATES:
                continue
            if seen.executor_job_id is not None and instance.executor_job_id is None:
                accepted.append((token, instances.Accepted(seen.executor_job_id)))
            gone = seen.sighting is Sighting.EXITED or seen.sighting is Sighting.ABSENT
            silent = state is not InstanceState.RUNNING or self._writing.signs.silent(token)
            gone_for_s = self._writing.signs.seen(token, gone=gone)
            started = instance.like.worker_id is not None
            last_heard = self._last_heard(tx, instance) if gone and reporting is not Reporting.PLATFORM else ""
            facts = (state, reporting, instance.job_id in calls, silent, gone_for_s, started, last_heard)
            event = decide(facts, (seen.sighting, seen.reason, seen.exit_status, seen.detail, seen.output, seen.signal))
            if event is None:
                continue
            if seen.sighting is Sighting.EXITED:
                if seen.usage or seen.stdout_tail or seen.stderr_tail:
                    reports[seen.host].append(_report_of(seen))
                if seen.result is not None and reporting is Reporting.PLATFORM and seen.reason is None:
                    event = without_result(seen.result) or event
                    results.append((token, instance.job_id, seen.result))
            events.append((token, event))
        transitions.to_instances(accepted, refused)
        transitions.to_instances(events, refused)
        done = [(job_id, value) for t, job_id, value in results if transitions.like(t).state is InstanceState.DONE]
        job_rows.save_results(tx.connection, done)
        for host, told in reports.items():
            instance_rows.save_reports(tx.connection, host, told)
        return self._recorded(tx, transitions, found, refused)

    def _decide(self, facts: tuple[Any, ...], observed: tuple[Any, ...]) -> InstanceEvent | None:
        return evidence.decide(Facts(*facts), Observed(*observed), self._graces)

    def _last_heard(self, tx: Transaction, instance: KnownInstance) -> str:
        """Where the worker of an attempt ran, and when it was last heard of."""
        if instance.like.worker_id is None:
            return "no worker of it has begun"
        where = f"its worker on {instance.like.worker_id.partition(':')[0]}"
        silent_for_s = self._writing.signs.silent_for_s(instance.token)
        if silent_for_s is None:
            return f"{where} was not heard of since the server's start"
        return f"{where} was last heard of at {iso(tx.at - int(silent_for_s * 1e6))[:19].replace('T', ' ')} UTC"

    def _calls(self, tx: Transaction, found: Mapping[str, KnownInstance], seen: Iterable[Observation]) -> set[int]:
        """The jobs among those seen to have exited in success that are Python calls."""
        ids = [found[s.token].job_id for s in seen if s.sighting is Sighting.EXITED and s.reason is None]
        if not ids:
            return set()
        specifications = job_rows.specifications(tx.connection, ids)
        return {job_id for job_id, spec in specifications.items() if spec.payload.call is not None}

    def _taken(
        self, tx: Transaction, lease: Lease, tokens: list[str]
    ) -> tuple[Transitions, dict[str, KnownInstance], list[Problem]]:
        """The attempts of the lease among these, and why others are refused."""
        self._writing.check_lease(tx, lease)
        found = self._writing.live.instances(tx, tokens)
        theirs = (lease.workflow_id, lease.executor)
        refused = []
        for token in tokens:
            instance = found.get(token)
            if instance is None or (instance.like.workflow_id, instance.like.executor) != theirs:
                found.pop(token, None)
                what = f"{token!r} is no attempt on {lease.executor!r} of workflow {lease.workflow_id}"
                refused.append(refusal(InvalidRequest(what), token=token))
        transitions = self._writing.transitions(tx)
        transitions.take_instances(found)
        return transitions, found, refused

    def _recorded(
        self, tx: Transaction, transitions: Transitions, tokens: Iterable[str], refused: list[Problem]
    ) -> Recorded:
        self._writing.store(tx, transitions)
        return Recorded(forget_ended(self._writing, tx, transitions, tokens), refused)


def _in_arrays(tx: Transaction, claims: list[Claim], limit: int) -> list[Claim]:
    """The claims, those that ask for the same resources put into arrays, whose membership is stored."""
    made = arrays.group(claims, limit)
    instance_rows.insert_members(tx.connection, {c.token: c.array for c in made if c.array is not None})
    return made


def forget_ended(writing: Writing, tx: Transaction, transitions: Transitions, tokens: Iterable[str]) -> list[str]:
    """Those of the attempts that are final now; their signs of life are dropped after the commit."""
    ended = [token for token in tokens if transitions.like(token).state in FINAL_INSTANCE_STATES]

    def forget() -> None:
        for token in ended:
            writing.signs.forget(token)

    tx.after_commit(forget)
    return ended


def _report_of(seen: Observation) -> FinishReport:
    return FinishReport(seen.token, stdout_tail=seen.stdout_tail, stderr_tail=seen.stderr_tail, usage=seen.usage)


def without_result(text: str) -> InstanceEvent | None:
    """How an attempt ends that succeeded with a result that cannot be kept; None: it can."""
    why = result_problem(text)
    return None if why is None else instances.Ended(Reason.EXIT_NONZERO, detail=f"its result {why}")


def _event_of(kind: OutcomeKind, executor_job_id: str | None, why: str) -> InstanceEvent | None:
    """None: it was accepted, and the platform's id is missing."""
    kinds: dict[OutcomeKind, Any] = {
        OutcomeKind.REJECTED: instances.Rejected,
        OutcomeKind.DEFERRED: instances.Deferred,
        OutcomeKind.NEVER_ACCEPTED: instances.NeverAccepted,
        OutcomeKind.REVOKED: instances.Revoked,
        OutcomeKind.CANCEL_CONFIRMED: instances.CancelConfirmed,
    }
    if kind is OutcomeKind.ACCEPTED:
        return None if executor_job_id is None else instances.Accepted(executor_job_id)
    event: InstanceEvent = kinds[kind](why)
    return event
