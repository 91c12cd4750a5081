"""`jobmon plugin check`: the conformance kit in a process of its own, and its report."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from jobmon.cli.exits import Exit

if TYPE_CHECKING:
    from jobmon.reports.records import Findings

_TEST = '''\
"""The kit against an installed type, with its default settings."""

from jobmon.plugins.registry import Registry
from jobmon.testing import ExecutorConformance


class TestInstalled(ExecutorConformance):
    executor_type = Registry().load({name!r})
    tells_reasons = executor_type.reporting == "platform"
    real_platform = True
'''
_REAL_TEST = '''\
"""The kit against an installed type on its real platform, with its default settings."""

from jobmon.plugins.registry import Registry
from jobmon.testing import RealConformance


class TestInstalledReal(RealConformance):
    executor_type = Registry().load({name!r})
    tells_reasons = executor_type.reporting == "platform"
'''
_REAL = "JOBMON_REAL"
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@attrs.define
class Ran:
    """What came of the kit's process."""

    problems: list[str] = attrs.field(factory=list)
    findings: "Findings | None" = None
    failed: bool = True


@click.command(short_help="Run the conformance kit against an installed type.")
@click.argument("name")
@click.option(
    "--tests",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="The plugin's own conformance tests, which know its platform; repeat it for more. Without: the bare kit.",
)
@click.option(
    "--real",
    is_flag=True,
    help="Submit jobs to the real platform, too: run the classes derived from RealConformance. Nothing is left there.",
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --real: lead a short life of a few jobs, and no more, and keep what the platform's commands printed in "
    "this file. `recorded` of the fake's test class names it.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was found out to this file, as JSON, also when something fails.",
)
@click.option(
    "--evidence",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON with measurements that the kit cannot make, such as hours of chaos: the level platinum needs them.",
)
@click.option(
    "--mutants", is_flag=True, help="Try small faults of the type, one by one: which do the tests let through?"
)
@click.option(
    "--within",
    "within_s",
    type=click.IntRange(1),
    default=1800,
    show_default=True,
    help="The most seconds that all mutants may take.",
)
def check(
    name: str,
    tests: tuple[Path, ...],
    real: bool,
    record: Path | None,
    report: Path | None,
    evidence: Path | None,
    mutants: bool,
    within_s: int,
) -> int:
    """Run the conformance kit, `jobmon[testing]`, against the installed executor type NAME and say what it reaches.

    Without a platform object, which only the plugin's own tests have, what can be checked is less, and said to be less.
    Unless --real asks for it, no platform is touched.
    With --mutants, a wrong executor is made of the type again and again, by one small change each, and those that the
    tests let through are named: the fake of the platform never does what would show them.

    The exit code is 1 when a sentence of the contract is broken, a claimed level is not reached, not all was tried, or
    a mutant gets through.
    """
    if mutants:
        if not tests or real or record or report is not None or evidence is not None:
            raise click.UsageError(
                "--mutants needs --tests, and goes with none of --real, --record, --report and --evidence"
            )
        from jobmon.cli.mutants import try_mutants

        return try_mutants(name, [one.absolute() for one in tests], within_s)
    for path, option in ((report, "--report"), (record, "--record")):
        if path is not None and not os.access(path.absolute().parent, os.W_OK):
            raise click.BadParameter(f"the folder of {path} is missing, or cannot be written", param_hint=option)
    if record is not None:
        if not real or report is not None or evidence is not None:
            raise click.UsageError("--record needs --real, and goes with neither --report nor --evidence")
        return _record(name, tests, record.absolute())
    ran = Ran()
    try:
        _run(name, tests, real, evidence, ran)
    except BaseException as error:
        ran.problems.append(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        raise
    finally:
        if report is not None:
            _write(report, name, ran)
    for problem in ran.problems:
        click.echo(f"{name}: {problem}", err=True)
    return Exit.FAILED if ran.failed or ran.problems else Exit.OK


def _run(name: str, tests: Sequence[Path], real: bool, evidence: Path | None, ran: Ran) -> None:
    from jobmon.plugins.registry import Registry
    from jobmon.reports.files import read_evidence

    if evidence is not None:
        read_evidence(evidence)
    Registry().load(name)
    needs_the_kit()
    with tempfile.TemporaryDirectory(prefix="jobmon-check-") as folder:
        bare, results = Path(folder) / f"test_{name}_conformance.py", Path(folder) / "results.json"
        bare.write_text((_REAL_TEST if real else _TEST).format(name=name), encoding="utf-8")
        options = ["--conformance-results", str(results)]
        options += ["--conformance-evidence", str(evidence.absolute())] if evidence is not None else []
        try:
            status = run_pytest(Path(folder), [one.absolute() for one in tests] or [bare], options, real=real)
            ran.failed = status != 0
            if status not in (0, 1):
                ran.problems.append(f"the kit's process did not come to its end: pytest ended with status {status}")
        finally:
            _take(name, results, ran)


def _record(name: str, tests: Sequence[Path], path: Path) -> int:
    from jobmon.plugins.registry import Registry

    Registry().load(name)
    needs_the_kit()
    with tempfile.TemporaryDirectory(prefix="jobmon-check-") as folder:
        bare = Path(folder) / f"test_{name}_conformance.py"
        bare.write_text(_REAL_TEST.format(name=name), encoding="utf-8")
        options = ["--conformance-record", str(path)]
        status = run_pytest(Path(folder), [one.absolute() for one in tests] or [bare], options, real=True)
    if status:
        click.echo(f"{name}: nothing was recorded", err=True)
        return Exit.FAILED
    click.echo(f"recorded in {path}: read it before you keep it, and name it as `recorded` in the fake's test class")
    return Exit.OK


def needs_the_kit() -> None:
    """Refuse where the kit cannot be run.

    Raises:
        PluginError: pytest or hypothesis is not installed.
    """
    from importlib.util import find_spec

    from jobmon.errors import PluginError

    if find_spec("pytest") is None or find_spec("hypothesis") is None:
        raise PluginError("the kit needs pytest and hypothesis: pip install 'jobmon[testing]'")


def kit_listing() -> dict[str, Any]:
    """The kit's sentences and mutants, from a process that may import it."""
    import msgspec

    needs_the_kit()
    argv = [sys.executable, "-P", "-m", "jobmon.testing.listing"]
    said = subprocess.run(argv, check=True, capture_output=True).stdout
    return msgspec.json.decode(said, type=dict[str, Any])


def _take(name: str, results: Path, ran: Ran) -> None:
    from jobmon.reports.files import read_findings
    from jobmon.reports.levels import refusals
    from jobmon.reports.records import Outcome

    ran.findings = read_findings(results).get(name) if results.exists() else None
    if ran.findings is None:
        ran.problems.append(f"no test class tried the executor type {name!r}")
        return
    outcomes = [one for trial in ran.findings.trials for one in trial.results]
    broken = any(one.outcome is Outcome.BROKEN for one in outcomes) or refusals(ran.findings)
    if ran.failed and not broken and not ran.problems:
        ran.problems.append("other tests of the file failed")
    if left := sum(one.not_run for one in outcomes):
        ran.problems.append(f"{left} sentences were not run")


def _write(path: Path, name: str, ran: Ran) -> None:
    from jobmon.plugins import CONTRACT_VERSION
    from jobmon.plugins.installed import enabled
    from jobmon.reports.files import write
    from jobmon.reports.making import make_report

    brought = [one for one in enabled().types if one.name == name]
    contract = ".".join(map(str, CONTRACT_VERSION))
    write(path, make_report(name, brought[0] if len(brought) == 1 else None, ran.findings, ran.problems, contract))


def run_pytest(
    folder: Path,
    tests: Sequence[Path],
    options: Sequence[str],
    *,
    real: bool = False,
    limit_s: float | None = None,
    quiet: bool = False,
) -> int | None:
    """Run pytest in a process and a folder of its own, away from the settings of the project around.

    A test file imports what is in its own folder, as it does under the settings that the scaffold writes.
    Without a limit, an interrupt is passed on to it, and it is waited for: it may have jobs to end.

    Returns:
        Its exit status; None: it was ended at the limit, with all that it had started.
    """
    beside = " ".join(shlex.quote(str(one)) for one in dict.fromkeys(t if t.is_dir() else t.parent for t in tests))
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {beside}\n", encoding="utf-8")
    argv = [sys.executable, "-P", "-m", "pytest", "-q", "-c", str(folder / "pytest.ini"), "--rootdir", str(folder)]
    argv += ["-p", "no:cacheprovider", "--import-mode=importlib", "--tb=short", "-r", "N", *options, *map(str, tests)]
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTEST_ADDOPTS", _REAL)}
    environ |= {_REAL: "1"} if real else {}
    output = subprocess.DEVNULL if quiet else None
    if limit_s is None:
        return _run_to_its_end(argv, env=environ, cwd=folder, stdout=output, stderr=output)
    child = subprocess.Popen(argv, env=environ, cwd=folder, stdout=output, stderr=output, start_new_session=True)
    try:
        return child.wait(limit_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _run_to_its_end(argv: Sequence[str], **given: Any) -> int:
    # In a group of its own, so that a Ctrl-C reaches it once, from here.
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, process_group=0, **given)
    kept = {one: signal.signal(one, lambda *_: child.send_signal(signal.SIGINT)) for one in _INTERRUPTS}
    try:
        return child.wait()
    finally:
        for one, handler in kept.items():
            signal.signal(one, handler)
