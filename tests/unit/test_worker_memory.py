"""Reading how often the kernel killed for want of memory."""

from pathlib import Path

from jobmon.worker.memory import oom_kills


def count(folder: Path, own: str) -> int | None:
    (folder / "cgroup").write_text(own)
    return oom_kills(str(folder / "cgroup"), str(folder))


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
    assert oom_kills(str(tmp_path / "missing")) is None
