"""Mutants that tell ends, and waits, wrongly."""

# mypy: disable-error-code="misc,no-untyped-def"

from typing import Any

import attrs

from jobmon.plugins import Absent, Exited, Pending, Reason, Running
from jobmon.testing.mutation import AnyExecutor, mutant, seeing


@mutant(
    "never sees an end",
    caught_by=["test_the_end_of_an_attempt_is_seen"],
    fake="ends a job",
    add="finish() end the job as the platform does, with its status",
)
def never_sees_an_end(base: AnyExecutor) -> AnyExecutor:
    return seeing(base, lambda _e, _t, seen: Running() if isinstance(seen, Exited) else seen)


@mutant(
    "takes any end for success",
    caught_by=["test_failure_is_never_told_as_success"],
    fake="ends a job with another status than 0",
    add="finish(id, 3) make the platform tell a failure",
)
def takes_any_end_for_success(base: AnyExecutor) -> AnyExecutor:
    return seeing(
        base, lambda _e, _t, seen: attrs.evolve(seen, status=0, reason=None) if isinstance(seen, Exited) else seen
    )


@mutant(
    "tells what was killed as done",
    caught_by=["test_what_was_killed_from_outside_is_no_success"],
    fake="has a job killed from outside",
    add="kill() end the job by a signal, and the platform tell that",
)
def takes_a_kill_for_success(base: AnyExecutor) -> AnyExecutor:
    def change(_executor: Any, _token: str, seen: Any) -> Any:
        killed = isinstance(seen, Absent) or (isinstance(seen, Exited) and seen.status not in (0, 3))
        return Exited(0) if killed else seen

    return seeing(base, change)


@mutant(
    "tells the first end of all",
    caught_by=["test_ends_of_many_are_not_mixed_up"],
    fake="ends two of several jobs in two ways",
    add="finish() end one job alone, with the status that it is given",
)
def mixes_up_ends(base: AnyExecutor) -> AnyExecutor:
    def change(executor: Any, _token: str, seen: Any) -> Any:
        return executor.__dict__.setdefault("first_end", seen) if isinstance(seen, Exited) else seen

    return seeing(base, change)


@mutant(
    "has an attempt that had ended run again",
    caught_by=["test_what_has_ended_never_runs_again"],
    fake="tells an end twice",
    add="the platform tell of a job that has ended as often as it is asked",
)
def runs_again_what_had_ended(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def observe(self, *, submitted):
            ended = self.__dict__.setdefault("ended", set())
            told = dict(super().observe(submitted=submitted))
            again = {token: Running() for token in told if token in ended}
            ended |= {token for token, seen in told.items() if isinstance(seen, Exited | Absent)}
            return told | again

    return Wrong


@mutant(
    "knows no reason but UNKNOWN",
    caught_by=["test_the_reason_is_the_platforms"],
    fake="ends a job for a reason",
    add="`reasons` name what can end a job, and end() have the platform say so in its own words",
)
def loses_reasons(base: AnyExecutor) -> AnyExecutor:
    def change(_executor: Any, _token: str, seen: Any) -> Any:
        return attrs.evolve(seen, reason=Reason.UNKNOWN) if isinstance(seen, Exited) and seen.reason else seen

    return seeing(base, change)


@mutant(
    "keeps no evidence of a failure",
    caught_by=["test_the_platforms_evidence_of_a_failure_is_kept"],
    fake="ends a job for a reason",
    add="`reasons` name what can end a job, and end() have the platform say so in its own words",
)
def keeps_no_evidence(base: AnyExecutor) -> AnyExecutor:
    return seeing(base, lambda _e, _t, seen: attrs.evolve(seen, detail=None) if isinstance(seen, Exited) else seen)


@mutant(
    "loses the platform's reason for a wait",
    caught_by=["test_the_platforms_reason_for_a_wait_is_told"],
    fake="lets a job wait for a reason",
    add="hold_back() have the listing tell the job as waiting, and why",
)
def loses_the_reason_of_a_wait(base: AnyExecutor) -> AnyExecutor:
    return seeing(base, lambda _e, _t, seen: Pending() if isinstance(seen, Pending) else seen)


@mutant(
    "loses what an attempt used",
    caught_by=["test_the_usage_of_an_attempt_is_told_in_known_units"],
    fake="tells what a job used",
    add="the platform tell usage, as it does for real jobs",
)
def loses_usage(base: AnyExecutor) -> AnyExecutor:
    return seeing(base, lambda _e, _t, seen: attrs.evolve(seen, usage={}) if isinstance(seen, Exited) else seen)


@mutant(
    "tells usage in other units",
    caught_by=["test_usage_is_what_known_work_used"],
    fake="tells what known work used",
    add="the platform tell usage of work that the kit names, in the platform's own units",
)
def tells_usage_in_other_units(base: AnyExecutor) -> AnyExecutor:
    def change(_executor: Any, _token: str, seen: Any) -> Any:
        if not isinstance(seen, Exited):
            return seen
        return attrs.evolve(seen, usage={key: value * 1000 for key, value in seen.usage.items()})

    return seeing(base, change)
