"""The command lines for Grid Engine."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobmon_uge.answers import ranges
from jobmon_uge.commands import deletions, listing, queues, script, submission
from jobmon_uge.settings import OwnResources, Settings, problems_of

from jobmon.plugins import Resources

NAME = "j01m87e4ta60vhz8z3x32vnp39v-fit"


def qsub(settings=Settings(), resources=Resources(), **more):  # noqa: B008 - both are frozen
    return submission(settings, resources, job_name=NAME, output="/log/x.out", **more)


def values(argv, option):
    return [argv[i + 1] for i, word in enumerate(argv) if word == option]


def test_a_job_has_its_token_first_no_rerun_and_nothing_of_the_submitters_environment():
    argv = qsub()
    assert argv[:2] == ["qsub", "-terse"]
    assert values(argv, "-N") == [NAME]
    assert values(argv, "-r") == ["n"]
    assert values(argv, "-o") == ["/log/x.out"]
    assert not {"-V", "-v"} & set(argv)


def test_an_array_has_its_size():
    assert values(qsub(count=1000), "-t") == ["1-1000"]
    assert values(qsub(), "-t") == []


def test_everything_that_is_asked_for_is_on_the_command_line():
    settings = Settings(
        queue="all.q", project="proj", account="ab", pe="smp", cores_resource="fthread", gpu_resource="gpu",
        memory_resources=("m_mem_free", "h_vmem"), request={"arch": "lx-amd64"}, hold=True, native=("-p", "-10"),
    )  # fmt: skip
    argv = qsub(settings, Resources(cores=4, memory=8 << 30, runtime=90.5, gpus=1))
    assert [values(argv, option) for option in ("-q", "-P", "-A", "-p")] == [["all.q"], ["proj"], ["ab"], ["-10"]]
    assert argv[argv.index("-pe") + 1 :][:2] == ["smp", "4"]
    assert values(argv, "-l") == ["fthread=4", "m_mem_free=2048M", "h_vmem=2048M", "h_rt=91", "gpu=1", "arch=lx-amd64"]
    assert "-h" in argv


def test_memory_is_asked_for_whole_where_nothing_multiplies_it():
    for settings in (Settings(cores_resource="fthread"), Settings(pe="smp", memory_per_slot=False)):
        assert "m_mem_free=8192M" in values(qsub(settings, Resources(cores=4, memory=8 << 30)), "-l")


def test_a_tasks_own_table_stands_before_the_executors_settings():
    settings = Settings(queue="all.q", project="proj", request={"arch": "a", "os": "b"}, native=("-p", "-10"))
    argv = qsub(settings, Resources(own=OwnResources(queue="long.q", request={"os": "c"}, native=("-R", "y"))))
    assert [values(argv, option) for option in ("-q", "-P", "-l")] == [["long.q"], ["proj"], ["arch=a", "os=c"]]
    assert argv[-4:] == ["-p", "-10", "-R", "y"]


def test_queues_are_looked_up_by_their_names():
    assert queues(Settings(queue="all.q@node1,short.q,*.q"), Resources()) == ["qconf", "-sq", "all.q,short.q"]
    assert queues(Settings(queue="a.q"), Resources(own=OwnResources(queue="b.q"))) == ["qconf", "-sq", "b.q"]
    assert queues(Settings(), Resources()) == []


def test_cores_and_gpus_that_no_setting_can_ask_for_are_a_problem():
    said = problems_of(Settings(), Resources(cores=2, gpus=1))
    assert [word in text for word, text in zip(["`pe`", "`gpu_resource`"], said, strict=True)] == [True, True]
    assert problems_of(Settings(pe="smp", gpu_resource="gpu"), Resources(cores=2, gpus=1)) == []
    assert problems_of(Settings(), Resources(cores=2, own=OwnResources(pe="smp"))) == []


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"queue": "-V"}, "queue = '-V'"),
        ({"project": "a b"}, "project = 'a b'"),
        ({"request": {"h_vmem": "1G,h_rt=5"}}, "no comma"),
        ({"native": ("-V",)}, "'-V', which Jobmon sets itself"),
        ({"native": ("-p -10", "-N")}, "'-N'"),
        ({"native": ("5",)}, "begins with '5'"),
        ({"native": ("-p", "a\nb")}, "cannot be printed"),
        ({"accounting_wait": "soon"}, "is not a span"),
        ({"array_limit": 0}, "array_limit"),
    ],
)
def test_settings_that_could_do_harm_are_refused(settings, problem):
    with pytest.raises(ValueError, match=problem):
        Settings(**settings)


def test_the_environment_of_the_commands_is_given_where_the_settings_have_it():
    settings = Settings(sge_root="/sge", sge_cell="lab", commands="/sge/bin")
    assert listing(settings, "ann")[:4] == ["/usr/bin/env", "SGE_ROOT=/sge", "SGE_CELL=lab", "/sge/bin/qstat"]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1), st.booleans())
def test_the_script_runs_exactly_the_workers_words(argv, array):
    text = script(argv, array=array)
    assert text.startswith("exec ")
    assert shlex.split(text)[1:] == [*argv, *(["$SGE_TASK_ID"] if array else [])]


@given(st.sets(st.tuples(st.sampled_from(["7", "12"]), st.integers(1, 300))), st.integers(1, 5))
def test_what_is_deleted_is_exactly_what_was_named(places, chunk):
    words = []
    for argv in deletions(Settings(), places, chunk=chunk):
        assert argv[0] == "qdel"
        assert 1 <= len(argv[1:]) <= chunk
        words += argv[1:]
    pairs = [word.split(".") for word in words]
    assert sorted((job, i) for job, tasks in pairs for r in ranges(tasks) for i in r) == sorted(places)


def test_a_whole_job_is_one_word_and_thousands_of_tasks_are_few():
    assert list(deletions(Settings(), [("7", None), ("8", None)])) == [["qdel", "7", "8"]]
    assert list(deletions(Settings(), [("9", i) for i in range(1, 5001)])) == [["qdel", "9.1-5000"]]
