"""Configuration: where it comes from, which wins, and what is said when it is wrong."""

from typing import ClassVar

import attrs
import pytest

from jobmon.config import load_config, resolve
from jobmon.errors import ConfigurationError, PluginError, UnknownExecutor
from jobmon.plugins import Executor
from jobmon.plugins.installed import InstalledType


@attrs.frozen
class Settings:
    workers: int = 2
    queue: str | None = None


class Multi(Executor):
    name = "multiprocess"
    api_version = (1, 0)
    settings_type = Settings


class Single(Executor):
    name = "sequential"
    api_version = (1, 0)
    exclusive = True


class FakeRegistry:
    """Two installed types."""

    types: ClassVar = {"multiprocess": Multi, "sequential": Single}

    def names(self):
        return list(self.types)

    def knows(self, name):
        return name in self.names()

    def installed(self):
        return [InstalledType(name, f"jobmon-executor-{name}", "0.1", "m", "here") for name in self.types]

    def load(self, name):
        if name not in self.types:
            raise PluginError(name)
        return self.types[name]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """`place(user=..., project=...)` writes files and loads from a script folder two levels below the project's."""
    script = tmp_path / "project" / "src" / "deep"
    script.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    def load(user="", project="", working="", **environ):
        for text, path in (
            (user, tmp_path / "xdg" / "jobmon" / "jobmon.toml"),
            (project, tmp_path / "project" / "jobmon.toml"),
            (working, elsewhere / "jobmon.toml"),
        ):
            if text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return load_config(script, {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), **environ})

    return load


def test_nothing_configured_is_fine(place):
    config = place()
    assert config.executors == {}
    assert config.workflow.executor is None
    assert "PATH" in config.workflow.environment


def test_the_nearest_file_above_the_script_is_the_projects(place, tmp_path):
    config = place(project='[workflow]\nexecutor = "a"', working='[workflow]\nexecutor = "b"')
    assert config.workflow.executor == "a"
    assert tmp_path / "project" / "jobmon.toml" == config.project_file


def test_without_one_above_the_script_the_working_folders_counts(place):
    assert place(working='[workflow]\nexecutor = "b"').workflow.executor == "b"


def test_later_beats_earlier_key_by_key(place):
    config = place(
        user='[executors.compute]\ntype = "multiprocess"\nworkers = 1\nqueue = "u"\n[workflow]\nlog_folder = "/l"',
        project='[executors.compute]\nworkers = 2\n[workflow]\nexecutor = "compute"',
        JOBMON__EXECUTORS__COMPUTE__WORKERS="3",
    )
    assert dict(config.executors["compute"].settings) == {"workers": 3, "queue": "u"}
    assert (config.workflow.executor, config.workflow.log_folder) == ("compute", "/l")


def test_another_type_starts_the_settings_anew(place):
    config = place(
        user='[executors.compute]\ntype = "uge"\nqueue = "long.q"\n[executors.compute.host]\nburst = 3',
        project='[executors.compute]\ntype = "multiprocess"\nworkers = 2',
    )
    compute = config.executors["compute"]
    assert (compute.type, compute.settings, compute.host) == ("multiprocess", {"workers": 2}, {"burst": 3})


def test_variables_hold_toml_or_else_text_and_find_names_with_dashes(place):
    config = place(
        project='[executors.my-cluster]\ntype = "multiprocess"',
        JOBMON__EXECUTORS__MY_CLUSTER__QUEUE="all.q",
        JOBMON__EXECUTORS__MY_CLUSTER__HOST__BURST="7",
        JOBMON__WORKFLOW__ENVIRONMENT='["PATH", "R_*"]',
    )
    assert config.executors["my-cluster"].settings == {"queue": "all.q"}
    assert config.executors["my-cluster"].host == {"burst": 7}
    assert config.workflow.environment == ("PATH", "R_*")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[executor.compute]\n", "did you mean [executors]?"),
        ("[nonsense]\n", "there are [executors.NAME], [workflow] and [server]"),
        ("[workflow]\nexcutor = 'a'", "did you mean 'executor'?"),
        ("[workflow]\nexecutor = 3", "executor = 3"),
        ("[server]\nport = 'x'", "port = 'x'"),
        ("executors = 3", "executors must be a table"),
        ("[executors]\ncompute = 3", "executors.compute must be a table"),
        ("[executors.compute]\ntype = 3", "type must be text"),
        ("[executors.compute.host]\nbrst = 3", "did you mean 'burst'?"),
        ("not toml", "is not TOML"),
    ],
)
def test_what_is_wrong_is_told_with_the_file_and_a_suggestion(place, tmp_path, text, words):
    with pytest.raises(ConfigurationError) as caught:
        place(project=text)
    assert words in str(caught.value)
    assert str(tmp_path / "project" / "jobmon.toml") in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(place):
    with pytest.raises(ConfigurationError) as caught:
        place(user="[wrkflow]", project="[serve]\n[workflow]\nx = 1", JOBMON__SERVER__PRT="3")
    for words in ("wrkflow", "serve", "'x'", "JOBMON__SERVER__PRT"):
        assert words in str(caught.value)


def test_a_variable_without_a_section_is_told(place):
    with pytest.raises(ConfigurationError, match="JOBMON__WORKERS"):
        place(JOBMON__WORKERS="3")


def test_a_configured_name_is_an_executor_of_its_type(place):
    config = place(
        project='[executors.compute]\ntype = "multiprocess"\nworkers = 8\n[executors.compute.host]\nburst = 2'
    )
    named = resolve("compute", config, FakeRegistry())
    assert ("compute", Multi, 8, 2, False) == (
        named.name,
        named.cls,
        named.settings.workers,
        named.host.burst,
        named.exclusive,
    )


def test_an_installed_type_is_an_executor_of_its_name(place):
    named = resolve("sequential", place(), FakeRegistry())
    assert (Single, True) == (named.cls, named.exclusive)


def test_a_configured_name_wins_over_an_installed_type(place):
    config = place(project='[executors.sequential]\ntype = "multiprocess"')
    assert Multi is resolve("sequential", config, FakeRegistry()).cls


def test_a_table_without_a_type_sets_up_the_type_of_its_name(place):
    config = place(project="[executors.multiprocess]\nworkers = 5")
    assert resolve("multiprocess", config, FakeRegistry()).settings.workers == 5


def test_exclusive_may_be_changed(place):
    config = place(project="[executors.sequential.host]\nexclusive = false")
    assert not resolve("sequential", config, FakeRegistry()).exclusive


def test_an_unknown_executor_is_told_with_what_there_is(place):
    config = place(project='[executors.compute]\ntype = "multiprocess"\n[executors.uploads]\ntype = "sequential"')
    with pytest.raises(UnknownExecutor) as caught:
        resolve("upload", config, FakeRegistry(), asked_by='task "upload"')
    assert str(caught.value) == (
        'task "upload" asks for executor "upload", which is neither configured nor installed.\n'
        "  configured in jobmon.toml: compute (multiprocess), uploads (sequential)\n"
        "  installed types: multiprocess 0.1, sequential 0.1\n"
        '  did you mean "uploads"?'
    )


def test_a_type_that_is_not_installed_is_told_with_the_name_of_its_distribution(place):
    config = place(project='[executors.compute]\ntype = "uge"')
    with pytest.raises(UnknownExecutor, match="pip install jobmon-executor-uge"):
        resolve("compute", config, FakeRegistry())


def test_a_disabled_type_is_told_as_disabled_not_as_missing(place, monkeypatch):
    config = place(project='[executors.compute]\ntype = "uge"')
    monkeypatch.setenv("JOBMON_DISABLE_PLUGINS", "uge,slurm")
    with pytest.raises(UnknownExecutor, match='its type "uge" is disabled by JOBMON_DISABLE_PLUGINS'):
        resolve("compute", config, FakeRegistry())
    with pytest.raises(UnknownExecutor, match="disabled by JOBMON_DISABLE_PLUGINS: slurm, uge"):
        resolve("slurm", config, FakeRegistry())


def test_a_wrong_setting_is_told_with_the_executor_and_the_file(place, tmp_path):
    config = place(project='[executors.compute]\ntype = "multiprocess"\nwrkers = 8')
    with pytest.raises(ConfigurationError) as caught:
        resolve("compute", config, FakeRegistry())
    for words in ("executor 'compute' (multiprocess)", str(tmp_path / "project"), "did you mean 'workers'?"):
        assert words in str(caught.value)
