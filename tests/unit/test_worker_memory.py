"""Reading how often the kernel killed for want of memory."""

from pathlib import Path

from jobmon.agent.attempts import Attempt
from jobmon.agent.memory_kills import MemoryKills
from jobmon.agent.messages import Order
from jobmon.agent.runner import Runner
from jobmon.states.reasons import Reason
from jobmon.worker.memory import oom_kills


def count(folder: Path, own: str) -> int | None:
    (folder / "cgroup").write_text(own)
    return oom_kills(str(folder / "cgroup"), str(folder), str(folder / "vmstat"))


def test_version_2_counts_in_memory_events(tmp_path: Path) -> None:
    group = tmp_path / "slurm" / "job:7"
    group.mkdir(parents=True)
    (group / "memory.events").write_text("low 0\noom 3\noom_kill 2\noom_group_kill 0\n")
    assert count(tmp_path, "0::/slurm/job:7\n") == 2


def test_version_1_counts_in_oom_control(tmp_path: Path) -> None:
    group = tmp_path / "memory" / "uge" / "7"
    group.mkdir(parents=True)
    (group / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n")
    assert count(tmp_path, "12:cpu,cpuacct:/\n7:memory:/uge/7\n0::/unified\n") == 5


def test_where_nothing_counts_nothing_is_known(tmp_path: Path) -> None:
    assert count(tmp_path, "0::/none\n") is None
    assert count(tmp_path, "") is None
    assert oom_kills(*[str(tmp_path / "missing")] * 3) is None


def test_where_no_group_counts_the_hosts_count_is_taken(tmp_path: Path) -> None:
    (tmp_path / "vmstat").write_text("nr_free_pages 7\noom_kill 4\n")
    assert count(tmp_path, "0::/\n") == 4


def test_each_kill_for_memory_is_one_commands_and_one_that_nobody_died_of_is_nobodys() -> None:
    counted = 3
    kills = MemoryKills(lambda: counted)
    assert not kills.one_more()
    counted = 5
    assert [kills.one_more() for _ in range(3)] == [True, True, False]
    counted = 6  # a part of a command that went on without it
    kills.settle()
    kills.settle()
    assert not kills.one_more()


def test_an_agent_tells_a_kill_for_memory_from_a_kill_and_from_an_end_that_was_asked_for() -> None:
    counted = 0
    runner = Runner.__new__(Runner)
    runner._memory_kills = MemoryKills(lambda: counted)
    command, cancelled = Attempt(Order("t1")), Attempt(Order("t2"), ending=(Reason.CANCELLED, "asked for"))
    killed, part_killed, failed = 9, 137 << 8, 1 << 8
    assert runner._why(command, killed) is None
    counted = 2
    assert runner._why(command, failed) is None
    assert runner._why(cancelled, killed) == cancelled.ending
    for status in (killed, part_killed):
        told = runner._why(command, status)
        assert told is not None
        assert told[0] is Reason.OUT_OF_MEMORY
    assert runner._why(command, killed) is None
