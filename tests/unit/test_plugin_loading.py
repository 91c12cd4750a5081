"""Types are loaded one by one; whatever is wrong with a plugin is told of that plugin alone."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from fake_plugins import good, plugin

from jobmon.errors import PluginError, PluginIncompatible, UnknownExecutor
from jobmon.plugins import CONTRACT_VERSION, Executor
from jobmon.plugins.registry import Registry

THIS = f"this jobmon {version('jobmon')} speaks {CONTRACT_VERSION[0]}.{CONTRACT_VERSION[1]}"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed plugins, one of them usable. Its modules are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JOBMON_DISABLE_PLUGINS", raising=False)
    before = set(sys.modules)
    plugin(tmp_path, "fine", good("fine"))
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("jobmon_"):
            del sys.modules[name]


def refusal(name: str, kind: type[PluginError] = PluginError) -> str:
    """What is said when the type is loaded; the other one can be used all the same."""
    registry = Registry()
    with pytest.raises(PluginError) as caught:
        registry.load(name)
    assert type(caught.value) is kind
    assert issubclass(registry.load("fine"), Executor)
    return str(caught.value)


def test_a_broken_import_is_told_with_its_distribution(place: Path) -> None:
    plugin(place, "broken", "1 / 0")
    said = refusal("broken")
    assert said == (
        "executor type 'broken' (jobmon-executor-broken 1.2) cannot be imported: ZeroDivisionError: division by zero"
    )


def test_a_missing_dependency_is_told_with_how_to_bring_it(place: Path) -> None:
    plugin(place, "needy", "import no_such_package.part")
    assert refusal("needy").endswith(
        "A package that it needs is missing; to bring it: pip install jobmon-executor-needy"
    )


def test_a_module_that_exits_ends_nobody_else(place: Path) -> None:
    plugin(place, "exits", "import sys; sys.exit(3)")
    assert "cannot be imported: SystemExit: 3" in refusal("exits")


def test_a_module_that_is_not_there_is_no_missing_dependency(place: Path) -> None:
    plugin(place, "gone", "")
    (place / "jobmon_gone.py").unlink()
    assert refusal("gone").endswith("cannot be imported: ModuleNotFoundError: No module named 'jobmon_gone'")


def test_two_distributions_of_one_type_are_both_named(place: Path) -> None:
    plugin(place, "twice", good("twice"))
    plugin(place, "twice", good("twice"), distribution="another-executor")
    assert refusal("twice") == (
        "executor type 'twice' is brought by another-executor 1.2 and jobmon-executor-twice 1.2: uninstall all but one"
    )


HOOK = "from jobmon.plugins import hookimpl\n@hookimpl\ndef jobmon_executor_types():\n    "


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "its module must have one hook jobmon_executor_types that returns a list of classes"),
        (HOOK + "return 5", "its module must have one hook jobmon_executor_types that returns a list of classes"),
        (HOOK + "return [5]", "jobmon_executor_types returned 5, which is no class derived from Executor"),
        (HOOK + "return []", "its entry point is named 'wrong', but jobmon_executor_types returned none"),
        (good("other"), "its entry point is named 'wrong', but jobmon_executor_types returned 'other'"),
        (HOOK + "raise KeyError('x')", "its hook jobmon_executor_types fails: KeyError: 'x'"),
        (
            HOOK + "return [G, type('H', (G,), {})]",
            "jobmon_executor_types returned several classes of that name: G and H",
        ),
        (
            "def jobmon_executor_types():\n    return [G]",
            "one hook jobmon_executor_types that returns a list of classes",
        ),
    ],
)
def test_a_hook_that_returns_something_else_is_told(place: Path, code: str, said: str) -> None:
    cls = "from jobmon.plugins import Executor\nclass G(Executor):\n    name = 'wrong'\n    api_version = (1, 0)\n"
    plugin(place, "wrong", cls + code)
    assert refusal("wrong").endswith(said)


@pytest.mark.parametrize("newer", [(1, 1), (2, 0), (3, 4)])
def test_a_newer_contract_is_refused_with_what_to_do(place: Path, newer: tuple[int, int]) -> None:
    plugin(place, "newer", good("newer", newer))
    assert refusal("newer", PluginIncompatible) == (
        f"executor type 'newer' (jobmon-executor-newer 1.2) was written for contract {newer[0]}.{newer[1]}; {THIS}. "
        "It is too new: upgrade jobmon (pip install --upgrade jobmon), or install an older jobmon-executor-newer "
        "(pip install 'jobmon-executor-newer<1.2')."
    )


def test_an_older_contract_is_refused_with_what_to_do(place: Path) -> None:
    plugin(place, "older", good("older", (0, 9)))
    assert refusal("older", PluginIncompatible) == (
        f"executor type 'older' (jobmon-executor-older 1.2) was written for contract 0.9; {THIS}. "
        "It is too old: upgrade jobmon-executor-older (pip install --upgrade jobmon-executor-older), "
        f"or install an older jobmon (pip install 'jobmon<{version('jobmon')}')."
    )


@pytest.mark.parametrize("name", ["cores", "memory"])
def test_a_type_cannot_have_the_name_of_a_resource(place: Path, name: str) -> None:
    plugin(place, name, good(name))
    assert f"name is {name!r}, not a lower-case identifier other than cores, memory, runtime, gpus" in refusal(name)


@pytest.mark.parametrize("wrong", ["0.1", (0,), (0, "1"), (True, False), (1, -1), None])
def test_a_version_that_is_no_pair_is_refused(place: Path, wrong: object) -> None:
    plugin(place, "odd", good("odd", wrong))
    assert "it must be a pair of whole numbers, (major, minor)" in refusal("odd")


def test_a_name_that_this_contract_does_not_have_is_told_as_a_matter_of_versions(place: Path) -> None:
    plugin(place, "ahead", "from jobmon.plugins import FromTheFuture")
    said = refusal("ahead")
    assert "cannot import name 'FromTheFuture'" in said
    assert said.endswith("where there is no such name: upgrade jobmon, or install an older jobmon-executor-ahead")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("settings_type = dict", "settings_type is <class 'dict'>, not an attrs class"),
        ("resources_type = 5", "resources_type is 5, not an attrs class"),
        ("reporting = 'nobody'", "reporting is 'nobody', not a Reporting"),
        ("__doc__ = 5", "__doc__ is 5, not text"),
        (
            "from jobmon.plugins import Support; core_resources = {'memory': Support.WORKER}",
            "core_resources says Support.WORKER: only of runtime, and only where workers report",
        ),
        ("core_resources = {'ram': None}", "core_resources is {'ram': None}, not a mapping of cores, memory"),
        ("exit_map = {99: 256}", "exit_map is {99: 256}, not a mapping of exit statuses"),
        ("exit_map = {99: 0}", "exit_map is {99: 0}, not a mapping of exit statuses other than 0"),
        ("submit = None", "submit is None, not a method"),
        ("observe = property(dict)", "observe is <property object at"),
        (
            "find = lambda self: {}",
            "find cannot be called as find(submissions=...): got an unexpected keyword argument",
        ),
        ("start = lambda self: None", "start cannot be called as start(context): too many positional arguments"),
        ("async def cancel(self, *, submitted): ...", "cancel is a coroutine, not a plain method"),
        ("def cancel(self, *, submitted): yield", "cancel yields, so that a call of it does nothing"),
        ("def array_limit(self): return 5", "it has array_limit without submit_array"),
        ("def __init__(self): ...", "it cannot be made as Good(settings): too many positional arguments"),
        ("__abstractmethods__ = ['more']", "it leaves more abstract"),
    ],
)
def test_a_class_that_declares_what_cannot_be_is_refused(place: Path, line: str, said: str) -> None:
    plugin(place, "odd", good("odd").replace("    api_version", f"    {line}\n    api_version"))
    assert f"its class Good declares what cannot be: {said}" in refusal("odd")


def test_methods_of_any_kind_that_can_be_called_are_taken(place: Path) -> None:
    methods = """\
    @staticmethod
    def submit(*, requests): yield
    @classmethod
    def observe(cls, **named): ...
    def cancel(self, submitted, more=()): ...
    def start(self, *context): ...
"""
    plugin(place, "odd", good("odd").replace("    api_version", f"{methods}    api_version"))
    assert Registry().load("odd").name == "odd"


FIELDS = """\
import attrs, enum, pathlib, typing

class Kind(enum.Enum):
    OTHER = 1

class Mine: ...

@attrs.frozen
class Own:
    {fields}

"""


def with_fields(place: Path, fields: str, which: str = "settings_type") -> None:
    """A plugin `odd` whose class of settings, or of resources, has these fields."""
    odd = good("odd").replace("    api_version", f"    {which} = Own\n    api_version")
    plugin(place, "odd", FIELDS.format(fields=fields.replace("\n", "\n    ")) + odd)


@pytest.mark.parametrize("which", ["settings_type", "resources_type"])
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("x: 'Nowhere' = None", "has a type that cannot be resolved: NameError: name 'Nowhere' is not defined"),
        ("x = attrs.field(default=3)", "has a field 'x' without a type; write it as x: TYPE"),
        ("_x: int = 3", "has a field '_x' that is set as 'x'"),
        ("x: typing.Callable[[], int] = print", "has a field 'x' of a type that no table can give"),
        ("x: dict[str, Mine] = {}", "has a field 'x' of a type that no table can give (<class 'jobmon_odd.Mine'>)"),
        (
            "x: pathlib.Path = pathlib.Path()",
            f"has a field 'x' of a type that no table can give ({Path})",
        ),
        ("x: list[int] | set[int] = ()", "has a field 'x' of a type that no table can give (TypeError: Type unions"),
        ("x: int = 'four'", "has a default of 'x', 'four', that is not of its type: Expected `int`, got `str`"),
        ("x: int = None", "has a default of 'x', None, that is not of its type"),
        ("y: str\nx: int = 1.5", "has a default of 'x', 1.5, that is not of its type"),
        ("x: list[int] = attrs.field(factory=dict)", "has a default of 'x', {}, that is not of its type"),
        ("y: str\nx: int = attrs.field(factory=lambda: {}['x'])", "cannot make the default of 'x': KeyError: 'x'"),
        ("x: int = attrs.field(factory=lambda: {}['x'])", "cannot be made of its defaults: KeyError: 'x'"),
        ("x: int = attrs.field(default='a', converter=str)", "has a default of 'x', 'a', that is not of its type"),
    ],
)
def test_settings_and_resources_that_cannot_be_are_refused(place: Path, which: str, fields: str, said: str) -> None:
    with_fields(place, fields, which)
    assert f"declares what cannot be: {which} {said}" in refusal("odd")


@pytest.mark.parametrize(
    "fields",
    [
        "x: Kind = Kind.OTHER",
        "x: dict[Kind, list[float]] = {Kind.OTHER: [1]}",
        "x: float = 5",
        "x: tuple[str, ...] | None = attrs.field(factory=tuple)",
        "x: pathlib.Path = attrs.field(default='/', converter=pathlib.Path)",
        "x: int = 3\ny: int = attrs.Factory(lambda self: self.x, takes_self=True)",
        "x: int = attrs.field(default=1, validator=attrs.validators.gt(5))",  # must be given: its own way to say so
        "x: typing.Any = print",
        "x: Mine = attrs.field(init=False)",
    ],
)
def test_settings_that_can_be_are_taken(place: Path, fields: str) -> None:
    with_fields(place, fields)
    assert Registry().load("odd").name == "odd"


@pytest.mark.parametrize("name", ["type", "host"])
def test_a_setting_that_jobmon_toml_keeps_for_the_core_is_refused(place: Path, name: str) -> None:
    with_fields(place, f"{name}: str = ''")
    assert f"settings_type has a field {name!r}, which every executor's table" in refusal("odd")


@pytest.mark.parametrize(
    "code",
    [
        "raise ValueError('x' * 10_000_000)",
        "class E(Exception):\n    def __str__(self): raise self\nraise E",
        "raise ValueError('\\x1b[2J\\n\\udcff' * 1000)",
        good("odd").replace("    api_version", "    reporting = 'x' * 10_000_000\n    api_version"),
        good("odd").replace("    api_version", "    reporting = type('R', (), {'__repr__': None})()\n    api_version"),
        "from jobmon.plugins import hookimpl\n@hookimpl\ndef jobmon_executor_types(x):\n    return 'x' * 10_000_000",
        good("odd").replace("[Good]", "['x' * 10_000_000]"),
    ],
)
def test_a_message_is_one_line_of_bounded_width_whatever_the_plugin_says(place: Path, code: str) -> None:
    plugin(place, "odd", code)
    told = refusal("odd")
    assert told.isprintable()
    assert len(told) < 600


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("print('hello', flush=True)", "writes to standard output ('hello')"),
        ("import subprocess; subprocess.run(['echo', 'deep'])", "writes to standard output ('deep')"),
        ("import os; os._exit(0)", "ends the process, with exit status 0"),
        ("import os; os.kill(os.getpid(), 11)", "ends the process, by signal 11"),
        ("raise KeyboardInterrupt", "raises KeyboardInterrupt"),
        ("raise BaseException('no')", "raises BaseException: no"),
        ("import os; os.environ['JOBMON_DATA'] = '/x'", "changes the environment (JOBMON_DATA)"),
        ("import os; os.chdir('/usr')", "changes the working folder to /usr"),
        ("import os; os.umask(0)", "changes the umask"),
        ("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)", "changes what is done on signals"),
        ("import sys, io; sys.stdout = io.StringIO()", "replaces the standard streams"),
        ("import threading; threading.Thread(target=threading.Event().wait, name='t').start()", "threads running (t)"),
        ("import subprocess; subprocess.Popen(['sleep', '5'])", "leaves processes running"),
        ("import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (99, 99))", "changes the limits of the process"),
        ("import sys; sys.excepthook = print", "with errors nobody catches, or how long sockets wait"),
        ("import socket; socket.setdefaulttimeout(1)", "with errors nobody catches, or how long sockets wait"),
        ("class Deep(BaseException):\n    def __str__(self): return 'x' * 9000\nraise Deep", "x"),
    ],
)
def test_what_an_import_does_to_its_host_is_tried_elsewhere_and_refused(place: Path, line: str, said: str) -> None:
    plugin(place, "harms", f"{line}\n{good('harms')}")
    told = refusal("harms")
    assert told.startswith("executor type 'harms' (jobmon-executor-harms 1.2) is refused: importing it ")
    assert told.endswith(said)
    assert "jobmon_harms" not in sys.modules


def test_an_import_that_does_not_end_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobmon.plugins.trial.TIMEOUT_S", 2.0)
    Registry().load("fine")  # tried before the limit is so short for it, or not
    plugin(place, "hangs", "import signal; signal.pause()")
    with pytest.raises(PluginError, match="importing it takes longer than 2 s"):
        Registry().load("hangs")


def test_a_plugin_is_tried_once_and_again_when_it_has_changed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda argv, **more: started.append(argv) or popen(argv, **more))
    for _ in range(2):
        Registry().load("fine")
    assert len(started) == 1
    (place / "jobmon_fine.py").write_text(good("fine") + "# changed")
    Registry().load("fine")
    assert len(started) == 2


def test_a_disabled_type_is_as_good_as_not_installed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBMON_DISABLE_PLUGINS", "other, fine")
    registry = Registry()
    assert "fine" not in [one.name for one in registry.installed()]
    with pytest.raises(UnknownExecutor, match="is disabled: JOBMON_DISABLE_PLUGINS names it"):
        registry.load("fine")


def test_listing_imports_nothing_of_any_plugin(place: Path) -> None:
    plugin(place, "loud", "raise SystemExit('imported')")
    assert {"fine", "loud"} <= {one.name for one in Registry().installed()}
    assert not {"jobmon_fine", "jobmon_loud"} & set(sys.modules)
