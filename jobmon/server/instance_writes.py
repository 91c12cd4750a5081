"""Writes of managers about attempts: claims, what came of submissions, what platforms say."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from jobmon.errors import InvalidRequest
from jobmon.ids import new_tokens
from jobmon.server import arrays
from jobmon.server.credentials import Credentials
from jobmon.server.payloads import environment_of, output_paths, with_outputs
from jobmon.server.transitions import Transitions
from jobmon.server.writing import Writing
from jobmon.states import evidence, instances, jobs
from jobmon.states.evidence import Facts, Graces, Observed, Reporting, Sighting
from jobmon.states.instances import InstanceEvent, JobInstance
from jobmon.states.names import FINAL_INSTANCE_STATES, InstanceState
from jobmon.store import instances as instance_rows
from jobmon.store import jobs as job_rows
from jobmon.store import workflows
from jobmon.store.writer import Transaction
from jobmon.wire.leases import (
    Claim,
    ClaimJobs,
    JobsClaimed,
    Lease,
    Observation,
    Outcome,
    OutcomeKind,
    Recorded,
    RecordObservations,
    RecordOutcomes,
)
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
        found = job_rows.claimable(tx.connection, lease.workflow_id, lease.executor, message.limit)
        if not found:
            return JobsClaimed([])
        first = instance_rows.last_id(tx.connection) + 1
        made = [
            JobInstance(first + i, job.id, job.workflow_id, job.executor, job.attempts + 1, token)
            for i, (job, token) in enumerate(zip(found, new_tokens(len(found)), strict=True))
        ]
        transitions = Transitions(tx)
        transitions.take_jobs(found)
        transitions.add_instances(made)
        transitions.to_jobs([(job.id, jobs.Instantiated()) for job in found])
        transitions.to_instances([(instance.token, instances.SubmissionBegan()) for instance in made])
        self._writing.store(tx, transitions)
        claims = self._claims(tx, message, made)
        return JobsClaimed(_in_arrays(tx, claims, message.array_limit) if message.array_limit > 1 else claims)

    def _claims(self, tx: Transaction, message: ClaimJobs, made: list[JobInstance]) -> list[Claim]:
        specifications = job_rows.specifications(tx.connection, [instance.job_id for instance in made])
        claims = []
        if not message.with_payload:
            credential = self._credentials.for_attempt
            for instance in made:
                spec = specifications[instance.job_id]
                claims.append(
                    Claim(
                        instance.token, instance.job_id, spec.name, instance.attempt, spec.resources,
                        credential=credential(instance.token) if message.with_credentials else None,
                    )
                )  # fmt: skip
            return claims
        context = environment_of(tx.connection, message.lease.workflow_id)
        workflow = workflows.get(tx.connection, message.lease.workflow_id)
        assert workflow is not None
        calls = with_outputs(tx.connection, specifications)
        for instance in made:
            spec = specifications[instance.job_id]
            payload = spec.payload
            paths = output_paths(context, workflow.name, workflow.id, spec.name, instance.job_id, instance.attempt)
            claims.append(
                Claim(
                    instance.token, instance.job_id, spec.name, instance.attempt, spec.resources, payload.command,
                    calls.get(instance.job_id, payload.call), {**context.environment, **payload.env},
                    payload.cwd or context.cwd, *paths,
                )
            )  # fmt: skip
        return claims

    def record_outcomes(self, tx: Transaction, message: RecordOutcomes) -> Recorded:
        """Apply what came of submissions."""
        transitions = self._taken(tx, message.lease, [outcome.token for outcome in message.outcomes])
        transitions.to_instances([(outcome.token, _event_of(outcome)) for outcome in message.outcomes])
        return self._recorded(tx, transitions, [outcome.token for outcome in message.outcomes])

    def record_observations(self, tx: Transaction, message: RecordObservations) -> Recorded:
        """Weigh what the platform says against what is known, by the table of evidence."""
        tokens = [observation.token for observation in message.observations]
        transitions = self._taken(tx, message.lease, tokens)
        stored = self._writing.lease_of(tx, message.lease.workflow_id, message.lease.executor)
        assert stored is not None
        reporting = stored.registration.reporting
        calls = self._calls(tx, transitions, message.observations) if reporting is not Reporting.PLATFORM else set()
        events: list[tuple[str, InstanceEvent]] = []
        results = []
        reports: defaultdict[str | None, list[FinishReport]] = defaultdict(list)
        for seen in message.observations:
            instance = transitions.instance(seen.token)
            assert instance is not None
            if instance.state in FINAL_INSTANCE_STATES:
                continue
            if seen.executor_job_id is not None and instance.executor_job_id is None:
                events.append((seen.token, instances.Accepted(seen.executor_job_id)))
            event = self._weigh(instance, seen, reporting, instance.job_id in calls)
            if event is None:
                continue
            events.append((seen.token, event))
            if seen.sighting is Sighting.EXITED:
                if seen.usage or seen.stdout_tail or seen.stderr_tail:
                    reports[seen.host].append(_report_of(seen))
                if seen.result is not None and reporting is Reporting.PLATFORM and seen.reason is None:
                    results.append((seen.token, instance.job_id, seen.result))
        transitions.to_instances(events)
        done = {i.token for i in map(transitions.instance, tokens) if i is not None and i.state is InstanceState.DONE}
        job_rows.save_results(tx.connection, [(job_id, value) for token, job_id, value in results if token in done])
        for host, told in reports.items():
            instance_rows.save_reports(tx.connection, host, told)
        return self._recorded(tx, transitions, tokens)

    def _weigh(
        self, instance: JobInstance, seen: Observation, reporting: Reporting, is_call: bool
    ) -> InstanceEvent | None:
        gone = seen.sighting in (Sighting.EXITED, Sighting.ABSENT)
        facts = Facts(
            instance.state,
            reporting,
            is_call,
            silent=instance.state is not InstanceState.RUNNING or self._writing.signs.silent(instance.token),
            gone_for_s=self._writing.signs.seen(instance.token, gone=gone),
        )
        observed = Observed(seen.sighting, seen.reason, seen.exit_status, seen.detail, seen.signal)
        return evidence.decide(facts, observed, self._graces)

    def _calls(self, tx: Transaction, transitions: Transitions, seen: Iterable[Observation]) -> set[int]:
        """The jobs among those seen to have exited in success that are Python calls."""
        exited = [transitions.instance(s.token) for s in seen if s.sighting is Sighting.EXITED and s.reason is None]
        ids = [instance.job_id for instance in exited if instance is not None]
        if not ids:
            return set()
        found = job_rows.specifications(tx.connection, ids)
        return {job_id for job_id, spec in found.items() if spec.payload.call is not None}

    def _taken(self, tx: Transaction, lease: Lease, tokens: list[str]) -> Transitions:
        self._writing.check_lease(tx, lease)
        found = instance_rows.load(tx.connection, tokens)
        for token in tokens:
            instance = found.get(token)
            if instance is None or (instance.workflow_id, instance.executor) != (lease.workflow_id, lease.executor):
                raise InvalidRequest(f"{token!r} is no attempt on {lease.executor!r} of workflow {lease.workflow_id}")
        transitions = Transitions(tx)
        transitions.take_instances(found.values())
        return transitions

    def _recorded(self, tx: Transaction, transitions: Transitions, tokens: list[str]) -> Recorded:
        self._writing.store(tx, transitions)
        return Recorded(forget_ended(self._writing, tx, transitions, tokens))


def _in_arrays(tx: Transaction, claims: list[Claim], limit: int) -> list[Claim]:
    """The claims, those that ask for the same resources put into arrays, whose membership is stored."""
    made = arrays.group(claims, limit)
    instance_rows.insert_members(tx.connection, {c.token: c.array for c in made if c.array is not None})
    return made


def forget_ended(writing: Writing, tx: Transaction, transitions: Transitions, tokens: Iterable[str]) -> list[str]:
    """Those of the attempts that are final now; their signs of life are dropped after the commit."""
    ended = []
    for token in tokens:
        instance = transitions.instance(token)
        if instance is not None and instance.state in FINAL_INSTANCE_STATES:
            ended.append(token)

    def forget() -> None:
        for token in ended:
            writing.signs.forget(token)

    tx.after_commit(forget)
    return ended


def _report_of(seen: Observation) -> FinishReport:
    return FinishReport(seen.token, stdout_tail=seen.stdout_tail, stderr_tail=seen.stderr_tail, usage=seen.usage)


def _event_of(outcome: Outcome) -> InstanceEvent:
    kinds: dict[OutcomeKind, Any] = {
        OutcomeKind.REJECTED: instances.Rejected,
        OutcomeKind.DEFERRED: instances.Deferred,
        OutcomeKind.NEVER_ACCEPTED: instances.NeverAccepted,
        OutcomeKind.REVOKED: instances.Revoked,
        OutcomeKind.CANCEL_CONFIRMED: instances.CancelConfirmed,
    }
    if outcome.kind is OutcomeKind.ACCEPTED:
        if outcome.executor_job_id is None:
            raise InvalidRequest(f"the outcome of {outcome.token} is ACCEPTED, without an executor_job_id")
        return instances.Accepted(outcome.executor_job_id)
    event: InstanceEvent = kinds[outcome.kind](outcome.why)
    return event
