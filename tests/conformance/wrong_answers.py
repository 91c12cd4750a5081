"""Wrong executors whose answers break the rules that host and kit share (see jobmon.plugins.answers), one rule each."""

from datetime import UTC, datetime, timedelta

import attrs
from payloads import Payloads
from reference import TOKEN_LENGTH, Memory
from wrong_executors import fails

from jobmon.plugins import Accepted, Deferred, Found, Reason, Rejected, Running, SchedulerUnavailable


def told(executor, row, **changes):
    """The right end with something else in it."""
    return attrs.evolve(super(type(executor), executor).end(row), **changes)


# Ids


class WithId(Memory):
    """Accepted, with another id."""

    def outcome(self, request):
        outcome = super().outcome(request)
        return Accepted(self.id_of(outcome.executor_job_id)) if isinstance(outcome, Accepted) else outcome


@fails("test_outcomes_are_those_of_the_contract")
class GivesNumbersAsIds(WithId):
    id_of = int


@fails("test_outcomes_are_those_of_the_contract")
class GivesIdsWithTheLinesEnd(WithId):
    id_of = "{}\n".format


@fails("test_outcomes_are_those_of_the_contract")
class GivesPagesAsIds(WithId):
    id_of = "Your job {} has been submitted. ".ljust(1100, ".").format


@fails("test_outcomes_are_those_of_the_contract")
class GivesNoIds(WithId):
    def id_of(self, number):
        return ""


# Pairs of submit


@fails("test_each_request_gets_one_outcome")
class ForgetsAnOutcome(Memory):
    def submit(self, *, requests):
        yield from list(super().submit(requests=requests))[:2]


@fails("test_each_request_gets_one_outcome")
class AnswersTwice(Memory):
    def submit(self, *, requests):
        outcomes = list(super().submit(requests=requests))
        return outcomes + outcomes[:1]


@fails("test_each_request_gets_one_outcome")
class AnswersByName(Memory):
    def submit(self, *, requests):
        return [(request.job_name, self.outcome(request)) for request in requests]


@fails("test_each_request_gets_one_outcome")
class YieldsOutcomesAlone(Memory):
    def submit(self, *, requests):
        return [self.outcome(request) for request in requests]


@fails("test_each_member_gets_one_outcome_and_an_id_of_its_own")
class ForgetsTheLastMember(Memory):
    def submit_array(self, *, array):
        return list(super().submit_array(array=array))[:-1]


@fails("test_a_refused_submission_is_rejected_with_the_platforms_words")
class RejectsWithAnException(Memory):
    def outcome(self, request):
        outcome = super().outcome(request)
        return Rejected(RuntimeError(outcome.why)) if isinstance(outcome, Rejected) else outcome


@fails("test_a_refused_submission_is_rejected_with_the_platforms_words")
class RejectsWithoutAWord(Memory):
    def outcome(self, request):
        outcome = super().outcome(request)
        return Rejected("") if isinstance(outcome, Rejected) else outcome


@fails("test_an_outage_at_submit_neither_accepts_nor_refuses")
class PutsOffForEver(Memory):
    def outcome(self, request):
        try:
            return super().outcome(request)
        except SchedulerUnavailable as error:
            return Deferred(str(error), retry_after_s=float("inf"))


# Answers by token


@fails("test_observe_answers_only_for_those_it_was_asked_for")
class TellsOfEverything(Memory):
    def observe(self, *, submitted):
        others = {row.name[:TOKEN_LENGTH]: Running() for row in self.rows()}
        return others | dict(super().observe(submitted=submitted))


@fails("test_observe_answers_only_for_those_it_was_asked_for")
class ListsWhatItSees(Memory):
    def observe(self, *, submitted):
        return list(super().observe(submitted=submitted).items())


@fails("test_observe_answers_only_for_those_it_was_asked_for")
class AnswersById(Memory):
    def observe(self, *, submitted):
        seen = super().observe(submitted=submitted)
        return {one.executor_job_id: seen[one.token] for one in submitted}


@fails("test_find_answers_what_it_was_asked_in_the_contracts_words")
class FindsOnlyWhatIsThere(Memory):
    def find(self, *, submissions):
        return {t: f for t, f in super().find(submissions=submissions).items() if isinstance(f, Found)}


@fails("test_find_answers_what_it_was_asked_in_the_contracts_words")
class FindsNone(Memory):
    def find(self, *, submissions):
        return {t: f if isinstance(f, Found) else None for t, f in super().find(submissions=submissions).items()}


@fails("test_find_gives_the_id_that_submit_gave")
class FindsNumbers(Memory):
    def find(self, *, submissions):
        found = super().find(submissions=submissions)
        return {
            t: Found(int(f.executor_job_id.partition(".")[0])) if isinstance(f, Found) else f for t, f in found.items()
        }


# Instants


@fails("test_observations_are_those_of_the_contract")
class TellsNaiveInstants(Memory):
    def now(self):
        return datetime.now()


@fails("test_observations_are_those_of_the_contract")
class TellsAFewSecondsAgo(Memory):
    def now(self):
        return super().now() - timedelta(seconds=5)


@fails("test_observations_are_those_of_the_contract")
class TellsAnotherZone(Memory):
    def now(self):
        return (super().now() + timedelta(hours=1)).replace(tzinfo=UTC)


@fails("test_observations_are_those_of_the_contract")
class KeepsAnOldInstant(Memory):
    began = datetime(2026, 1, 31, tzinfo=UTC)

    def now(self):
        return self.began


# Ends


@fails("test_observations_are_those_of_the_contract")
class TellsStatusesOfTheWait(Memory):
    def end(self, row):
        return told(self, row, status=0x100, reason=Reason.EXIT_NONZERO)


@fails("test_failure_is_never_told_as_success")
class TellsStatusesAsNegative(Memory):
    def end(self, row):
        return told(self, row, status=-row.status if row.status else None)


@fails("test_observations_are_those_of_the_contract")
class TellsWhetherItFailed(Memory):
    def end(self, row):
        return told(self, row, status=bool(row.status))


@fails("test_failure_is_never_told_as_success")
class TellsNoReasons(Memory):
    def end(self, row):
        return told(self, row, reason=None)


@fails("test_failure_is_never_told_as_success")
class TellsStatusNoughtWithAnyReason(Memory):
    def end(self, row):
        return told(self, row, status=0)


@fails("test_failure_is_never_told_as_success")
class TellsReasonsAsText(Memory):
    def end(self, row):
        return told(self, row, reason=str(row.reason) if row.reason else None)


@fails("test_observations_are_those_of_the_contract")
class KeepsEvidenceAsBytes(Memory):
    def end(self, row):
        return told(self, row, detail=b"ended")


@fails("test_observations_are_those_of_the_contract")
class KeepsTheWholeLog(Memory):
    def end(self, row):
        return told(self, row, detail="slurmstepd: error\n" * 1000)


@fails("test_observations_are_those_of_the_contract")
class KeepsBytesAsSurrogates(Memory):
    def end(self, row):
        return told(self, row, detail=b"ended \xff".decode(errors="surrogateescape"))


@fails("test_observations_are_those_of_the_contract")
class TellsSignalNought(Memory):
    def end(self, row):
        return told(self, row, signal=0)


@fails("test_observations_are_those_of_the_contract")
class TellsHostsInALine(Memory):
    def end(self, row):
        return told(self, row, host="node-1 node-2")


@fails("test_observations_are_those_of_the_contract")
class TellsTheWholeOutput(Payloads):
    def end(self, token, status):
        return attrs.evolve(super().end(token, status), stdout_tail="out\n" * 5000)


@fails("test_observations_are_those_of_the_contract")
class TellsResultsAsValues(Payloads):
    def end(self, token, status):
        return attrs.evolve(super().end(token, status), result={"a": [1, None]})


@fails("test_observations_are_those_of_the_contract")
class TellsResultsAsPythonWritesThem(Payloads):
    def end(self, token, status):
        return attrs.evolve(super().end(token, status), result="{'a': [1, None]}")


@fails("test_the_usage_of_an_attempt_is_told_in_known_units")
class TellsUsageThatIsNoNumber(Memory):
    def end(self, row):
        return told(self, row, usage={"wall_s": float("nan")})


@fails("test_the_usage_of_an_attempt_is_told_in_known_units")
class TellsUsageAsText(Memory):
    def end(self, row):
        return told(self, row, usage={"cpu_s": "00:00:01"})


# What is pushed


@fails("test_what_is_pushed_are_observations_of_its_attempts")
class PushesPairs(Memory):
    def observe(self, *, submitted):
        self.context.report(observations=[(one.token, Running()) for one in submitted])
        return super().observe(submitted=submitted)


@fails("test_what_is_pushed_are_observations_of_its_attempts")
class PushesWords(Memory):
    def cancel(self, *, submitted):
        super().cancel(submitted=submitted)
        self.context.report(observations={one.token: "cancelled" for one in submitted})
