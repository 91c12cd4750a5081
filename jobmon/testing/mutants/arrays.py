"""Mutants that do wrong with arrays."""

# mypy: disable-error-code="misc,no-untyped-def"

import attrs

from jobmon.testing.mutation import AnyExecutor, mutant


@mutant(
    "gives the members of an array one id",
    caught_by=["test_each_member_gets_one_outcome_and_an_id_of_its_own"],
    fake="takes an array",
    add="the platform take arrays, and array_limit() be more than 1",
    needs="submit_array",
)
def gives_members_one_id(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def submit_array(self, *, array):
            told = list(super().submit_array(array=array))
            return [(token, told[0][1]) for token, _ in told]

    return Wrong


@mutant(
    "submits an array twice",
    caught_by=["test_an_array_is_one_submission_under_its_token"],
    fake="tells how often an array was submitted",
    add="job_names() tell every submission, an array's once",
    needs="submit_array",
)
def submits_an_array_twice(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def submit_array(self, *, array):
            list(super().submit_array(array=array))
            return super().submit_array(array=array)

    return Wrong


@mutant(
    "forgets the index of a member in find",
    caught_by=["test_an_array_whose_answer_did_not_come_is_found_whole"],
    fake="takes an array and loses the answer",
    add="accept_then_time_out() hold for arrays, and the listing tell each member with its index",
    needs="submit_array",
)
def forgets_the_index(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def find(self, *, submissions):
            return super().find(submissions=[attrs.evolve(one, index=None) for one in submissions])

    return Wrong


@mutant(
    "runs the members of an array without their index",
    caught_by=["test_each_worker_of_an_array_gets_its_index"],
    fake="tells the arguments that a member got",
    add="arguments() tell what the member was really run with, its index last",
    needs="submit_array",
)
def runs_members_without_their_index(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def submit_array(self, *, array):
            return super().submit_array(array=attrs.evolve(array, worker_argv=array.worker_argv[:-1]))

    return Wrong
