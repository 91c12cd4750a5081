"""The worker speaks the wire's language without importing it; here both are held together."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobmon.states.evidence import WORKER_DID_NOT_RUN_IT
from jobmon.wire import proof as wire_proof
from jobmon.wire import routes
from jobmon.wire.health import API_VERSION
from jobmon.worker import attempt, command, proof, transport
from jobmon.worker.build import build_starter, build_worker


def test_the_workers_paths_are_the_routes() -> None:
    assert routes.HEALTH.path == transport.HEALTH
    assert routes.START_ATTEMPTS.path == transport.START
    assert routes.HEARTBEAT.path == transport.HEARTBEAT
    assert routes.FINISH_ATTEMPTS.path == transport.FINISH
    assert routes.GIVE_BACK_ATTEMPTS.path == transport.GIVE_BACK
    for path in (transport.START, transport.HEARTBEAT, transport.FINISH, transport.GIVE_BACK):
        assert routes.ROUTES[path].access is routes.Access.WORKER


def test_the_workers_version_is_that_of_the_wire() -> None:
    assert ".".join(map(str, API_VERSION)) == transport.API


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://127.0.0.1:8080", ("127.0.0.1", 8080, "")),
        ("http://login1:8080/jobmon/", ("login1", 8080, "/jobmon")),
        ("http://[::1]:99", ("::1", 99, "")),
        ("http://[::1]", ("::1", 80, "")),
        ("http://login1", ("login1", 80, "")),
    ],
)
def test_addresses_are_taken_apart(url: str, parts: tuple[str, int, str]) -> None:
    assert parts == transport.split_url(url)


@pytest.mark.parametrize("url", ["https://x", "login1:80", "http://x:y"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError):
        transport.split_url(url)


def test_the_worker_is_built_once_under_a_name_of_its_content(tmp_path: Path) -> None:
    path = build_worker(tmp_path / "new")
    made = path.stat()
    assert build_worker(tmp_path / "new") == path
    assert path.stat().st_ino == made.st_ino
    assert [path] == list(path.parent.iterdir())
    assert path.name.startswith("worker-0.1-")
    again = build_worker(tmp_path / "other")
    assert again.read_bytes() == path.read_bytes()


def test_the_starter_lies_beside_the_worker_and_starts_it_without_what_runs_zips(tmp_path: Path) -> None:
    path = build_starter(tmp_path)
    assert build_starter(tmp_path) == path
    assert sorted(tmp_path.iterdir()) == [path, build_worker(tmp_path)]
    argv = [sys.executable, "-I", "-S", "-X", "importtime", str(path), "run", str(tmp_path / "nothing")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 78
    assert "cannot use the start file" in done.stderr
    assert "jobmon_worker.main" in done.stderr
    assert "runpy" not in done.stderr


def test_every_module_of_the_worker_is_shipped_compiled_beside_its_source(tmp_path: Path) -> None:
    names = set(zipfile.ZipFile(build_worker(tmp_path)).namelist())
    folder = Path(command.__file__).parent
    kept_here = {"build.py", "kept.py", "leftovers.py", "restoring.py", "usage.py", "warm.py", "watched.py"}
    shipped = {f"jobmon_worker/{file.name}" for file in folder.glob("*.py") if file.name not in kept_here}
    assert names == {"__main__.py", "__main__.pyc"} | shipped | {f"{name}c" for name in shipped}


def test_the_statuses_of_a_worker_that_did_not_run_its_command_are_those_that_the_evidence_knows() -> None:
    assert sorted(WORKER_DID_NOT_RUN_IT) == sorted([attempt.NOT_STARTED, attempt.REFUSED])


@given(key=st.text(min_size=1, max_size=100), challenge=st.text(), address=st.text(), database=st.text())
def test_a_worker_takes_the_proof_of_the_wire_and_no_other(
    key: str, challenge: str, address: str, database: str
) -> None:
    health = {"address": address, "database_id": database}
    health["proof"] = wire_proof.proof_of(key, challenge, address, database)
    assert proof.is_proof(health, key, challenge, address)
    assert proof.is_proof(health, key, challenge, None)
    assert not proof.is_proof(health, key, challenge, address + "1")
    assert not proof.is_proof(health, key + "1", challenge, None)
    assert not proof.is_proof(health, key, challenge + "1", None)
    assert not proof.is_proof(health | {"address": address + "1"}, key, challenge, None)


@pytest.mark.parametrize("told", [None, [], "proof", {}, {"proof": None}, {"proof": 1, "address": []}])
def test_what_is_no_proof_at_all_is_none(told: object) -> None:
    assert not proof.is_proof(told, "key", "challenge", None)


@pytest.mark.parametrize("name", [("127.0.0.1", 80), ("::ffff:127.0.0.1", 80, 0, 0), ("fe80::1%eth0", 80, 0, 2)])
def test_both_ends_write_an_address_alike(name: tuple[object, ...]) -> None:
    assert proof.address_of(name) == wire_proof.address_of(name) in ("127.0.0.1:80", "fe80::1:80")
