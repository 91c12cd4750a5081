"""Reports as files, of whatever origin, and the page that is made of them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from jobmon.errors import ReportInvalid
from jobmon.reports.catalogue import escape, page
from jobmon.reports.files import LONGEST_FILE, one_line, read, read_evidence, write
from jobmon.reports.making import make_report
from jobmon.reports.records import Area, Findings, Level, Measurement, Outcome, Result, Sentence, Trial, Tried

SENTENCES = {
    f"test_{area}{n}": Sentence(area, f"It keeps {area}.") for n in (1, 2) for area in (Area.CORE, Area.ROBUSTNESS)
}
SENTENCES["test_find"] = Sentence(Area.FIND, "It finds.")


@attrs.frozen
class Brought:
    distribution: str = "jobmon-executor-lab"
    version: str = "1.2"


def findings(outcome: Outcome = Outcome.HOLDS, why: str = "", platform: Tried = Tried.FAKE) -> Findings:
    results = tuple(Result(check, sentence, outcome, why) for check, sentence in SENTENCES.items())
    return Findings((Trial("TestLab", "lab", platform, Level.SILVER, results),))


REPORT = make_report("lab", Brought(), findings(), ["something <b>odd</b>"], "1.0")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.json"


def damaged(path: Path, *place: str | int, value: Any) -> Path:
    """The file of a report in which one value is another."""
    write(path, REPORT)
    whole = json.loads(path.read_text())
    part = whole
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    path.write_text(json.dumps(whole))
    return path


def test_a_report_is_read_as_it_was_written(path: Path) -> None:
    write(path, REPORT)
    assert read(path) == REPORT
    assert REPORT.levels == ("bronze", "silver")
    assert max(map(len, path.read_text().splitlines())) < 300, "people read its changes, a line a sentence"


def test_a_report_that_cannot_be_written_leaves_the_old_one_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, REPORT)
    before = path.read_bytes()

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(path, attrs.evolve(REPORT, version="2"))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


TRIAL = ("findings", "trials", 0)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("schema",), 2, "its schema is 2"),
        (("levels",), ["diamond"], "Invalid enum value 'diamond'"),
        (("type",), "a b", "report.type is 'a b'"),
        (("distribution",), "<script>", "report.distribution"),
        (("distribution",), "", "report.distribution"),
        (("version",), "1|2", "report.version"),
        (("python",), "3.11\n", "report.python"),
        (("made_at",), "2026-01-01T00:00:00", "no time zone"),
        (("made_at",), "yesterday", "made_at"),
        (("problems",), ["x" * 501], "report.problems[0]"),
        (("problems",), ["a\u202eb"], "report.problems[0] has unprintable characters"),
        (("problems",), ["x"] * 51, "report.problems has more than 50 entries"),
        ((*TRIAL, "name"), "a\x1b[2J", "report.findings.trials[0].name"),
        ((*TRIAL, "results", 0, "check"), "rm -rf", "results[0].check"),
        ((*TRIAL, "results", 0, "outcome"), "fine", "Invalid enum value 'fine'"),
        ((*TRIAL, "results", 0, "sentence", "area"), "speed", "Invalid enum value 'speed'"),
        (("findings", "measurements"), [{"name": "x", "value": -1, "how": "y"}], "value is -1.0"),
        (("findings", "measurements"), [{"name": "x", "value": "1", "how": "y"}], "Expected `float`"),
    ],
)
def test_what_no_report_holds_is_refused_and_named(
    path: Path, place: tuple[str | int, ...], value: object, said: str
) -> None:
    with pytest.raises(ReportInvalid) as caught:
        read(damaged(path, *place, value=value))
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b" " * (LONGEST_FILE + 1)])
def test_what_is_no_report_is_refused(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    with pytest.raises(ReportInvalid, match=r"report\.json"):
        read(path)


def test_evidence_is_marked_as_handed_in_whatever_it_says_of_itself(path: Path) -> None:
    path.write_text('[{"name": "chaos_hours", "value": 30, "how": "at home", "handed_in": false}]')
    assert read_evidence(path) == (Measurement("chaos_hours", 30.0, "at home", handed_in=True),)


def test_one_line_is_short_and_printable() -> None:
    assert one_line("a\n  b\x1b[0m") == "a b [0m"
    assert len(one_line("x" * 10_000)) == 500


def test_the_page_judges_by_the_sentences_of_todays_kit_and_not_by_what_a_report_names() -> None:
    forged = attrs.evolve(REPORT, levels=tuple(Level), claims=Level.GOLD)
    said = page([forged], {}, SENTENCES)
    assert "| `lab` | `jobmon-executor-lab` | `1.2` | silver | fake |" in said
    assert "names the level platinum, which does not follow" in said
    assert "It claims gold, which is not reached." in said
    newer = SENTENCES | {"test_new": Sentence(Area.CORE, "It is new.")}
    assert "| none | fake |" in page([REPORT], {}, newer), "what a report does not have was not exercised"


def test_a_report_cannot_move_a_sentence_into_another_area() -> None:
    trial = REPORT.findings.trials[0]
    moved = [attrs.evolve(one, sentence=attrs.evolve(one.sentence, area=Area.USAGE)) for one in trial.results]
    broken = [attrs.evolve(one, outcome=Outcome.BROKEN) if "core" in one.check else one for one in moved]
    forged = attrs.evolve(REPORT, findings=Findings((attrs.evolve(trial, results=tuple(broken)),)))
    assert "| none | fake |" in page([forged], {}, SENTENCES)


def test_of_several_reports_on_a_version_the_newest_counts() -> None:
    old = attrs.evolve(REPORT, made_at=datetime(2020, 1, 1, tzinfo=UTC), findings=Findings(), levels=())
    said = page([REPORT, old], {}, SENTENCES)
    assert said.count("\n| `lab`") == 1
    assert "| silver |" in said


HOSTILE = "</td><script>x</script> | `a` [b](javascript:c) ![d](e) **f** <!-- www.example.org https://x.y @z #1 &lt; \\"


def test_nothing_in_a_report_becomes_markup() -> None:
    report = make_report("lab", Brought(), findings(Outcome.NOT_EXERCISED, HOSTILE), [HOSTILE], "1.0")
    said = page([report], {HOSTILE: HOSTILE}, SENTENCES)
    for sign in ("<", "javascript:", "](", "![", "**f", "www.example", "https:", "@", "\\"):
        assert sign not in said, sign
    assert escape("it's fine, (really)") == "it's fine, (really)"
