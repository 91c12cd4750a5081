"""Wrong executors: each differs from a right one in one place, by at most ten lines, and names the check it must fail.

Each is the executor on the kit's table in memory, except where it is about reporting by the platform alone (those
derive from the dummy) or about running payloads (those derive from the executor that does).
"""

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import attrs
from jobmon_dummy import Dummy
from reference import TOKEN_LENGTH, Memory

from jobmon.plugins import (
    Absent,
    Accepted,
    Deferred,
    Executor,
    Exited,
    Found,
    Pending,
    Reason,
    Rejected,
    Running,
    Uncertain,
)

#: Check -> the wrong executors that are named after it.
WRONG: dict[str, list[type[Executor]]] = {}
_kept: list[Any] = []  #: what leaks


def fails(check: str) -> Callable[[type[Executor]], type[Executor]]:
    """Name the check that a wrong executor must fail."""

    def note(cls: type[Executor]) -> type[Executor]:
        WRONG.setdefault(check, []).append(cls)
        return cls

    return note


# submit


@fails("test_two_attempts_have_two_ids")
class GivesOneIdToAll(Memory):
    def outcome(self, request):
        outcome = super().outcome(request)
        return Accepted("1000") if isinstance(outcome, Accepted) else outcome


@fails("test_calls_about_nothing_do_nothing")
class NeedsSomethingToObserve(Memory):
    def observe(self, *, submitted):
        self.newest = max(one.submitted_at for one in submitted)
        return super().observe(submitted=submitted)


@fails("test_the_token_stands_at_the_start_of_the_name_at_the_platform")
class NamesJobsAfterTasks(Memory):
    def outcome(self, request):
        return super().outcome(attrs.evolve(request, job_name=f"{request.task_name}-{request.token}"))


@fails("test_a_refused_submission_is_rejected_with_the_platforms_words")
class PutsOffWhatIsRefused(Memory):
    def outcome(self, request):
        outcome = super().outcome(request)
        return Deferred(outcome.why) if isinstance(outcome, Rejected) else outcome


# observe


@fails("test_a_live_attempt_is_pending_or_running")
class LosesAnId(Memory):
    def observe(self, *, submitted):
        return super().observe(submitted=submitted[:-1])


@fails("test_what_is_pushed_are_observations_of_its_attempts")
class PushesByName(Memory):
    def observe(self, *, submitted):
        self.context.report(observations={one.job_name: Running() for one in submitted})
        return super().observe(submitted=submitted)


# Ends


@fails("test_the_end_of_an_attempt_is_seen")
class NeverSeesAnEnd(Memory):
    def end(self, row):
        return Running()


@fails("test_success_is_told_as_success_where_the_platform_alone_reports")
class TellsSuccessAsUnknown(Dummy):
    def _look_at(self, attempt):
        seen = super()._look_at(attempt)
        return Exited(0, Reason.UNKNOWN) if isinstance(seen, Exited) and seen.reason is None else seen


@fails("test_failure_is_never_told_as_success")
@fails("test_ends_of_many_are_not_mixed_up")
@fails("test_what_was_killed_from_outside_is_no_success")
@fails("test_what_ran_before_the_hosts_restart_is_neither_live_nor_successful")
@fails("test_what_is_cancelled_ends_and_is_no_success")
class TakesAnyEndForSuccess(Memory):
    def end(self, row):
        return Exited(0)


@fails("test_ends_of_many_are_not_mixed_up")
class TellsTheFirstEndOfAll(Memory):
    def end(self, row):
        return super().end(next(row for row in self.rows() if row.ended))


@fails("test_what_has_ended_never_runs_again")
class RegressesAFinalState(Memory):
    def observe(self, *, submitted):
        told = self.__dict__.setdefault("told", set())
        answer = {t: Running() if t in told else seen for t, seen in super().observe(submitted=submitted).items()}
        told |= {token for token, seen in answer.items() if isinstance(seen, Exited)}
        return answer


# The life of the object


@fails("test_settling_one_attempt_changes_no_other")
class ForgetsAllWhenOneIsSettled(Memory):
    def settled(self, *, tokens):
        self.settings.table.jobs.clear()


@fails("test_a_restart_between_submit_and_observe_loses_nothing")
class RemembersItsJobs(Memory):
    def outcome(self, request):
        self.__dict__.setdefault("mine", set()).add(request.job_name)
        return super().outcome(request)

    def rows(self):
        return [row for row in super().rows() if row.name in self.__dict__.get("mine", ())]


@fails("test_attempts_live_on_when_the_executor_stops")
class CancelsWhenItStops(Memory):
    def stop(self):
        for row in self.rows():
            self.settings.table.delete(row.id)


@fails("test_every_call_answers_in_time")
class Blocks(Memory):
    def cancel(self, *, submitted):
        threading.Event().wait(5.0)


@fails("test_nothing_is_left_behind")
class LeaksAThread(Memory):
    def start(self, context):
        super().start(context)
        threading.Thread(target=threading.Event().wait, args=[5.0], daemon=True).start()


@fails("test_nothing_is_left_behind")
class LeaksAFile(Memory):
    def start(self, context):
        super().start(context)
        _kept.append((self.context.log_folder / "log").open("w"))


@fails("test_nothing_is_left_behind")
class LeaksAProcess(Memory):
    def stop(self):
        _kept.append(subprocess.Popen([sys.executable, "-I", "-S", "-c", ""]))


# cancel


@fails("test_what_is_cancelled_ends_and_is_no_success")
class IgnoresCancel(Memory):
    def cancel(self, *, submitted):
        self.rows()


@fails("test_cancel_ends_nothing_else")
@fails("test_one_of_many_ends_alone")
class CancelsEverything(Memory):
    def cancel(self, *, submitted):
        for row in self.rows():
            self.settings.table.delete(row.id)


@fails("test_cancelling_what_has_ended_changes_nothing")
class TellsCancelledOfWhatHadEnded(Memory):
    def cancel(self, *, submitted):
        super().cancel(submitted=submitted)
        ended = [row.name for row in self.rows() if row.ended]
        cancelled = Exited(reason=Reason.CANCELLED)
        self.context.report(observations={one.token: cancelled for one in submitted if one.job_name in ended})


@fails("test_an_end_after_cancel_is_told_as_it_was")
class TakesCancelForTheEnd(Memory):
    def cancel(self, *, submitted):
        super().cancel(submitted=submitted)
        self.context.report(observations={one.token: Exited(reason=Reason.CANCELLED) for one in submitted})


@fails("test_cancel_may_be_repeated_also_after_a_restart")
class RaisesOnASecondCancel(Memory):
    def cancel(self, *, submitted):
        for one in submitted:
            if not self.settings.table.delete(one.executor_job_id, one.job_name):
                raise KeyError(one.executor_job_id)


# Many


@fails("test_thousands_go_through_in_few_calls")
class ReadsAHundredRows(Memory):
    def rows(self):
        return super().rows()[:100]


@fails("test_a_batch_whose_answer_did_not_come_is_not_sent_again")
@fails("test_what_may_have_arrived_is_not_sent_again")
class SubmitsAgainAfterATimeOut(Memory):
    def outcome(self, request):
        outcome = super().outcome(request)
        return super().outcome(request) if isinstance(outcome, Uncertain) else outcome


@fails("test_the_array_limit_is_a_whole_number")
class HasArraysOfNone(Memory):
    def array_limit(self):
        return 0


@fails("test_each_member_gets_one_outcome_and_an_id_of_its_own")
class GivesMembersTheArraysId(Memory):
    def submit_array(self, *, array):
        outcome = self.array_outcome(array)
        return [(token, outcome) for token in array.members]


@fails("test_an_array_is_one_submission_under_its_token")
class SubmitsMembersOneByOne(Memory):
    def submit_array(self, *, array):
        for index, token in enumerate(array.members, 1):
            argv = [*array.worker_argv, str(index)]
            yield token, Accepted(self.settings.table.submit(f"{token}-task", argv))


@fails("test_each_worker_of_an_array_gets_its_index")
class CountsIndexesFromNought(Memory):
    def array_outcome(self, array):
        outcome = super().array_outcome(array)
        for job in self.settings.table.jobs.values():
            job.argv[-1] = str(int(job.argv[-1]) - 1)
        return outcome


@fails("test_an_array_whose_answer_did_not_come_is_found_whole")
class FindsMembersByTheirOwnTokens(Memory):
    def find(self, *, submissions):
        rows = {row.name[:TOKEN_LENGTH]: row for row in self.rows()}
        return {s.token: Found(rows[s.token].id) if s.token in rows else Absent(self.now()) for s in submissions}


# find


@fails("test_find_gives_the_id_that_submit_gave")
class FindsNamesForIds(Memory):
    def find(self, *, submissions):
        return {t: Found(t) if isinstance(f, Found) else f for t, f in super().find(submissions=submissions).items()}


@fails("test_a_token_that_was_never_submitted_is_not_found")
class FindsWhateverIsAskedFor(Memory):
    def find(self, *, submissions):
        rows = {row.name[:TOKEN_LENGTH]: row for row in self.rows()}
        return {s.token: Found(rows[s.token].id if s.token in rows else "1") for s in submissions}


@fails("test_another_executor_finds_the_same")
@fails("test_what_may_have_arrived_is_found")
class FindsWhatItRemembers(Memory):
    def outcome(self, request):
        outcome = super().outcome(request)
        if isinstance(outcome, Accepted):
            self.__dict__.setdefault("mine", {})[request.token] = Found(outcome.executor_job_id)
        return outcome

    def find(self, *, submissions):
        self.rows()
        return {s.token: self.__dict__.get("mine", {}).get(s.token, Absent(self.now())) for s in submissions}


@fails("test_what_has_ended_is_still_found_where_the_platform_alone_reports")
class FindsOnlyTheLiving(Dummy):
    def find(self, *, submissions):
        found = super().find(submissions=submissions)
        ended = {token for token, seen in self.context.pushed if isinstance(seen, Exited)}
        return {token: Absent(self.now()) if token in ended else finding for token, finding in found.items()}

    def observe(self, *, submitted):
        seen = super().observe(submitted=submitted)
        self.context.report(observations={token: end for token, end in seen.items() if isinstance(end, Exited)})
        return seen


# What is told of an end


@fails("test_the_usage_of_an_attempt_is_told_in_known_units")
class TellsUsageInItsOwnWords(Memory):
    def end(self, row):
        return attrs.evolve(super().end(row), usage={"maxvmem": 2.1})


@fails("test_the_reason_is_the_platforms")
class MisreportsAReason(Memory):
    def end(self, row):
        return attrs.evolve(super().end(row), reason=row.reason and Reason.EXIT_NONZERO)


@fails("test_the_platforms_evidence_of_a_failure_is_kept")
class KeepsNoEvidence(Memory):
    def end(self, row):
        return attrs.evolve(super().end(row), detail=None)


@fails("test_the_platforms_reason_for_a_wait_is_told")
class KeepsTheReasonOfAWaitToItself(Memory):
    def live(self, row):
        return Pending() if row.waits else Running()
