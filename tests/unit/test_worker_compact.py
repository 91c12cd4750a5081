"""JSON without the module `json`: the same values, the same refusals."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobmon.worker import compact

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@pytest.fixture(params=["accelerated", "fallback"])
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "fallback":
        monkeypatch.setattr(compact, "_PARTS", None)


def test_this_python_has_the_accelerator() -> None:
    assert compact._PARTS is not None


@given(VALUES)
def test_values_are_written_and_read_as_json_does(value: Any) -> None:
    text = compact.dumps(value)
    assert text == json.dumps(value, separators=(",", ":"))
    assert compact.loads(text) == value
    spaced = f" \n{json.dumps(value, indent=1)}\r\n"
    assert compact.loads(spaced) == compact.loads(spaced.encode()) == value


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("text", ["", " ", "{", '{"a":', "[1] x", "nul", b"\xff", '"\n"', "{'a': 1}", "[1,]"])
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        compact.loads(text)


def test_a_worker_meets_half_a_file_as_a_value_error() -> None:
    code = "from jobmon.worker.compact import loads\ntry: loads('{')\nexcept ValueError: print('json' in sys.modules)"
    assert alone(code) == "True\n"


@pytest.mark.usefixtures("parts")
def test_what_json_cannot_hold_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        compact.dumps({"a": object()})


def test_a_worker_starts_without_json_and_what_that_imports() -> None:
    code = "import jobmon.worker.attempt, jobmon.worker.main; print(*{'json', 're', 'enum'} & {*sys.modules})"
    assert alone(code) == "\n"


def alone(code: str) -> str:
    """What a Python prints that has the worker's package alone, without that above it."""
    head = "import sys, types; jobmon = sys.modules['jobmon'] = types.ModuleType('jobmon')"
    folder = str(compact.__file__).rpartition("/worker/")[0]
    argv = [sys.executable, "-I", "-S", "-c", f"{head}\njobmon.__path__ = [sys.argv[1]]\n{code}", folder]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout
