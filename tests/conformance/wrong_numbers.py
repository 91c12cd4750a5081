"""Wrong executors that many attempts, or many calls, cost too much."""

from reference import Memory
from wrong_executors import fails

# Command lines


@fails("test_thousands_fit_into_command_lines")
class AsksForAllNamesInOneArgument(Memory):
    def find(self, *, submissions):
        self.run(["true", ",".join(one.job_name for one in submissions)])
        return super().find(submissions=submissions)


@fails("test_thousands_fit_into_command_lines")
class AsksForAllIdsInOneArgument(Memory):
    def observe(self, *, submitted):
        self.run(["true", ",".join(one.executor_job_id for one in submitted)])
        return super().observe(submitted=submitted)


@fails("test_thousands_fit_into_command_lines")
class CancelsAllByNameInOneCommand(Memory):
    def cancel(self, *, submitted):
        self.run(["true", *(one.job_name for one in submitted)])
        super().cancel(submitted=submitted)


# Squares


@fails("test_the_cost_of_many_does_not_grow_with_their_square")
class LooksForEachInAllRows(Memory):
    def observe(self, *, submitted):
        rows = self.rows()
        mine = {one.token: [row for row in rows if row.id == one.executor_job_id] for one in submitted}
        return {one.token: self.seen(one, next(iter(mine[one.token]), None)) for one in submitted}


@fails("test_the_cost_of_many_does_not_grow_with_their_square")
class ListsForEachAttempt(Memory):
    def observe(self, *, submitted):
        return {one.token: super(ListsForEachAttempt, self).observe(submitted=[one])[one.token] for one in submitted}


@fails("test_the_cost_of_many_does_not_grow_with_their_square")
class FindsEachInAListing(Memory):
    def find(self, *, submissions):
        return {one.token: super(FindsEachInAListing, self).find(submissions=[one])[one.token] for one in submissions}


# Memory


@fails("test_memory_does_not_grow_by_each_call")
class KeepsAllAnswers(Memory):
    def observe(self, *, submitted):
        answer = super().observe(submitted=submitted)
        self.__dict__.setdefault("answers", []).append(dict(answer))
        return answer


@fails("test_memory_does_not_grow_by_each_call")
class NotesWhenItWasAsked(Memory):
    def find(self, *, submissions):
        self.__dict__.setdefault("asked", []).append((self.now(), len(submissions)))
        return super().find(submissions=submissions)
