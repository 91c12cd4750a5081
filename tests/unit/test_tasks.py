"""Tasks as users write them: what is taken, what is refused and in which words."""

import functools
import math
import re
import sys

import pytest

from jobmon import BashTask, InvalidTask, PythonTask, Workflow
from jobmon.client.arguments import with_outputs
from jobmon.client.names import name_problem
from jobmon.client.specs import digest
from jobmon.wire.jobs import Call, Command


def refer(task):
    return f"job of {task.name}"


def module_function():
    """Something that has a name."""


class Holder:
    @staticmethod
    def static():
        """Reachable by a dotted name."""

    def method(self):
        """Not reachable without an object."""


def test_a_text_is_a_shell_command_and_a_list_is_a_program():
    assert Command(shell="echo $HOME | wc") == BashTask("echo $HOME | wc").payload(refer, "")
    assert Command(argv=["echo", "$HOME"]) == BashTask(["echo", "$HOME"]).payload(refer, "")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ([], "empty"),
        ([""], "empty"),
        ("echo \0", "NUL"),
        (["echo", "a\0"], r"command\[1\] contains a NUL"),
        (["echo", 3], r"command\[1\] must be text, not int"),
        (3, "must be text or a list"),
        (b"true", "must be text or a list of texts, not bytes"),
        ("echo \ud800", "surrogate"),
    ],
)
def test_a_command_that_cannot_be_run_is_a_problem(command, words):
    (problem,) = BashTask(command).problems
    assert re.search(words, problem)


def test_a_command_of_a_megabyte_is_fine():
    assert BashTask("true " + "x" * 1_000_000).problems == ()


def test_a_function_is_recorded_by_module_and_name():
    task = PythonTask(math.hypot, args=[3, 4], name="h")
    call = task.payload(refer, "/here")
    assert Call("math", "hypot", [3, 4], {}, False, "/here", sys.executable) == call


def test_a_function_may_be_given_as_text():
    assert PythonTask("math:hypot").problems == ()
    assert PythonTask("json.decoder:JSONDecoder.decode").problems == ()


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: None, "lambda"),
        (functools.partial(math.hypot, 1), "cannot be found by name"),
        (Holder().method, "names another object"),
        (3, "cannot be found by name"),
        ([], "no function"),
        ("math.hypot", "package.module:function"),
        ("math:no_such", "has no function 'no_such'"),
        ("no_such_module_at_all:f", "no module 'no_such_module_at_all'"),
        ("no such:f", "package.module:function"),
    ],
)
def test_a_callable_that_cannot_be_found_by_name_is_a_problem(function, words):
    (problem,) = PythonTask(function).problems
    assert words in problem


def test_a_nested_function_is_a_problem_that_says_where_it_is():
    def nested():
        """Only here."""

    (problem,) = PythonTask(nested).problems
    assert "defined inside 'test_a_nested_function_is_a_problem_that_says_where_it_is'" in problem


def test_a_function_that_was_replaced_in_its_module_is_a_problem(monkeypatch):
    original = module_function
    monkeypatch.setattr(sys.modules[__name__], "module_function", print)
    (problem,) = PythonTask(original).problems
    assert "names another object" in problem


def test_a_function_of_the_script_itself_is_named_by_the_path_of_the_script(monkeypatch, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("")
    main = type(sys)("__main__")
    main.__file__ = str(script)
    main.__spec__ = None
    exec("def work(): pass", main.__dict__)
    monkeypatch.setitem(sys.modules, "__main__", main)
    call = PythonTask(main.work).payload(refer, "")
    assert (str(script), "work", True) == (call.module, call.function, call.is_path)


def test_a_function_of_an_interactive_session_is_a_problem(monkeypatch):
    main = type(sys)("__main__")
    main.__spec__ = None
    exec("def work_of_session(): pass", main.__dict__)
    monkeypatch.setitem(sys.modules, "__main__", main)
    (problem,) = PythonTask(main.work_of_session).problems
    assert "interactive session" in problem


@pytest.mark.parametrize(
    ("value", "where", "what"),
    [
        ({1, 2}, "kwargs['x']", "is a set"),
        ({"deep": [1, {"a": object()}]}, "kwargs['x']['deep'][1]['a']", "is a object"),
        (float("nan"), "kwargs['x']", "is nan"),
        (2**70, "kwargs['x']", "64 bits"),
        ({1: 2}, "kwargs['x']", "keys of JSON objects are text"),
        ({"$output": 3}, "kwargs['x']", "reserved"),
        (b"bytes", "kwargs['x']", "is a bytes"),
        ("\ud800", "kwargs['x']", "surrogate"),
        (BashTask("true", name="other"), "kwargs['x']", "task.output"),
    ],
)
def test_an_argument_that_is_not_json_is_a_problem_that_says_which_and_where(value, where, what):
    (problem,) = PythonTask(math.hypot, kwargs={"x": value}).problems
    assert problem.startswith(f"argument {where} ")
    assert what in problem


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"upstream_tasks": BashTask("true", name="a")}, "upstream_tasks must be a list of tasks, not BashTask"),
        ({"upstream_tasks": "a"}, "upstream_tasks must be a list of tasks, not str: 'a'"),
        ({"tags": 5}, "tags must be a list of texts, not int"),
        ({"args": "abc"}, "args must be a list of values, not str: 'abc'"),
        ({"args": 5}, "args must be a list of values, not int"),
        ({"args": {"a": 1}}, "args must be a list of values, not dict"),
        ({"kwargs": [1]}, "kwargs must be a dict of values by name, not list"),
    ],
)
def test_one_thing_where_several_belong_is_refused_at_once(said, words):
    with pytest.raises(InvalidTask, match=re.escape(words)):
        PythonTask(math.hypot, **said)


def test_an_argument_that_holds_itself_is_a_problem():
    loop = []
    loop.append(loop)
    (problem,) = PythonTask(math.hypot, args=[loop]).problems
    assert "holds itself" in problem


def test_arguments_are_taken_as_they_are_when_the_task_is_made():
    values = [1]
    task = PythonTask(math.hypot, kwargs={"v": values})
    values.append(2)
    assert task.payload(refer, "").kwargs == {"v": [1]}


def test_an_output_in_the_arguments_makes_its_task_upstream_once():
    first, second = PythonTask(math.sqrt, args=[4], name="first"), BashTask("true", name="second")
    task = PythonTask(math.hypot, args=[first.output, {"k": [first.output]}], upstream_tasks=[second])
    assert (second, first) == task.upstream_tasks
    call = task.payload(refer, "")
    assert call.args == [{"$output": "job of first"}, {"k": [{"$output": "job of first"}]}]


def test_an_output_in_a_text_is_refused_at_once():
    task = PythonTask(math.sqrt, args=[4], name="first")
    with pytest.raises(InvalidTask, match="the output of task 'first' is known when that task is done"):
        BashTask(f"echo {task.output}")


def test_a_command_has_no_output():
    with pytest.raises(InvalidTask, match="'b' has no output"):
        _ = BashTask("true", name="b").output


def test_a_script_is_a_program_with_arguments(tmp_path):
    script = tmp_path / "s.py"
    script.write_text("")
    task = PythonTask(script=str(script), args=["--n", 3])
    assert Command(argv=[sys.executable, str(script), "--n", "3"]) == task.payload(refer, "")
    assert task.default_name(7) == "s-7"
    with pytest.raises(InvalidTask):
        _ = task.output


def test_a_script_that_is_not_there_and_arguments_that_are_no_words_are_problems(tmp_path):
    problems = PythonTask(script=str(tmp_path / "none.py"), args=[[1]], kwargs={"a": 1}).problems
    assert len(problems) == 3


def test_a_python_task_calls_or_runs_a_script_but_not_both():
    assert "one of the two" in PythonTask().problems[0]
    assert "one of the two" in PythonTask(math.sqrt, script="x.py").problems[0]


@pytest.mark.parametrize("name", ["fit-Chad", "with spaces", "Côte d'Ivoire", "中国", "👩‍🔬", "a/b"])
def test_names_may_be_any_line_of_text(name):
    assert name_problem(name) is None


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\tb", "a\x7f", "\u2028", "x" * 2000, 3, "\ud800"])
def test_names_of_several_lines_or_none_are_refused(name):
    assert name_problem(name) is not None


def test_a_task_without_a_name_is_named_after_what_it_does_and_its_place():
    wf = Workflow("w")
    wf.add_tasks([BashTask("true"), PythonTask(math.sqrt, args=[1])])
    assert [task.name for task in wf.tasks] == ["task-1", "sqrt-2"]


def test_the_digest_knows_name_work_and_upstream_but_not_their_order():
    def make(**changed):
        return PythonTask(**({"function": math.hypot, "args": [1], "name": "a"} | changed))

    same = digest(make(), ["x", "y"])
    assert same == digest(make(), ["y", "x"])
    assert same == digest(make(executor="other", resources={"cores": 2}, max_attempts=9, tags=["t"]), ["x", "y"])
    others = [
        digest(make(name="b"), ["x", "y"]),
        digest(make(args=[2]), ["x", "y"]),
        digest(make(function=math.sqrt), ["x", "y"]),
        digest(make(), ["x"]),
        digest(BashTask("hypot", name="a"), ["x", "y"]),
    ]
    assert len({same, *others}) == 6


def test_outputs_are_replaced_wherever_they_stand():
    task = PythonTask(math.sqrt, args=[1], name="t")
    assert with_outputs({"a": [1, task.output]}, lambda _: 5) == {"a": [1, {"$output": 5}]}
