"""What an executor is asked to submit, from the claims of its manager."""

from itertools import groupby
from typing import Any

import msgspec

from jobmon.ids import output_paths, platform_job_name
from jobmon.managers.service import Service
from jobmon.plugins import ArrayRequest, Resources, SubmitRequest, Support
from jobmon.plugins.resources import parse_resources
from jobmon.wire.leases import Claim, JobsClaimed, Outcome, OutcomeKind


class RequestMaker:
    """Makes requests of claims and refuses, in the executor's place, those whose resources cannot be read."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._cls = service.named.cls
        self._parsed: dict[bytes, tuple[Resources, list[str]]] = {}

    def of(self, claimed: JobsClaimed) -> tuple[list[SubmitRequest], list[ArrayRequest]]:
        """The requests for single attempts, and those for arrays."""
        singles: list[SubmitRequest] = []
        arrays: list[ArrayRequest] = []
        refused: list[Outcome] = []
        for array, same in groupby(claimed.claims, lambda claim: claim.array and claim.array.token):
            members = list(same)
            for claim in members if array is None else members[:1]:
                resources, problems = self._parse(claim.resources)
                if problems:
                    told = [claim] if array is None else members
                    refused += [Outcome(c.token, OutcomeKind.REJECTED, None, "; ".join(problems)) for c in told]
                elif array is None:
                    singles.append(self._single(claim, claimed, resources))
                else:
                    arrays.append(self._array(members, resources))
        if refused:
            self._service.recorder.outcomes(refused)
        return singles, arrays

    def _single(self, claim: Claim, claimed: JobsClaimed, resources: Resources) -> SubmitRequest:
        token, start_files = claim.token, self._service.start_files
        return SubmitRequest(
            token,
            platform_job_name(token, claim.name),
            claim.name,
            resources,
            () if start_files is None else start_files.write(token, claim.credential, self._limit(resources)),
            claim.command,
            claim.call,
            {**claimed.env, **claim.env} if claim.env else claimed.env,
            claim.cwd or claimed.cwd,
            *output_paths(claimed.log_folder, claim.name, claim.job_id, claim.attempt),
        )

    def _array(self, members: list[Claim], resources: Resources) -> ArrayRequest:
        place, start_files = members[0].array, self._service.start_files
        assert place is not None, "only claims with places are grouped"
        assert start_files is not None, "arrays are claimed only where workers report"
        credentials = [(c.token, c.credential) for c in members]
        argv = start_files.write_array(place.token, credentials, self._limit(resources))
        return ArrayRequest(place.token, place.job_name, resources, argv, tuple(c.token for c in members))

    def _limit(self, resources: Resources) -> float | None:
        """The run time that a worker holds its command to, in seconds."""
        return resources.runtime if self._cls.core_resources.get("runtime") is Support.WORKER else None

    def _parse(self, raw: dict[str, Any]) -> tuple[Resources, list[str]]:
        key = msgspec.json.encode(raw) if raw else b""
        parsed = self._parsed.get(key)
        if parsed is None:
            parsed = parse_resources(raw, type_name=self._cls.name, own_type=self._cls.resources_type)
            self._parsed[key] = parsed
        return parsed
