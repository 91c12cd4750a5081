"""Wrong executors that let one attempt of a call spoil the others, or mix them up; and those that doubt too little."""

from reference import TOKEN_LENGTH, Memory
from wrong_executors import fails

from jobmon.plugins import Absent, Accepted, ArrayRefused, Found, Rejected, SchedulerUnavailable, Uncertain
from jobmon.testing import AnswerBroken, ArrayTooLarge, CancelRefused

# Several in one call


@fails("test_requests_come_in_any_order")
class GivesIdsByTheOrderOfTokens(Memory):
    def submit(self, *, requests):
        outcomes = list(super().submit(requests=sorted(requests, key=lambda request: request.token)))
        return zip([request.token for request in requests], [outcome for _, outcome in outcomes], strict=True)


@fails("test_one_refusal_among_many_is_one_refusal")
class StopsAtARefusal(Memory):
    def submit(self, *, requests):
        for token, outcome in super().submit(requests=requests):
            yield token, outcome
            if isinstance(outcome, Rejected):
                return


@fails("test_one_refusal_among_many_is_one_refusal")
class TakesOneRefusalForAll(Memory):
    def submit(self, *, requests):
        refusal = None
        for request in requests:
            outcome = refusal or self.outcome(request)
            refusal = outcome if isinstance(outcome, Rejected) else None
            yield request.token, outcome


# Cancelling


@fails("test_what_waits_can_be_cancelled")
class CancelsOnlyWhatRuns(Memory):
    def cancel(self, *, submitted):
        waiting = {row.name for row in self.rows() if row.waits}
        super().cancel(submitted=[one for one in submitted if one.job_name not in waiting])


@fails("test_one_refused_cancellation_keeps_no_other")
class StopsAtARefusedCancellation(Memory):
    def cancel(self, *, submitted):
        try:
            for one in submitted:
                self.settings.table.delete(one.executor_job_id, one.job_name)
        except CancelRefused:
            return


@fails("test_one_refused_cancellation_keeps_no_other")
class TakesARefusedCancellationForAnOutage(Memory):
    def delete(self, one):
        try:
            self.settings.table.delete(one.executor_job_id, one.job_name)
        except CancelRefused as error:
            raise SchedulerUnavailable(str(error)) from error


@fails("test_a_refused_cancellation_costs_no_more_each_time")
class RepeatsARefusedCancellation(Memory):
    def delete(self, one):
        for _ in range(100):
            super().delete(one)
            if any(row.id == one.executor_job_id and row.ended for row in self.rows()):
                return


@fails("test_a_refused_cancellation_costs_no_more_each_time")
class CancelsAllThatItWasEverAsked(Memory):
    def cancel(self, *, submitted):
        asked = self.__dict__.setdefault("asked", [])
        asked.extend(submitted)
        super().cancel(submitted=asked)


# Arrays


@fails("test_members_are_counted_by_their_places")
class CountsMembersByTheirTokens(Memory):
    def submit_array(self, *, array):
        outcomes = [outcome for _, outcome in super().submit_array(array=array)]
        return zip(sorted(array.members), outcomes, strict=True)


@fails("test_an_array_that_is_too_large_goes_in_smaller_ones")
class TakesALargeArrayForARefusal(Memory):
    def array_outcome(self, array):
        try:
            return super().array_outcome(array)
        except ArrayRefused as error:
            return Rejected(str(error))


@fails("test_an_array_that_is_too_large_goes_in_smaller_ones")
class ProposesTheSameSize(Memory):
    def array_outcome(self, array):
        try:
            return super().array_outcome(array)
        except ArrayRefused as error:
            raise ArrayRefused(str(error), limit=100) from error


@fails("test_an_array_that_is_too_large_goes_in_smaller_ones")
class LeavesTheBeginningOfALargeArray(Memory):
    def array_outcome(self, array):
        try:
            return super().array_outcome(array)
        except ArrayRefused as error:
            self.settings.table.submit_array(array.job_name, list(array.worker_argv), error.limit)
            raise


@fails("test_an_array_that_is_too_large_goes_in_smaller_ones")
class ProposesNone(Memory):
    def array_outcome(self, array):
        try:
            return super().array_outcome(array)
        except ArrayRefused as error:
            raise ArrayRefused(str(error), limit=0) from error


# Doubt


@fails("test_an_error_after_the_arrival_is_uncertain")
class TakesAnyErrorForARefusal(Memory):
    def outcome(self, request):
        try:
            return Accepted(self.settings.table.submit(request.job_name, list(request.worker_argv)))
        except AnswerBroken as error:
            return Rejected(str(error))


@fails("test_an_error_after_the_arrival_is_uncertain")
class SubmitsAgainAfterAnError(Memory):
    def outcome(self, request):
        try:
            return Accepted(self.settings.table.submit(request.job_name, list(request.worker_argv)))
        except AnswerBroken:
            return super().outcome(request)


@fails("test_an_array_whose_answer_did_not_come_is_uncertain")
@fails("test_an_error_after_the_arrival_of_an_array_is_uncertain")
class SplitsAnArrayInDoubt(Memory):
    def array_outcome(self, array):
        outcome = super().array_outcome(array)
        if isinstance(outcome, Uncertain):
            raise ArrayRefused(outcome.why, limit=1)
        return outcome


@fails("test_an_array_whose_answer_did_not_come_is_uncertain")
class GivesUpAnArrayInDoubt(Memory):
    def array_outcome(self, array):
        outcome = super().array_outcome(array)
        return Rejected(outcome.why) if isinstance(outcome, Uncertain) else outcome


@fails("test_an_error_after_the_arrival_of_an_array_is_uncertain")
class TakesAnyErrorForARefusalOfTheArray(Memory):
    def array_outcome(self, array):
        try:
            number = self.settings.table.submit_array(array.job_name, list(array.worker_argv), len(array.members))
        except (AnswerBroken, ArrayTooLarge) as error:
            return Rejected(str(error))
        return Accepted(number)


# Names


@fails("test_jobs_of_nearly_the_same_name_are_told_as_no_attempt")
class MindsNoCapitals(Memory):
    def find(self, *, submissions):
        rows = {(row.name.lower(), row.index): row for row in self.rows()}
        found = {s.token: rows.get((s.job_name.lower(), s.index)) for s in submissions}
        return {token: Found(row.id) if row else Absent(self.now()) for token, row in found.items()}


@fails("test_jobs_of_nearly_the_same_name_are_told_as_no_attempt")
class ReadsASCIIAlone(Memory):
    def rows(self):
        rows = super().rows()
        [row.name.encode("ascii") for row in rows]
        return rows


@fails("test_jobs_of_nearly_the_same_name_are_told_as_no_attempt")
@fails("test_jobs_of_nearly_the_same_name_are_not_cancelled")
class CutsTokens(Memory):
    def find(self, *, submissions):
        rows = {(row.name[: TOKEN_LENGTH - 1], row.index): row for row in self.rows()}
        found = {s.token: rows.get((s.job_name[: TOKEN_LENGTH - 1], s.index)) for s in submissions}
        return {token: Found(row.id) if row else Absent(self.now()) for token, row in found.items()}

    def cancel(self, *, submitted):
        names = tuple(one.job_name[: TOKEN_LENGTH - 1] for one in submitted)
        for row in self.rows():
            _ = row.name.startswith(names) and self.settings.table.delete(row.id)
