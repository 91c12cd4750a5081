"""What an agent that was killed had taken on, as the next one finds it."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobmon.agent import held as helds
from jobmon.agent.held import Held
from jobmon.agent.messages import Order
from jobmon.wire.workers import GiveBackAttempts

NAMES = [f"t{n}" for n in range(6)]


def found(path: Path, reader: str = "host:next") -> tuple[set[str], dict[str, set[str]]]:
    held = Held(path, reader)
    return {order.token for order in held.orders}, {m.worker_id: set(m.tokens) for m in held.returns}


def test_what_had_not_begun_is_taken_again_and_what_was_asked_for_is_given_back_first(tmp_path: Path) -> None:
    held = Held(tmp_path / "held", "host:first")
    held.take([Order(name, cores=2, runtime_s=5.0) for name in NAMES])
    held.asked(["t0", "t1", "t2"])
    held.begun("t0")
    held.begun("t1")
    held.done(["t1"])
    after = Held(tmp_path / "held", "host:second")
    assert after.orders == [Order(name, cores=2, runtime_s=5.0) for name in NAMES[2:]]
    assert after.returns == [GiveBackAttempts("host:first", ["t2"], "its agent died before it was begun")]
    after.asked(["t3"])
    assert found(tmp_path / "held") == (set(NAMES[2:]), {"host:second": {"t3"}})


@given(st.lists(st.tuples(st.sampled_from(["take", "asked", "begun", "done"]), st.sampled_from(NAMES)), max_size=40),
       st.integers(1, 400))  # fmt: skip
def test_the_file_says_what_was_true_however_often_it_was_written_anew(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]], large: int
) -> None:
    path = tmp_path_factory.mktemp("agent") / "held"
    stage: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(helds, "_LARGE", large)
        held = Held(path, "host:first")
        for step, token in steps:
            if step == "take" and token not in stage:
                held.take([Order(token)])
            elif step == "take" or token not in stage:
                continue
            elif step == "begun":
                held.begun(token)
            else:
                getattr(held, step)([token])
            if step == "done":
                del stage[token]
            elif stage.get(token) != "begun":
                stage[token] = step
        left = {token for token, last in stage.items() if last != "begun"}
        asked = {token for token, last in stage.items() if last == "asked"}
        assert found(path) == (left, {"host:first": asked} if asked else {})


def test_a_line_that_was_cut_off_spoils_no_other_and_a_full_disk_is_said_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    held = Held(tmp_path / "held", "host:first")
    held.take([Order("t0")])
    held.take([Order("t1")])
    (tmp_path / "held").write_bytes((tmp_path / "held").read_bytes()[:-5])
    assert found(tmp_path / "held") == ({"t0"}, {})
    assert "not understood" in capfd.readouterr().err
    held._fd = os.open("/dev/full", os.O_WRONLY)
    held.begun("t0")
    held.begun("t1")
    assert capfd.readouterr().err.count("No space left on device") == 1
