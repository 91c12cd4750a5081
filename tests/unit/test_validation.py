"""What is looked for before anything runs, and told in one error."""

import math
from pathlib import Path
from types import MappingProxyType

import attrs
import pytest

from jobmon import BashTask, PythonTask, Workflow
from jobmon.client.checking import check
from jobmon.client.elsewhere import ElsewhereExecutor
from jobmon.config import Config, ExecutorConfig, WorkflowConfig
from jobmon.errors import CycleInGraph, InvalidResources, InvalidTask, InvalidWorkflow, PluginError, UnknownExecutor
from jobmon.plugins import Executor, SchedulerUnavailable, Support
from jobmon.plugins.installed import InstalledType
from jobmon.states.evidence import Reporting
from jobmon.wire.leases import ExecutorRegistration


@attrs.frozen
class OwnResources:
    queue: str = "all.q"


class Grid(Executor):
    name = "uge"
    api_version = (1, 0)
    resources_type = OwnResources
    core_resources = MappingProxyType({"cores": Support.BOOKED, "memory": Support.ENFORCED})

    def check_resources(self, *, resources):
        if resources.memory and resources.memory > 750 << 30:
            return [f"memory {resources.memory >> 30}G is above the 750G that queue {resources.own.queue} allows"]
        return []


class FakeRegistry:
    def names(self):
        return ["uge"]

    def knows(self, name):
        return name in self.names()

    def installed(self):
        return [InstalledType("uge", "jobmon-executor-uge", "0.1", "m", "here")]

    def load(self, name):
        return Grid


CONFIG = Config(folder=Path("/nowhere"))


def plan(workflow, config=CONFIG, **options):
    return check(workflow, config, FakeRegistry(), **options)


def workflow_of(*tasks, **options):
    wf = Workflow("w", **({"executor": "uge"} | options))
    wf.add_tasks(tasks)
    return wf


def test_a_sound_workflow_becomes_a_plan_of_positions():
    a = BashTask("true", name="a")
    b = BashTask("true", name="b", upstream_tasks=[a], executor="compute")
    made = plan(workflow_of(b, a), attrs.evolve(CONFIG, executors={"compute": ExecutorConfig("compute", "uge")}))
    assert (list(made.dag.names), list(made.dag.upstream.of(0))) == (["b", "a"], [1])
    assert (made.executors, list(made.executor_of)) == (("compute", "uge"), [0, 1])


def test_all_problems_of_all_tasks_are_told_at_once():
    stranger = BashTask("true", name="stranger")
    tasks = [
        BashTask("", name="empty"),
        BashTask("true", name="twice"),
        BashTask("true", name="twice"),
        BashTask("true", name="new\nline"),
        BashTask("true", name="above", upstream_tasks=[stranger, "no task"]),
        BashTask("true", name="attempts", max_attempts=0),
        BashTask("true", name="env", env={"A=B": "x", "C": 3}),
        PythonTask(lambda: None, args=[object()], name="call"),
    ]
    with pytest.raises(InvalidTask) as caught:
        plan(workflow_of(*tasks))
    text = str(caught.value)
    for words in (
        "'empty': its command is empty",
        "tasks 2 and 3 have this name",
        r"its name contains '\n'",
        "upstream task 'stranger' is not in the workflow",
        "'no task' is str, not a task",
        "max_attempts is 0",
        "'A=B' cannot be the name",
        "C is 3",
        "a lambda cannot be found",
        "argument args[0] is a object",
    ):
        assert words in text
    assert text.startswith("10 problems in workflow 'w'")


def test_the_same_task_added_twice_is_said_to_be():
    task = BashTask("true", name="a")
    with pytest.raises(InvalidTask, match="the same task was added twice"):
        plan(workflow_of(task, task))


@pytest.mark.parametrize("method", ["__init__", "check_resources"])
def test_an_executor_that_fails_when_it_is_asked_is_named_in_one_sentence(method, monkeypatch):
    def fails(self, *args, **named):
        raise KeyError("x" * 10_000)

    monkeypatch.setattr(Grid, method, fails)
    with pytest.raises(PluginError, match="executor 'uge': its type 'uge' fails when it is asked") as caught:
        plan(workflow_of(BashTask("true", name="a", resources={"cores": 2})))
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("answer", [None, "too much memory", ("too much memory",), {"memory": "too much"}])
def test_a_wrong_answer_about_resources_is_its_types_fault_and_no_list_of_letters(answer, monkeypatch):
    monkeypatch.setattr(Grid, "check_resources", lambda self, *, resources: answer)
    with pytest.raises(PluginError, match=r"executor 'uge': .* check_resources: it answers .*, no list of sentences"):
        plan(workflow_of(BashTask("true", name="a", resources={"cores": 2})))


def test_a_platform_that_does_not_answer_before_a_run_refuses_nothing(monkeypatch):
    def away(self, *, resources):
        raise SchedulerUnavailable("no answer")

    monkeypatch.setattr(Grid, "check_resources", away)
    assert plan(workflow_of(BashTask("true", name="a", resources={"cores": 2}))).executors == ("uge",)


def test_a_long_list_of_problems_is_cut():
    with pytest.raises(InvalidTask, match="and 80 more"):
        plan(workflow_of(*[BashTask("", name=f"t{i}") for i in range(100)]))


def test_a_circle_is_told_with_its_path():
    a, b = BashTask("true", name="a"), BashTask("true", name="b")
    b.add_upstream(a)
    a.add_upstream(b)
    with pytest.raises(CycleInGraph, match=r"a -> b -> a|b -> a -> b"):
        plan(workflow_of(a, b))


def test_a_workflow_without_tasks_or_with_a_bad_name_is_refused():
    with pytest.raises(InvalidTask, match="no tasks"):
        plan(workflow_of())
    wf = workflow_of(BashTask("true", name="a"))
    wf.name = "two\nlines"
    with pytest.raises(InvalidTask, match="the workflow: its name contains"):
        plan(wf)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"max_attempts": 0}, "max_attempts is 0; it must be a whole number from 1 to 1,000,000"),
        ({"max_attempts": 10**30}, "from 1 to 1,000,000"),
        ({"cwd": 5}, "cwd is 5, which is no folder"),
        ({"cwd": ""}, "cwd is '', which is no folder"),
        ({"cwd": "/srv/\udcff"}, "which is no folder"),
        ({"env": {"A": 1}}, "env: A is 1; it must be text"),
        ({"env": {"A": "\udcff"}}, "env: A is not UTF-8"),
        ({"env": {"A\udcff": "b"}}, "cannot be the name of an environment variable"),
        ({"tags": ["two\nlines"]}, "tag 'two\\nlines'"),
    ],
)
def test_what_a_task_or_a_workflow_says_is_looked_at_alike(said, words):
    with pytest.raises(InvalidTask) as told_of_task:
        plan(workflow_of(BashTask("true", name="a", **said)))
    with pytest.raises(InvalidTask) as told_of_workflow:
        plan(workflow_of(BashTask("true", name="a"), **said))
    assert "task 'a': " in str(told_of_task.value)
    assert words in str(told_of_task.value)
    assert "the workflow: " in str(told_of_workflow.value)
    assert words in str(told_of_workflow.value)


def test_folders_that_are_not_utf_8_are_told_before_anything_runs(tmp_path, monkeypatch):
    folder = tmp_path / "n\udcffn"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(InvalidTask, match=r"the working folder b'.*n\\xffn' has a name that is not UTF-8"):
        plan(workflow_of(BashTask("true", name="a")))


def test_several_kinds_of_problems_are_told_together():
    with pytest.raises(InvalidWorkflow) as caught:
        plan(workflow_of(BashTask("", name="a"), BashTask("true", name="b", executor="ugee")))
    assert "its command is empty" in str(caught.value)
    assert 'task "b" asks for executor "ugee"' in str(caught.value)
    assert 'did you mean "uge"?' in str(caught.value)


def test_the_executor_of_the_configuration_serves_when_nobody_names_one():
    wf = workflow_of(BashTask("true", name="a"), executor=None)
    made = plan(wf, attrs.evolve(CONFIG, workflow=WorkflowConfig(executor="uge")))
    assert made.executors == ("uge",)


def test_without_any_executor_it_is_told_which_there_are():
    with pytest.raises(UnknownExecutor) as caught:
        plan(workflow_of(BashTask("true", name="a"), executor=None))
    assert "installed types: uge 0.1" in str(caught.value)
    assert "[workflow]" in str(caught.value)


def test_resources_that_an_executor_refuses_are_told_of_all_tasks_in_one_error():
    config = attrs.evolve(CONFIG, executors={"compute": ExecutorConfig("compute", "uge")})
    tasks = [
        BashTask("true", name="fit-Chad", resources={"memory": "2TB"}),
        BashTask("true", name="fit-Mali", resources={"memory": "2TB"}),
        BashTask("true", name="fine", resources={"memory": "2G", "slurm": {"partition": "x"}}),
        BashTask("true", name="upload", resources={"memroy": 1}),
        BashTask("true", name="own", resources={"uge": {"quue": "x"}}),
        BashTask("true", name="strange", resources={"uge": {"queue": object()}}),
    ]
    with pytest.raises(InvalidResources) as caught:
        plan(workflow_of(*tasks, executor="compute"), config)
    lines = str(caught.value).splitlines()
    assert lines[0] == "5 tasks ask for what their executor cannot give (nothing was started):"
    assert lines[1] == "  fit-Chad, fit-Mali   compute (uge): memory 2048G is above the 750G that queue all.q allows"
    assert lines[2].endswith("compute (uge): unknown resource 'memroy'; did you mean 'memory'?")
    assert "did you mean 'queue'?" in lines[3]
    assert "not JSON" in lines[4]
    assert not any("fine" in line for line in lines)


def test_resources_of_the_workflow_are_for_tasks_that_say_nothing_else():
    with pytest.raises(InvalidResources, match="1 task asks") as caught:
        plan(
            workflow_of(
                BashTask("true", name="own", resources={"memory": "1G"}),
                BashTask("true", name="none"),
                resources={"memory": "2TB"},
            )
        )
    assert "own" not in str(caught.value)


def test_resources_that_an_executor_ignores_are_said_once():
    tasks = [BashTask("true", name=f"t{i}", resources={"cores": 1, "gpus": i}) for i in range(3)]
    assert plan(workflow_of(*tasks)).notes == ("executor uge (uge) makes no use of: gpus",)


def test_an_executor_that_is_served_elsewhere_need_not_be_installed():
    config = attrs.evolve(CONFIG, executors={"far": ExecutorConfig("far", "slurm")})
    wf = workflow_of(BashTask("true", name="a", resources={"anything": 1}), executor="far")
    made = plan(wf, config, elsewhere=True)
    assert (made.executors, made.usable) == (("far",), ())
    with pytest.raises(UnknownExecutor):
        plan(wf, config)


def served_far():
    registration = ExecutorRegistration(
        "lsf", "jobmon-executor-lsf", "1", [0, 1], False, Reporting.WORKER, {"queue": "str"}, [], {"cores": "booked"}
    )
    return {"far": ElsewhereExecutor("far", registration)}


def test_an_executor_of_a_standing_manager_is_checked_without_plugin_and_configuration():
    tasks = [
        BashTask("true", name="a", resources={"cores": 1, "gpus": 1}, executor="far"),
        BashTask("true", name="b"),
    ]
    made = plan(workflow_of(*tasks), served=served_far)
    assert (made.executors, [e.name for e in made.usable]) == (("far", "uge"), ["uge"])
    assert dict(made.types) == {"far": "lsf", "uge": "uge"}
    assert made.notes == ("executor far (lsf) makes no use of: gpus",)
    wrong = BashTask("true", name="c", resources={"lsf": {"quue": "q"}}, executor="far")
    with pytest.raises(InvalidResources, match=r"far \(lsf\): lsf: unknown resource 'quue'; did you mean 'queue'"):
        plan(workflow_of(wrong), served=served_far)


def test_standing_managers_are_asked_for_only_where_an_executor_is_not_known_here():
    def asked():
        raise AssertionError("the server was asked")

    assert plan(workflow_of(BashTask("true", name="a")), served=asked).executors == ("uge",)


def test_a_wide_fan_in_is_checked_in_one_go():
    tasks = [BashTask("true", name=f"t{i}", upstream_tasks=[]) for i in range(5000)]
    end = BashTask("true", name="end", upstream_tasks=tasks)
    made = plan(workflow_of(*tasks, end))
    assert len(made.dag.upstream.of(5000)) == 5000


def test_a_call_knows_its_upstream_results_by_job_id():
    from jobmon.client.specs import specs

    first = PythonTask(math.sqrt, args=[4], name="first")
    second = PythonTask(math.sqrt, args=[first.output], name="second")
    wf = workflow_of(second, first, tags=["all"])
    made = plan(wf)
    two, one = specs(wf, made, range(10, 12), range(2))
    assert (two.upstream, two.needs_outputs, two.call.args) == ([11], True, [{"$output": 11}])
    assert (one.upstream, one.needs_outputs, one.tags, one.executor) == ([], False, ["all"], "uge")
