"""Mutants that cancel wrongly."""

# mypy: disable-error-code="misc,no-untyped-def"

from jobmon.plugins import Accepted, Exited, Reason, Submitted
from jobmon.testing.mutation import AnyExecutor, mutant, seeing


@mutant(
    "ignores a cancellation",
    caught_by=["test_what_is_cancelled_ends_and_is_no_success"],
    fake="lets a job live until it is cancelled",
    add="jobs end only when finish() or another method ends them, or a cancellation does",
)
def ignores_a_cancellation(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def cancel(self, *, submitted):
            """Nothing."""

    return Wrong


@mutant(
    "cancels all that it has submitted",
    caught_by=["test_cancel_ends_nothing_else"],
    fake="lets a job live beside one that is cancelled",
    add="running_limit() admit two attempts, and a cancellation end the jobs that it names alone",
)
def cancels_everything(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def cancel(self, *, submitted):
            known = self.__dict__.setdefault("seen", {})
            super().cancel(submitted=list((known | {one.token: one for one in submitted}).values()))

        def observe(self, *, submitted):
            self.__dict__.setdefault("seen", {}).update({one.token: one for one in submitted})
            return super().observe(submitted=submitted)

        def submit(self, *, requests):
            names = {request.token: request.job_name for request in requests}
            for token, outcome in super().submit(requests=requests):
                if isinstance(outcome, Accepted):
                    one = Submitted(outcome.executor_job_id, token, names[token], self.now())
                    self.__dict__.setdefault("seen", {})[token] = one
                yield token, outcome

    return Wrong


@mutant(
    "asks for a cancellation once, whatever comes of it",
    caught_by=["test_an_outage_at_cancel_loses_no_cancellation"],
    fake="is away when a job is cancelled",
    add="down() make cancellations fail as they do when the scheduler is away",
)
def cancels_once(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def cancel(self, *, submitted):
            asked = self.__dict__.setdefault("asked", set())
            new = [one for one in submitted if one.token not in asked]
            asked |= {one.token for one in new}
            super().cancel(submitted=new)

    return Wrong


@mutant(
    "tells whatever ends after a cancellation as cancelled",
    caught_by=["test_an_end_after_cancel_is_told_as_it_was"],
    fake="lets a job end by itself while its cancellation is under way",
    add="cancel_slowly() have the platform take cancellations and end no job by them for a while",
)
def takes_cancel_for_the_end(base: AnyExecutor) -> AnyExecutor:
    class Wrong(seeing(base, lambda e, token, seen: e.told(token, seen))):
        def told(self, token, seen):
            cancelled = isinstance(seen, Exited) and token in self.__dict__.get("asked", ())
            return Exited(reason=Reason.CANCELLED) if cancelled else seen

        def cancel(self, *, submitted):
            self.__dict__.setdefault("asked", set()).update(one.token for one in submitted)
            super().cancel(submitted=submitted)

    return Wrong
