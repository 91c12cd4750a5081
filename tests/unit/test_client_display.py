"""What a user sees of a run, at any width; and that no display, whatever is wrong with it, disturbs the run."""

import io
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from rich.console import Console

from jobmon.client import aside
from jobmon.client.aside import beside_the_run
from jobmon.client.interrupts import outliving_the_terminal
from jobmon.client.live import LiveView, Terminal, picture
from jobmon.client.progress import ExecutorProgress, Pace
from jobmon.client.views import PlainView, SilentView, choose_view
from jobmon.client.words import WORDS

BUSY = [
    ExecutorProgress("compute", "multiprocess", 100_000, 98_000, 8, 0, 1_900, 50, failed=30, cancelled=0),
    ExecutorProgress("uploads", "sequential", 5, 0, 1, 0, 4, 0, failed=0, cancelled=0),
]


class Kept(PlainView):
    """Keeps what is shown. `wrong` is raised by whatever draws, or is called instead when it is a function."""

    def __init__(self, wrong=None):
        self.kept, self.wrong = [], wrong

    def _draw(self, what):
        if isinstance(self.wrong, BaseException):
            raise self.wrong
        if self.wrong:
            self.wrong()
        self.kept.append(what)

    def line(self, text):
        self._draw(text)

    def show(self, rows, notes):
        self._draw((rows, notes))

    def end(self, rows):
        self._draw(("end", rows))


@pytest.mark.parametrize("width", [10, 20, 40, 60, 80, 100, 120, 200])
def test_the_bars_fit_the_terminal_with_room_for_an_echoed_ctrl_c_and_break_no_count(width):
    out = io.StringIO()
    console = Console(file=out, width=width)
    console.print(
        picture(
            BUSY, ["compute: " + "waits for much " * 20], console, "2:13 min", WORDS.keys() - {"submitted", "cancelled"}
        )
    )
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    if width >= 20:
        assert max(map(len, lines)) <= width - 3
        assert all(any(count in line for line in lines) for count in ("98,000 done", "1,900 queued", "30 failed"))
    assert ("multiprocess" in out.getvalue()) == (width >= 120)


def test_events_stay_above_the_bars_and_the_cursor_is_never_hidden():
    out = io.StringIO()
    view = LiveView(Terminal(file=out, force_terminal=True, width=120))
    view.show(BUSY, ["executor uploads has queued jobs, and no live manager serves it"])
    view.line("fit-[Chad]  attempt 1  OUT_OF_MEMORY")
    view.end(BUSY)
    for words in (
        "98,000 done",
        "8 running",
        "30 failed",
        "no live manager",
        "fit-[Chad]  attempt 1",
        "of 100,005 done",
    ):
        assert words in out.getvalue()
    assert "\x1b[?25l" not in out.getvalue()


def test_the_pace_is_that_of_the_last_minutes_in_a_fitting_unit():
    def at(done):
        return [ExecutorProgress("x", "any", 9_000, done, 0, 0, 0, 0, 0, 0)]

    pace = Pace(100.0)
    assert pace.words(at(0), 100.0) == "0.0 s, 0 of 9,000 done"
    assert pace.words(at(60), 110.0) == "10.0 s, 60 of 9,000 done, 6.0/s"
    assert pace.words(at(62), 700.0) == "10:00 min, 62 of 9,000 done"  # nothing was seen in the last five minutes
    assert pace.words(at(92), 760.0) == "11:00 min, 92 of 9,000 done, 30/min"
    assert Pace(0.0).words(at(0), 0.0).startswith("0.0 s")


def test_lines_are_broken_between_words_and_a_path_is_whole():
    out = io.StringIO()
    view = LiveView(Terminal(file=out, force_terminal=True, width=40))
    view.line("stopping: running jobs are told to end, and are recorded\n  log: /data/logs/" + "long/" * 10 + "1.err")
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["stopping: running jobs are told to end,", "and are recorded"]
    assert "  /data/logs/" + "long/" * 10 + "1.err" in lines


@pytest.mark.parametrize("error", [BrokenPipeError(32, "gone"), OSError(28, "full"), ValueError("closed"), KeyError(1)])
def test_an_error_of_the_display_is_not_the_runs(error, capsys):
    with beside_the_run(Kept(error)) as view:
        view.line("said")
        view.show(BUSY, [])
        view.end(BUSY)


def test_after_a_full_disk_the_next_line_may_be_seen_again():
    display = Kept(OSError(28, "full"))
    with beside_the_run(display) as view:
        view.line("lost")
        until_shown(view)
        display.wrong = None
        view.line("seen")
    assert display.kept == ["seen"]


def until_shown(view):
    """Wait until all that was given to the view so far has been tried."""
    tried = threading.Event()
    view._put(lambda _: tried.set())
    assert tried.wait(30)


def test_where_bars_cannot_be_drawn_there_are_lines_and_the_reason(capsys):
    class Bars:
        def show(self, rows, notes):
            raise TypeError("no such colour")

    with beside_the_run(Bars()) as view:
        view.show(BUSY, ["compute: waits"])
        until_shown(view)
        view.line("and on")
    said = capsys.readouterr().err
    assert "cannot be drawn (TypeError: no such colour)" in said
    assert "compute: waits" in said
    assert "and on" in said


def test_a_display_that_takes_nothing_holds_nothing_up(monkeypatch):
    monkeypatch.setattr(aside, "_PATIENCE_S", 0.01)
    taken = threading.Event()
    display = Kept(taken.wait)
    with beside_the_run(display) as view:
        for number in range(100):
            view.line(f"line {number}")
        view.show(BUSY, [])
        view.end(BUSY)
    assert display.kept == []
    taken.set()


def interrupted():
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        return sys.exc_info()


def test_what_ends_the_run_leaves_no_bars_behind():
    display = Kept()
    shown = beside_the_run(display)
    view = shown.__enter__()
    view.show(BUSY, [])
    until_shown(view)
    assert not shown.__exit__(*interrupted())
    assert display.kept == [(BUSY, []), ("end", BUSY)]


def test_bars_do_not_come_back_after_the_end():
    display = Kept()
    with beside_the_run(display) as view:
        view.show(BUSY, [])
        view.end(BUSY)
        view.line("DONE")
    assert display.kept[-2:] == [("end", BUSY), "DONE"]


def test_a_reader_that_has_gone_ends_no_process():
    class Gone(io.StringIO):
        def write(self, _text):
            raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(BrokenPipeError):  # rich itself would raise SystemExit
        LiveView(Terminal(file=Gone(), force_terminal=True, width=80)).line("said")


@pytest.mark.parametrize("stream", [None, "closed", object()])
def test_without_a_standard_error_nothing_is_shown(stream, monkeypatch):
    if stream == "closed":
        stream = io.StringIO()
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    assert isinstance(choose_view(show=True), SilentView)


@pytest.fixture
def handling_of_sighup() -> Iterator[None]:
    """What the tests were started with (nohup has it ignored) is put back."""
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_note_of_which_but_the_numbers_change_is_not_said_each_time(monkeypatch):
    now, out = [0.0], io.StringIO()
    monkeypatch.setattr("jobmon.client.views.time.monotonic", lambda: now[0])
    view = PlainView(out)
    for left in range(40, 0, -1):
        view.show(BUSY, [f"compute: {left} pending: no place (since 10:41:{left:02})"] if left % 5 else [])
    assert out.getvalue().count("pending") == 1
    view.show(BUSY, ["compute: 3 pending: the queue is disabled"])
    assert out.getvalue().count("pending") == 2
    now[0] += 61
    view.show(BUSY, ["compute: 2 pending: the queue is disabled"])
    assert out.getvalue().count("pending") == 3


@pytest.mark.parametrize(("kind", "view"), [("xterm", LiveView), ("dumb", PlainView)])
def test_bars_are_for_terminals_that_can_move_the_cursor(kind, view, monkeypatch):
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert isinstance(choose_view(show=True), view)


@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN])
def test_a_terminal_that_is_closed_ends_nothing_while_a_run_goes_on(before, handling_of_sighup):
    signal.signal(signal.SIGHUP, before)
    with outliving_the_terminal():
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is before


def test_closed_standard_descriptors_are_not_given_to_other_files():
    code = (
        "import os; os.closerange(0, 3); from jobmon.inherited import hold_standard_descriptors as hold; hold(); "
        "assert [os.stat('/dev/null').st_rdev] * 3 == [os.fstat(n).st_rdev for n in range(3)]; assert os.pipe()[0] > 2"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
