"""Functions given as "module:function": found, or surely not there, without importing their module."""

import importlib
import py_compile
import sys

import pytest

from jobmon import PythonTask
from jobmon.client.bound_names import bound_names
from jobmon.client.references import reference


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Write modules where they can be imported; an import of one of them fails the test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    reference.cache_clear()

    def write(path, source):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(source)

    return write


def problems(text):
    return PythonTask(text).problems


def test_a_module_of_which_a_function_is_named_is_not_imported(modules):
    modules("jobmon_told.py", "raise RuntimeError('it was imported')\ndef work(): pass\n")
    assert problems("jobmon_told:work") == ()
    assert "jobmon_told" not in sys.modules


@pytest.mark.parametrize(
    "source",
    [
        "def work(): pass",
        "async def work(): pass",
        "class work: pass",
        "work = print",
        "work: object = print",
        "from math import sqrt as work",
        "import work.more",
        "if True:\n    def work(): pass",
        "try:\n    import work\nexcept ImportError as work:\n    pass",
        "for work in (print, max): pass",
        "first, (second, *work) = 1, [2, 3]",
        "match print:\n    case work: pass",
        "def other():\n    global work\n    work = print",
    ],
)
def test_whatever_binds_a_name_at_the_top_of_a_module_is_seen(source):
    assert "work" in bound_names(source)


@pytest.mark.parametrize(
    "source",
    ["def other():\n    work = 1\n    def work(): pass", "class Holder:\n    def work(self): pass", "print(work)"],
)
def test_what_is_bound_elsewhere_is_not_taken_for_the_modules(source):
    assert "work" not in bound_names(source)


@pytest.mark.parametrize(
    "source",
    [
        "from math import *",
        "globals()['work'] = print",
        "def __getattr__(name): return print",
        "import sys\nsetattr(sys.modules[__name__], 'work', print)",
        "exec('def work(): pass')",
    ],
)
def test_a_module_that_may_bind_names_in_other_ways_is_given_the_benefit_of_the_doubt(modules, source):
    assert bound_names(source) is None
    modules("jobmon_dynamic.py", source)
    assert problems("jobmon_dynamic:work") == ()


def test_a_function_that_the_source_has_not_is_refused(modules):
    modules("jobmon_other.py", "def wrok(): pass\n")
    assert problems("jobmon_other:work") == ("module 'jobmon_other' has no function 'work'",)


def test_a_function_of_a_module_in_the_package_is_not_refused(modules):
    modules("jobmon_pack/__init__.py", "raise RuntimeError('it was imported')\n")
    modules("jobmon_pack/part.py", "")
    assert problems("jobmon_pack:part.work") == ()
    assert problems("jobmon_pack:work") == ("module 'jobmon_pack' has no function 'work'",)


def test_a_module_that_is_no_python_is_told_as_such(modules):
    modules("jobmon_broken.py", "def work(:\n")
    (problem,) = problems("jobmon_broken:work")
    assert "module 'jobmon_broken' cannot be loaded: SyntaxError" in problem


def test_a_package_that_cannot_be_imported_is_told_as_such(modules):
    modules("jobmon_poor/__init__.py", "import jobmon_no_such_thing\n")
    modules("jobmon_poor/part.py", "def work(): pass\n")
    (problem,) = problems("jobmon_poor.part:work")
    assert problem.startswith("module 'jobmon_poor.part' cannot be loaded: ModuleNotFoundError")
    assert "jobmon_no_such_thing" in problem


def test_a_module_without_source_is_given_the_benefit_of_the_doubt(modules, tmp_path):
    modules("jobmon_compiled.py", "")
    py_compile.compile(str(tmp_path / "jobmon_compiled.py"), cfile=str(tmp_path / "jobmon_compiled.pyc"))
    (tmp_path / "jobmon_compiled.py").unlink()
    assert problems("jobmon_compiled:work") == ()


def test_a_source_that_is_nested_deeply_is_read():
    assert bound_names("work = " + " + ".join("1" * 20_000)) in (None, {"work"})


@pytest.mark.parametrize(
    ("source", "gives"),
    [
        ("async def work(): return 1", "an awaitable"),
        ("def work():\n    yield 1", "a generator"),
        ("def work():\n    if True:\n        x = yield from range(3)", "a generator"),
        ("async def work():\n    yield 1", "a generator"),
        ("def work(): return 1\nasync def work(): pass", "an awaitable"),
    ],
)
@pytest.mark.parametrize("loaded", [False, True])
def test_a_function_that_gives_no_result_but_something_to_wait_for_is_refused(modules, source, gives, loaded):
    modules("jobmon_waits.py", source)
    if loaded:
        module = importlib.import_module("jobmon_waits")
    for function in ("jobmon_waits:work", *([module.work] if loaded else [])):
        (problem,) = problems(function)
        assert problem.startswith(f"'work' gives {gives} when it is called, and runs nothing")
    sys.modules.pop("jobmon_waits", None)


@pytest.mark.parametrize(
    "source",
    [
        "def work():\n    def inner(): yield 1\n    return list(inner())",
        "def work(): return [(yield_ for yield_ in (1, 2))]",
        "import contextlib\n@contextlib.contextmanager\ndef work(): yield",
        "def run(f): return lambda: 1\n@run\nasync def work(): pass",
        "async def work(): pass\ndef work(): return 1",
        "class work:\n    async def __aenter__(self): pass",
    ],
)
def test_a_function_that_only_uses_such_functions_is_not(modules, source):
    modules("jobmon_uses.py", source)
    assert problems("jobmon_uses:work") == ()
    importlib.import_module("jobmon_uses")
    reference.cache_clear()
    assert problems("jobmon_uses:work") == ()
    del sys.modules["jobmon_uses"]


def test_a_coroutine_of_a_class_is_refused(modules):
    modules("jobmon_holds.py", "class Holder:\n    async def work(): pass\n    def fine(): pass\n")
    assert "an awaitable" in problems("jobmon_holds:Holder.work")[0]
    assert problems("jobmon_holds:Holder.fine") == ()
