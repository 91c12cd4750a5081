"""The documentation says what the code does."""

import ast
import importlib
import inspect
import re
import runpy
import tomllib
from pathlib import Path

import attrs
import click
import pytest

from jobmon.cli.app import COMMANDS
from jobmon.cli.exits import Exit
from jobmon.config import HostSettings, ServerConfig, WorkflowConfig
from jobmon.states.names import InstanceState, JobState, RunState
from jobmon.states.reasons import Reason

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")])


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def command(name: str) -> click.Command:
    found = getattr(importlib.import_module(COMMANDS[name][0]), name)
    assert isinstance(found, click.Command)
    return found


def test_the_tables_of_the_state_machines_are_those_of_the_code() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_states.py"))["page"]()
    assert made == (ROOT / "docs" / "states.md").read_text(encoding="utf-8"), "run: python docs/make_states.py"


def test_the_reference_of_plugins_is_that_of_the_code_and_has_every_public_name() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_reference.py"))
    assert made["missing"]() == [], "names of jobmon.plugins without a place in docs/make_reference.py"
    page = (ROOT / "docs" / "executor-reference.md").read_text(encoding="utf-8")
    assert made["page"]() == page, "run: python docs/make_reference.py"


def test_the_limits_that_the_guide_tells_are_those_of_the_code() -> None:
    from jobmon.ids import TOKEN_LENGTH
    from jobmon.managers.job_instance_reconciler import CANCEL_AT_ONCE
    from jobmon.plugins import Executor, answer_parts

    page = (ROOT / "docs" / "executors.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| (.*?) \| (.*) \|$", page.partition("### Limits")[2].partition("\n#")[0], re.MULTILINE))
    host, run_s = HostSettings(), inspect.signature(Executor.run).parameters["timeout_s"].default
    for what, limit in {
        "a call without a sign of life": f"`call_timeout_s` ({host.call_timeout_s:g} s)",
        "`self.run`": f"`timeout_s` ({run_s:g} s)",
        "attempts in a call of `cancel`": f"{CANCEL_AT_ONCE:,}",
        "a token": f"{TOKEN_LENGTH} characters",
        "`executor_job_id`": f"1 to {answer_parts.MOST_ID:,} printable characters",
        "`why`": f"{answer_parts.MOST_WHY:,} characters",
        "`detail`, and each tail of output": f"{answer_parts.MOST_DETAIL:,} characters",
        "`status`, `signal`": f"0 to {answer_parts.MOST_STATUS}, and 0 if there is no reason; "
        f"1 to {answer_parts.MOST_SIGNAL}",
        "`retry_after_s`": f"{answer_parts.LEAST_RETRY_S:g} s to a day",
    }.items():
        assert told[what].startswith(limit), what
    assert f"waits `uncertain_after_s` ({host.uncertain_after_s:g} s)" in page


def test_the_reference_of_the_kit_is_that_of_the_code() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_testing_reference.py"))["page"]()
    assert made == (ROOT / "docs" / "testing-reference.md").read_text(encoding="utf-8"), "run: make docs"
    from jobmon import testing

    assert [name for name in testing.__all__ if f"### {name}\n" not in made] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_in_a_page_compiles_and_imports_names_that_exist(page: Path) -> None:
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jobmon":
                module = importlib.import_module(node.module or "")
                assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_toml_in_a_page_can_be_read(page: Path) -> None:
    for block in blocks(page, "toml"):
        tomllib.loads(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_the_example_of_the_readme_is_about_15_lines_long() -> None:
    example = blocks(ROOT / "README.md", "python")[0]
    assert 10 <= len([line for line in example.splitlines() if line.strip()]) <= 18


def with_subcommands(name: str) -> dict[str, click.Command]:
    """A command and those below it, by what is typed."""
    found = command(name)
    below = found.commands if isinstance(found, click.Group) else {}
    own = {} if isinstance(found, click.Group) and not found.invoke_without_command else {name: found}
    return own | {f"{name} {sub}": child for sub, child in below.items()}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_in_the_reference_with_all_its_options(name: str) -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    parts = re.split(r"^## ", page, flags=re.MULTILINE)
    for typed, found in with_subcommands(name).items():
        section = next((part for part in parts if re.match(rf"`jobmon {typed}(?=[` ])", part)), None)
        assert section is not None, f"docs/cli.md has no section `jobmon {typed}"
        options = [o for p in found.params if isinstance(p, click.Option) for o in p.opts if o.startswith("--")]
        assert [option for option in options if f"`{option}" not in section] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_is_for_in_one_way(name: str) -> None:
    assert COMMANDS[name][1] == command(name).short_help


def test_the_exit_codes_are_in_the_reference() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert {str(code.value) for code in Exit} == set(re.findall(r"^\| (\d+) \|", page, re.MULTILINE))


@pytest.mark.parametrize("settings", [HostSettings, WorkflowConfig, ServerConfig])
def test_every_setting_is_in_the_configuration_reference(settings: type) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert [field.name for field in attrs.fields(settings) if f"`{field.name}`" not in page] == []


def test_the_glossary_has_every_word_that_the_code_uses_for_its_things() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = [
        *(
            "Workflow",
            "WorkflowRun",
            "TaskDag",
            "Task",
            "Job",
            "JobInstance",
            "executor_job_id",
            "token",
            "worker",
            "agent",
        ),
        *("JobListManager", "JobInstanceManager", "JobInstanceFactory", "JobInstanceReconciler"),
        *("JobStateManager", "JobQueryServer"),
    ]
    missing = [word for word in [*words, "executor type"] if not re.search(rf"^\| \**{word}\b", page, re.MULTILINE)]
    states = [state for kind in (JobState, InstanceState, RunState) for state in kind]
    explained = page + (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
    assert missing + [str(word) for word in [*states, *Reason] if word not in explained] == []


def test_one_thing_has_one_word(files: tuple[Path, ...], root: Path) -> None:
    """Words that the glossary rules out, in shipped code and pages."""
    avoided = re.compile(r"\b(back-?end|scheduler_(job_)?id|batch_id|job_instance_id|distributor)\b", re.IGNORECASE)
    wrong = []
    for path in files:
        name = path.relative_to(root)
        if (
            name.parts[0] in ("jobmon", "docs", "README.md")
            and path.suffix in (".py", ".md")
            and name.name != "glossary.md"
        ):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if avoided.search(line):
                    wrong.append(f"{name}:{number}: {line.strip()[:80]}")
    assert wrong == []


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers
