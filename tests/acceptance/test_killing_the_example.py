"""While the example runs, server, manager, agent and client are killed in turn; nothing of it shows in the end."""

import random
import shutil
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import attrs
import pytest
from serving import end_process
from users import Running, User, chance, until

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "life_expectancy"
VICTIMS = ("server", "manager", "agent", "client")
EACH = 10
N_JOBS = 149
#: The example's work, slower: a fit waits a little, an upload tells when it begins and ends and by which token.
SLOW_FIT = """

import os as _os, time as _time
_fit = fit
def fit(country: str, data: str, replicates: int) -> Fit:
    _time.sleep(float(_os.environ.get("EXAMPLE_DELAY_S", "0")))
    return _fit(country, data, replicates)
"""
TOLD_UPLOAD = """
import os, runpy, sys, time
def tell(what):
    fd = os.open(sys.argv[2] + ".told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(fd, f"{what} {sys.argv[3]} {os.environ['JOBMON_ATTEMPT']}\\n".encode())
tell("begin")
time.sleep(float(os.environ.get("EXAMPLE_DELAY_S", "0")) * 3)
runpy.run_path(os.path.join(os.path.dirname(__file__), "true_upload.py"), run_name="__main__")
tell("end")
"""


def settle_in(user: User) -> None:
    """Copy the example into the user's folder: its very script, with work that takes its time."""
    shutil.copytree(EXAMPLE, user.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("out", "__pycache__"))
    with (user.folder / "models.py").open("a") as file:
        file.write(SLOW_FIT)
    (user.folder / "upload.py").rename(user.folder / "true_upload.py")
    user.write("upload.py", TOLD_UPLOAD)


def start(user: User, out: str, *, resume: bool = False, delay_s: float = 0.0) -> Running:
    arguments = ["life_expectancy.py", "--replicates", "20", "--out", out, *(["--resume"] if resume else [])]
    return user.start(*arguments, EXAMPLE_DELAY_S=str(delay_s))


@pytest.fixture
def undisturbed(user: User) -> str:
    """The final table of a run that nobody disturbs."""
    settle_in(user)
    done = start(user, "undisturbed").end()
    assert done.status == 0, done.said
    return (user.folder / "undisturbed" / "results.csv").read_text()


@attrs.define
class Campaign:
    """Kills that are still to be made, in turn, each at a number of jobs that are DONE."""

    user: User
    moments: list[tuple[int, str]]
    chance: random.Random
    made: Counter[str] = attrs.field(factory=Counter)

    def wage(self, out: str, workflow: int) -> Running:
        """Disturb one run until it is over; the client that saw its end."""
        client = start(self.user, out, delay_s=0.3)
        until(lambda: self.user.recorded.runs(workflow), "the run begins")
        while not client.ended():
            if not self.moments:
                client.end()
                break
            at, victim = self.moments[0]
            until(lambda: client.ended() or self.user.recorded.n_in("DONE", workflow) >= at, f"{at} jobs are done")  # noqa: B023
            if client.ended() or not (pids := self._find(victim, client)):
                break  # it was over sooner: the rest of the kills fall on the next run
            self.moments.pop(0)
            if victim == "client":
                client.kill()
                client = start(self.user, out, resume=True, delay_s=0.3)
            else:
                for pid in pids:
                    end_process(pid, signal.SIGKILL)
            self.made[victim] += 1
        return client

    def _find(self, victim: str, client: Running) -> list[int]:
        """The processes to kill, as soon as there are some: one that was killed before may not be back yet."""
        if victim == "client":
            return [client.pid]

        def look() -> list[int]:
            pids = list(self.user.processes(victim))
            # An agent is a keeper and its child, the spawner: either of them, or both.
            return pids if victim != "agent" or len(pids) >= 2 else []

        found = until(lambda: [0] if client.ended() else look(), f"a {victim} to kill")
        if found == [0]:
            return []
        return self.chance.choice([found[:1], found[-1:], found]) if victim == "agent" else found[-1:]


def uploads(out: Path) -> tuple[list[tuple[str, str, str]], int]:
    """What the uploads told of themselves, and the rows of the results database."""
    lines = (out / "results.sqlite.told").read_text().splitlines()
    told = [(line.split()[0], line.split()[1], line.split()[2]) for line in lines]
    with closing(sqlite3.connect(out / "results.sqlite")) as connection:
        return told, connection.execute("SELECT count(*) FROM life_expectancy").fetchone()[0]


def check(user: User, workflow: int, out: Path) -> None:
    """Every job is DONE, the history is whole, no command began twice, no upload met another."""
    recorded = user.recorded
    assert Counter(recorded.states(workflow).values()) == {"DONE": N_JOBS}
    assert recorded.flaws() == []
    assert recorded.charged(workflow) == {}, "a crash of Jobmon used up attempts of the tasks"
    told, n_rows = uploads(out)
    begun = Counter(token for what, _, token in told if what == "begin")
    assert set(begun.values()) == {1}, "a command was started twice for one token"
    ended = Counter(continent for what, continent, _ in told if what == "end")
    name_of = recorded.attempts(workflow)
    done = Counter(name_of[token].removeprefix("upload-") for what, _, token in told if what == "end")
    assert ended == done == dict.fromkeys(("Africa", "Americas", "Asia", "Europe", "Oceania"), 1)
    assert [what for what, _, _ in told] == ["begin", "end"] * (len(told) // 2), "uploads were at work at once"
    assert n_rows == 142


def test_ten_kills_of_each_part_leave_the_final_table_as_it_was(user: User, undisturbed: str) -> None:
    seeded = chance("killing the example")
    turns = [victim for _ in range(EACH) for victim in seeded.sample(VICTIMS, len(VICTIMS))]
    moments = sorted([*seeded.sample(range(1, N_JOBS - 5), len(turns) - 2), N_JOBS - 6, N_JOBS - 4])
    campaign = Campaign(user, list(zip(moments, turns, strict=True)), seeded)
    workflow = 2
    while campaign.moments:
        client = campaign.wage(f"disturbed-{workflow}", workflow)
        done = client.end()
        assert done.status == 0, done.said
        out = user.folder / f"disturbed-{workflow}"
        assert (out / "results.csv").read_text() == undisturbed
        assert (out / "life_expectancy.png").read_bytes().startswith(b"\x89PNG")
        check(user, workflow, out)
        workflow += 1
        assert workflow < 6, f"runs end before they can be disturbed: {campaign.made}"
        campaign.moments = [(seeded.randrange(1, N_JOBS - 5), victim) for _, victim in campaign.moments]
        campaign.moments.sort(key=lambda moment: moment[0])
    assert campaign.made == dict.fromkeys(VICTIMS, EACH)
