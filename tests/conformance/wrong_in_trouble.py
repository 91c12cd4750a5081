"""More wrong executors: those that fail when their platform does, or the user's texts are hostile."""

import os
from datetime import timedelta
from pathlib import Path

import attrs
from payloads import Payloads
from reference import Memory
from wrong_executors import fails

from jobmon.plugins import Absent, Deferred, Exited, Reason, Rejected, SchedulerUnavailable, Uncertain

# The platform is away, or answers half


@fails("test_an_outage_at_submit_neither_accepts_nor_refuses")
class TakesAnOutageForARefusal(Memory):
    def outcome(self, request):
        try:
            return super().outcome(request)
        except SchedulerUnavailable as error:
            return Rejected(str(error))


@fails("test_an_outage_at_observe_ends_nothing")
@fails("test_an_outage_at_find_finds_nothing_absent")
class TakesAnOutageForAbsence(Memory):
    def rows(self):
        try:
            return super().rows()
        except SchedulerUnavailable:
            return []


@fails("test_an_outage_at_cancel_loses_no_cancellation")
class CancelsOnce(Memory):
    def cancel(self, *, submitted):
        asked = self.__dict__.setdefault("asked", set())
        new = [one for one in submitted if one.token not in asked]
        asked |= {one.token for one in new}
        super().cancel(submitted=new)


@fails("test_half_an_answer_makes_nobody_absent")
class TrustsHalfAnAnswer(Memory):
    def rows(self):
        self.settings.table._half, half = False, self.settings.table._half
        rows = super().rows()
        return rows[: len(rows) // 2] if half else rows


@fails("test_half_an_answer_at_find_finds_nothing_absent")
class FindsInHalfAnAnswer(Memory):
    def find(self, *, submissions):
        self.settings.table._half, half = False, self.settings.table._half
        known = submissions[len(submissions) // 2 :] if half else submissions
        return {s.token: Absent(self.now()) for s in submissions} | dict(super().find(submissions=known))


@fails("test_a_submission_that_may_have_arrived_is_uncertain")
class PutsOffWhatMayHaveArrived(Memory):
    def outcome(self, request):
        outcome = super().outcome(request)
        return Deferred(outcome.why) if isinstance(outcome, Uncertain) else outcome


# Losses


@fails("test_what_the_platform_has_lost_is_no_success")
class TakesAbsenceForDone(Memory):
    def seen(self, one, row):
        seen = super().seen(one, row)
        return Exited(0) if isinstance(seen, Absent) else seen


@fails("test_a_strangers_job_with_the_same_id_is_not_credited")
class CreditsByIdAlone(Memory):
    def seen(self, one, row):
        return super().seen(one, row and attrs.evolve(row, name=one.job_name))


@fails("test_a_strangers_job_with_the_same_id_is_not_cancelled")
class CancelsByIdAlone(Memory):
    def cancel(self, *, submitted):
        self.rows()
        for one in submitted:
            self.settings.table.delete(one.executor_job_id)


@fails("test_a_jump_of_the_clock_ends_nothing")
class EndsByItsOwnClock(Memory):
    def seen(self, one, row):
        too_long = abs(self.now() - one.submitted_at) > timedelta(hours=1)
        return Exited(reason=Reason.TIMEOUT, detail="too long") if too_long else super().seen(one, row)


# Texts of the user


@fails("test_hostile_task_names_do_no_harm")
class TellsAShellTheTasksName(Memory):
    def outcome(self, request):
        self.run(["sh", "-c", f'echo "{request.task_name}"'])
        return super().outcome(request)


@fails("test_the_workers_command_line_arrives_as_it_was_given")
class SplitsTheCommandLine(Memory):
    def outcome(self, request):
        return super().outcome(attrs.evolve(request, worker_argv=tuple(" ".join(request.worker_argv).split())))


@fails("test_random_lives_keep_the_contract")
class ForgetsTheOldest(Memory):
    def rows(self):
        return super().rows()[-2:]


# Payloads


@fails("test_a_command_gets_its_environment_and_folder")
class DropsTheEnvironment(Payloads):
    def environment(self, request):
        return dict(os.environ)


@fails("test_a_command_gets_its_environment_and_folder")
class IgnoresTheFolder(Payloads):
    def submit(self, *, requests):
        return super().submit(requests=[attrs.evolve(request, cwd="/") for request in requests])


@fails("test_a_commands_output_is_in_its_files")
class DropsTheOutput(Payloads):
    def output(self, request):
        super().output(request)
        return Path(os.devnull)


@fails("test_a_commands_arguments_arrive_as_they_were_given")
class JoinsTheArguments(Payloads):
    def argv(self, request):
        argv = super().argv(request)
        return argv if argv[0] == "bash" else ["bash", "-c", " ".join(argv)]


@fails("test_a_long_shell_command_runs_whole")
class PutsTheCommandIntoOneArgument(Payloads):
    def shell_argv(self, token, shell):
        return ["bash", "-c", shell]


@fails("test_the_status_of_a_failing_command_is_told")
class TellsAnyFailureAsOne(Payloads):
    def end(self, token, status):
        return super().end(token, min(status, 1))


@fails("test_the_result_of_a_call_is_told")
class TellsNoResult(Payloads):
    def end(self, token, status):
        return attrs.evolve(super().end(token, status), result=None)


@fails("test_a_call_that_raises_is_a_failure_with_its_words")
class TellsOnlyTheStatus(Payloads):
    def end(self, token, status):
        return attrs.evolve(super().end(token, status), detail=f"status {status}")
