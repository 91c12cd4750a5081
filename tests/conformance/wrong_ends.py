"""Wrong executors that tell ends as they were not, take them back, or have the task pay for what it did not do."""

import attrs
from payloads import Payloads
from reference import TOKEN_LENGTH, Memory
from wrong_executors import fails

from jobmon.plugins import Absent, Exited, Found, Pending, Reason, Running, ending

# Exit statuses


@fails("test_every_status_is_told_as_it_is_and_as_a_failure")
class KeepsSevenBits(Memory):
    def end(self, row):
        status = (row.status or 0) & 127
        return attrs.evolve(super().end(row), status=status, reason=row.reason if status else None)


@fails("test_every_status_is_told_as_it_is_and_as_a_failure")
class TakesWhatIsAbove127ForASignal(Memory):
    def end(self, row):
        status = row.status or 0
        return attrs.evolve(super().end(row), status=status - 128 if status > 128 else status)


@fails("test_every_status_is_told_as_it_is_and_as_a_failure")
class TakesStatus137ForMemory(Memory):
    def end(self, row):
        end = super().end(row)
        return attrs.evolve(end, reason=Reason.OUT_OF_MEMORY) if row.status == 137 else end


@fails("test_every_status_is_told_as_it_is_and_as_a_failure")
class TakesStatusesFrom128ForSuccess(Memory):
    def end(self, row):
        signed = (row.status or 0) if (row.status or 0) < 128 else row.status - 256
        return super().end(row) if signed > 0 or row.status is None else Exited(0)


@fails("test_what_a_signal_ended_has_no_negative_status")
class TellsASignalAsANegativeStatus(Memory):
    def end(self, row):
        end = super().end(row)
        return attrs.evolve(end, status=-9) if row.reason is Reason.SIGNALLED else end


@fails("test_what_a_signal_ended_has_no_negative_status")
class TellsTheReturnCodeOfAChild(Payloads):
    def end(self, token, status):
        return attrs.evolve(super().end(token, status), status=status)


# Ends that do not stay


@fails("test_an_end_stays_as_it_was_told")
class TellsAnEndOnce(Memory):
    def seen(self, one, row):
        seen = super().seen(one, row)
        if isinstance(seen, Exited):
            del self.settings.table.jobs[row.id]
        return seen


@fails("test_an_end_stays_as_it_was_told")
class KnowsAfterARestartOnlyThatItEnded(Memory):
    def seen(self, one, row):
        seen = super().seen(one, row)
        lived = self.__dict__.setdefault("lived", set())
        if not isinstance(seen, Exited):
            lived.add(one.token)
        return seen if one.token in lived or not isinstance(seen, Exited) else Exited(reason=Reason.LOST)

    def outcome(self, request):
        self.__dict__.setdefault("lived", set()).add(request.token)
        return super().outcome(request)


@fails("test_settling_one_attempt_leaves_the_living_alone")
class ForgetsWhatIsNotSettled(Memory):
    def settled(self, *, tokens):
        jobs = self.settings.table.jobs
        for row in [row for row in jobs.values() if row.name[:TOKEN_LENGTH] not in tokens]:
            del jobs[row.id]


@fails("test_settling_one_attempt_leaves_the_living_alone")
class EndsAllWhenOneIsSettled(Memory):
    def settled(self, *, tokens):
        for row in self.rows():
            self.settings.table.delete(row.id)


@fails("test_a_killed_runner_is_told_as_an_end")
class RaisesOverAKilledRunner(Payloads):
    def end(self, token, status):
        return super().end(token, status) if status >= 0 else ending("")


@fails("test_a_killed_runner_is_told_as_an_end")
class SaysNothingOfAKilledRunner(Payloads):
    def end(self, token, status):
        return super().end(token, status) if status >= 0 else Exited(reason=Reason.UNKNOWN)


# What an attempt pays for


@fails("test_a_loss_is_never_charged")
class ChargesALoss(Memory):
    def seen(self, one, row):
        seen = super().seen(one, row)
        return Exited(1, Reason.EXIT_NONZERO, detail="it is gone") if isinstance(seen, Absent) else seen


@fails("test_what_a_host_took_with_it_is_never_charged")
class ChargesANodesFailure(Memory):
    def end(self, row):
        end = super().end(row)
        return attrs.evolve(end, reason=Reason.SIGNALLED) if row.reason is Reason.NODE_FAILURE else end


@fails("test_the_attempt_after_a_nodes_failure_is_told_apart")
class TellsAttemptsApartByTask(Memory):
    def observe(self, *, submitted):
        rows = {row.name[TOKEN_LENGTH:]: row for row in self.rows()}
        own = [(one, rows.get(one.job_name[TOKEN_LENGTH:])) for one in submitted]
        return {one.token: self.seen(one, row and attrs.evolve(row, name=one.job_name)) for one, row in own}


# Waiting


@fails("test_what_waits_is_pending_and_what_runs_is_running")
class TellsThatWhatWaitsRuns(Memory):
    def live(self, row):
        return Running()


@fails("test_what_waits_is_pending_and_what_runs_is_running")
class TellsThatWhatRunsWaits(Memory):
    def live(self, row):
        return Pending(row.waits or "in the queue")


# Lists


@fails("test_an_empty_list_ends_nothing")
class TakesAnEmptyListForTheEnd(Memory):
    def observe(self, *, submitted):
        seen = super().observe(submitted=submitted)
        lost = Exited(reason=Reason.LOST, detail="the platform has no jobs")
        return dict.fromkeys(seen, lost) if all(isinstance(one, Absent) for one in seen.values()) else seen


@fails("test_an_empty_list_ends_nothing")
class KeepsAnAbsenceInMind(Memory):
    def seen(self, one, row):
        gone = self.__dict__.setdefault("gone", {})
        seen = gone.get(one.token) or super().seen(one, row)
        if isinstance(seen, Absent):
            gone[one.token] = seen
        return seen


@fails("test_jobs_of_nearly_the_same_name_are_told_as_no_attempt")
class LooksForTheTokenAnywhere(Memory):
    def find(self, *, submissions):
        rows = self.rows()
        found = {s.token: [row for row in rows if s.token in row.name] for s in submissions}
        return dict(super().find(submissions=submissions)) | {t: Found(r[0].id) for t, r in found.items() if r}
