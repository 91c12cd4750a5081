"""What the real program printed is kept, and the fake is held against it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from labbatch import BatchPlatform, LabBatch, batch
from test_real_platform import MINE, Laboratory

from jobmon.cli.app import run
from jobmon.testing import Answer, ExecutorConformance, JobTable
from jobmon.testing.real_run import PREFIX
from jobmon.testing.recording import Call, Recording, RecordingInvalid, Step, neutral, read, token, write
from jobmon.testing.replay_checks import first_difference, led
from jobmon.testing.taping import Tape

REPLAY = "test_the_fake_speaks_as_the_real_platform_did"


def recorded(laboratory: Laboratory) -> Path:
    """A recording of the guide's program, made by its executor."""
    path = laboratory.folder / "tests" / "labbatch.jsonl"
    process = laboratory.pytest("--conformance-record", str(path), JOBMON_REAL="1")
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    return path


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    made = Laboratory(tmp_path_factory.mktemp("laboratory"))
    yield made
    made.said("labbatch", "kill", made.mine)


@pytest.fixture(scope="module")
def recording(laboratory: Laboratory) -> Path:
    return recorded(laboratory)


def held(laboratory: Laboratory, recording: Path, old: str = "", new: str = "", patience_s: float = 60.0) -> str:
    """What comes of the guide's fake, with a change, held against the recording."""
    source = laboratory.tests.read_text()
    assert old in source
    changed = source.replace(old, new, 1) if old else source
    mark = "    platform_type = LabbatchPlatform\n"
    changed = changed.replace(mark, f"{mark}    recorded = {str(recording)!r}\n    patience_s = {patience_s}\n", 1)
    kept, laboratory.tests = laboratory.tests, laboratory.tests.with_name("test_held.py")
    try:
        laboratory.tests.write_text(changed)
        return laboratory.pytest("-k", REPLAY, "-rs").communicate(timeout=300)[0]
    finally:
        laboratory.tests.unlink()
        laboratory.tests = kept


def test_a_life_on_the_real_platform_is_recorded_and_leaves_nothing(laboratory: Laboratory, recording: Path) -> None:
    text = recording.read_text()
    assert laboratory.live() == [MINE]
    assert PREFIX[:5] + "recorded" in text
    assert not re.search(r"jtest(?!recorded)", text)
    assert str(laboratory.folder.parent / "pytest") not in text
    steps = [json.loads(line)["step"] for line in text.splitlines()[1:]]
    assert steps[:2] == ["submit a job", "see it run"]
    assert "see the cancelled array end" in steps
    assert steps[-1] == "find a job that there never was"
    assert [path.name for path in recording.parent.glob(".*.jsonl*")] == []


def test_the_guides_fake_speaks_nearly_as_its_real_program_and_where_not_it_is_named(
    laboratory: Laboratory, recording: Path
) -> None:
    """The real one has no word of its own for a cancellation."""
    said = held(laboratory, recording)
    assert "see the cancelled job end: " in said
    assert re.search(r"the executor makes Exited \(EXIT_NONZERO.*of the fake's Exited \(CANCELLED", said), said


RIGHT = ('Reason.CANCELLED: "cancelled"', 'Reason.CANCELLED: "failed"')


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (*RIGHT, r"^\.\s"),
        (
            "        return Answer()\n",
            "        return Answer(1)\n",
            "cancel it: the real labbatch exited with 0, the fake exited with another status than 0",
        ),
        (
            'else "running"',
            'else "runs"',
            r"see it run: .* makes Running, of the fake's Unknown\..*The fake: .*runs 1.5",
        ),
        (
            'None: "done"',
            'None: "gone"',
            r"see it end with status 0: .* makes Exited \(a success.*, of the fake's Unknown\..*The fake: .*gone 1.5",
        ),
        (
            'Answer(stdout=jobs.submit(name, command) + "\\n")',
            'Answer(stdout="job " + jobs.submit(name, command) + "\\n")',
            "submit a job: of the real platform's answer the executor makes Accepted, of the fake's Uncertain[.]",
        ),
        ("{job.used['wall_s']}", "later", "see it run: .* of the fake's SchedulerUnavailable.*running later"),
    ],
)
def test_a_fake_that_differs_is_named_with_the_step(
    old: str, new: str, named: str, laboratory: Laboratory, recording: Path
) -> None:
    never_seen = "Unknown" in named or "Unavailable" in named
    said = held(laboratory, recording, old, new, patience_s=3.0 if never_seen else 60.0)
    assert re.search(named, said), said


def test_without_a_recording_nothing_is_held_against_the_fake_and_that_is_told(laboratory: Laboratory) -> None:
    said = laboratory.pytest("-k", REPLAY, "-rs").communicate(timeout=300)[0]
    assert "not exercised: `recorded` names no recording of the real platform" in said


class Batch(ExecutorConformance):
    executor_type = LabBatch
    platform_type = BatchPlatform
    patience_s = 5.0


def platform(sentence: str = "{}", ended: str = "ended") -> type[BatchPlatform]:
    """The fake, with other words."""

    def other(table: JobTable, argv: list[str], stdin: str) -> Answer:
        answer = batch(table, argv, stdin)
        if argv[0] == "-n":
            return Answer(stdout=sentence.format(answer.stdout.strip()) + "\n")
        return attrs.evolve(answer, stdout=answer.stdout.replace("\tended\t", f"\t{ended}\t"))

    return type("Other", (BatchPlatform,), {"commands": {"batch": other}})


class Lenient(LabBatch):
    """An executor that makes the same of more than its platform says."""

    states = {**LabBatch.states, "over": LabBatch.states["ended"]}  # noqa: RUF012

    def parse_submission(self, done: object) -> str:
        return done.stdout.split()[-1]  # type: ignore[attr-defined]


def conformance(platform_type: type[BatchPlatform]) -> ExecutorConformance:
    return type("Lenients", (Batch,), {"executor_type": Lenient, "platform_type": platform_type})()


@pytest.mark.parametrize(
    ("fake", "named"),
    [
        (platform("job {0} is queued as {0}"), "submit a job: the real batch prints 4 words, the fake 6"),
        (platform(), "submit a job: the real batch prints 4 words, the fake 1. "),
        (
            platform("Your job is {}", ended="over"),
            "see it end with status 0: the real program's word is 'ended', the fake's 'over'",
        ),
        (platform("Your job is {}"), ""),
    ],
)
def test_what_the_executor_makes_the_same_of_is_told_apart_by_the_programs_words(
    fake: type[BatchPlatform], named: str, tmp_path: Path
) -> None:
    real = conformance(platform("Your job is {}"))
    recording = Recording("labbatch", tuple(led(real, Tape(), tmp_path / "real", None)))
    write(tmp_path / "file.jsonl", recording)
    found = first_difference(conformance(fake), read(tmp_path / "file.jsonl"), tmp_path)
    assert found.startswith(named) if named else found == ""
    assert len(found) < 3000


def test_an_executor_that_asks_something_else_than_the_recorded_is_told_to_record_again(tmp_path: Path) -> None:
    recording = Recording("labbatch", tuple(led(Batch(), Tape(), tmp_path / "real", None)))

    class Asks(LabBatch):
        def list_argv(self) -> list[str]:
            return ["other", "--list"]

    other = type("Others", (Batch,), {"executor_type": Asks})()
    found = first_difference(other, recording, tmp_path)
    assert "the recording has no answer of other there" in found
    assert "record again" in found


def test_a_recording_has_no_tokens_folders_or_secrets_and_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "hush-hush-hush")
    tokens = [PREFIX + "0" * 13 + "a", PREFIX + "0" * 13 + "b"]
    text = f"{tokens[1]}_task {tokens[0][:20]} {tmp_path}/x hush-hush-hush {Path.home()}/y"
    assert neutral(text, tokens, tmp_path) == (
        f"{token(1)}_task {token(0)[:20]} /recorded/folder/x (secret) /recorded/home/y"
    )
    assert len(token(1)) == len(tokens[1])
    long = Call(("x",), False, 0, "y" * 200_000, "")
    with pytest.raises(RecordingInvalid, match="submit a job: x printed 200,000 characters"):
        write(tmp_path / "long.jsonl", Recording("x", (Step("submit a job", (), (), (long,)),)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", '{"schema": 1}\n', '{"schema": 2, "type": "x"}\n{}\n', "[]\n", "\n\n"])
def test_a_file_that_is_no_recording_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(RecordingInvalid, match="file: "):
        read(tmp_path / "file")


class Waits(BatchPlatform):
    """A platform on which each job waits until it was listed once."""

    def submit(self, name: str, argv: list[str], *given: object, **more: object) -> str:
        job_id = super().submit(name, argv, *given, **more)  # type: ignore[arg-type]
        self.jobs[job_id].waits = "Priority"
        return job_id

    def listing(self) -> object:  # type: ignore[override]
        told = super().listing()
        told = attrs.evolve(told, jobs=tuple(map(attrs.evolve, told.jobs)))
        for job in self.jobs.values():
            job.waits = ""
        return told


def test_a_job_that_waits_on_the_real_platform_is_held_back_by_the_fake(tmp_path: Path) -> None:
    real = type("Waiting", (Batch,), {"platform_type": Waits})()
    recording = Recording("labbatch", tuple(led(real, Tape(), tmp_path / "real", None)))
    assert [one.saw for one in recording.steps if one.step == "see a job wait"] == [("Pending",)]
    assert first_difference(Batch(), recording, tmp_path) == ""


def test_the_command_line_records_by_one_class_and_says_where_it_does_not(
    laboratory: Laboratory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "recorded.jsonl"
    check = ["plugin", "check", "dummy", "--record", str(path)]
    assert run(check) == 2
    assert "--record needs --real" in capsys.readouterr().err
    assert run([*check, "--real", "--report", str(tmp_path / "report")]) == 2
    assert run(["plugin", "check", "dummy", "--real", "--record", str(tmp_path / "none" / "file")]) == 2
    assert run([*check, "--real", "--tests", str(Path(__file__).with_name("labbatch.py"))]) == 1
    assert "dummy: nothing was recorded" in capsys.readouterr().err
    argv = [sys.executable, "-m", "jobmon", *check, "--real", "--tests", str(laboratory.tests)]
    environ = laboratory.environ | {"PYTHONPATH": str(laboratory.folder / "src")}
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"recorded in {path}: read it before you keep it" in done.stdout
    assert read(path).type == "labbatch"
    assert laboratory.live() == [MINE]
