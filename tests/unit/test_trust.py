"""Files and folders that others own or can write are refused by name, and none is made that they can write."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobmon.config import load_config
from jobmon.errors import ConfigurationError
from jobmon.requester.connecting import connect
from jobmon.requester.endpoint import DataFolder
from jobmon.trust import make_folder, open_log

STRANGER = 54321
OPEN_MODES = [0o620, 0o602, 0o666]


@pytest.fixture
def give_away(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Makes a file or folder another user's; where that needs root, it is this process that becomes another."""

    def give(path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: STRANGER)

    return give


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def configured(folder: Path) -> Path:
    file = folder / "jobmon.toml"
    file.write_text("[executors.seq]\ntype = 'sequential'\n")
    return file


def test_a_configuration_of_another_user_in_a_parent_folder_is_refused_until_there_is_a_nearer_one(
    tmp_path: Path, give_away: Callable[[Path], None]
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    give_away(configured(tmp_path))
    with pytest.raises(ConfigurationError, match=r"jobmon\.toml belongs to user \w+ and is not used: put"):
        load_config(work, {})


def test_a_link_of_another_user_to_ones_own_configuration_is_refused(
    tmp_path: Path, give_away: Callable[[Path], None]
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "jobmon.toml").symlink_to(configured(tmp_path))
    assert "seq" in load_config(tmp_path / "work", {}).executors
    give_away(tmp_path / "work" / "jobmon.toml")
    with pytest.raises(ConfigurationError, match="belongs to user"):
        load_config(tmp_path / "work", {})


@pytest.mark.parametrize("mode", OPEN_MODES)
def test_a_configuration_that_others_can_write_is_refused_and_the_user_told_what_to_run(
    tmp_path: Path, mode: int
) -> None:
    file = configured(tmp_path)
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match=rf"can write it \(mode {mode:04o}\).* run: chmod go-w {file}"):
        load_config(tmp_path, {})


@pytest.mark.parametrize("mode", OPEN_MODES)
def test_the_users_own_file_is_held_to_the_same(tmp_path: Path, mode: int) -> None:
    (tmp_path / "config" / "jobmon").mkdir(parents=True)
    configured(tmp_path / "config" / "jobmon").chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod go-w"):
        load_config(tmp_path, {"XDG_CONFIG_HOME": str(tmp_path / "config")})


def test_a_data_folder_of_another_user_is_refused(tmp_path: Path, give_away: Callable[[Path], None]) -> None:
    make_folder(tmp_path / "data")
    give_away(tmp_path / "data")
    for start in (False, True):
        with pytest.raises(ConfigurationError, match=r"data folder .* belongs to user .*JOBMON_DATA"):
            connect({"JOBMON_DATA": str(tmp_path / "data")}, start=start)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_data_folder_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(mode)
    with pytest.raises(ConfigurationError, match=r"other users can write it .* run: chmod go-w"):
        DataFolder(tmp_path / "data").make()


def test_a_data_folder_below_one_that_all_may_use_is_fine(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert len(DataFolder(tmp_path / "data").make().token()) == 64


@pytest.mark.parametrize("name", ["token", "endpoint.json", "jobmon.db", "server.lock", "logs", "managers"])
def test_whatever_another_user_has_put_into_a_data_folder_is_refused_by_its_name(
    tmp_path: Path, name: str, give_away: Callable[[Path], None]
) -> None:
    folder = DataFolder(tmp_path / "data").make()
    planted = folder.path / name
    if name in ("logs", "managers"):
        make_folder(planted)
    else:
        planted.write_text("{}")
        planted.chmod(0o600)
    folder.check()
    give_away(planted)
    with pytest.raises(ConfigurationError, match=rf"(part of )?the data folder,? {folder.path}.* belongs to user"):
        folder.make()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_token_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    folder = DataFolder(tmp_path / "data").make()
    folder.token()
    (folder.path / "token").chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod go-rwx"):
        folder.token()


@pytest.mark.usefixtures("no_umask")
def test_without_a_umask_nothing_is_made_that_others_can_write(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "a" / "b" / "data").make()
    folder.token()
    with folder.open_log(), open_log(folder.logs / "manager.log", 0o644):
        lock = folder.lock("server.lock")
        assert lock.acquire()
    lock.release()
    made = [tmp_path / "a", *(tmp_path / "a").rglob("*")]
    assert len(made) == 9
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o022] == []
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
