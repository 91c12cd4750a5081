"""Modules are found by workers where the script found them, however it was started and whatever it made of sys.path."""

import json
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import pytest

from jobmon.client.references import reference
from jobmon.worker import calls

#: Writes what a worker is given for the function `work`, from wherever it is.
TELL = """
import json
from jobmon.client.import_paths import import_paths
from jobmon.client.references import reference

def tell(work):
    r = reference(work)
    print(json.dumps({"paths": import_paths(), "module": r.module, "is_path": r.is_path, "problem": r.problem}))
"""
WORK = "def work(): return 'found'\n"


def told(folder: Path, *argv: str) -> dict:
    """What the script tells; its worker finds the function and calls it."""
    done = subprocess.run([sys.executable, *argv], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["problem"] is None
    call = {"module": told["module"], "function": "work", "is_path": told["is_path"], "import_paths": told["paths"]}
    (folder / "call.json").write_text(json.dumps(call))
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    argv = [sys.executable, calls.__file__, str(folder / "call.json"), str(folder / "answer.json")]
    subprocess.run(argv, cwd=elsewhere, check=True)
    assert json.loads((folder / "answer.json").read_text()) == {"result": '"found"'}
    return told


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("how", ["insert(0, 'lib')", "append('lib')", "insert(1, './/lib')"])
def test_a_folder_that_the_script_adds_keeps_its_place(tmp_path: Path, how: str) -> None:
    write(tmp_path / "lib" / "deep.py", WORK)
    write(tmp_path / "tell.py", TELL)
    write(tmp_path / "a.py", f"import sys; sys.path.{how}\nfrom deep import work\nfrom tell import tell\ntell(work)\n")
    paths = told(tmp_path, "a.py")["paths"]
    lib, here = str(tmp_path / "lib"), str(tmp_path)
    assert paths == {"i": [lib, here], "a": [here, "", lib]}[how[0]][:: -1 if "(1" in how else 1]


@pytest.mark.parametrize("argv", [["a.py"], ["-m", "a"], ["app"], ["-m", "app"]])
def test_functions_of_the_script_itself_are_found_however_it_is_started(tmp_path: Path, argv: list[str]) -> None:
    source = TELL + WORK + "if __name__ == '__main__':\n    import beside\n    tell(work)\n"
    write(tmp_path / "a.py", source)
    write(tmp_path / "app" / "__main__.py", source)
    write(tmp_path / "beside.py", "")
    write(tmp_path / "app" / "beside.py", "")
    told(tmp_path, *argv)


def test_modules_of_a_zip_file_that_is_run_are_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("__main__.py", "from inside import work\nfrom tell import tell\ntell(work)\n")
        archive.writestr("inside.py", WORK)
        archive.writestr("tell.py", TELL)
    assert str(tmp_path / "app.zip") in told(tmp_path, "app.zip")["paths"]


def test_a_function_of_the_main_file_of_a_zip_file_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("__main__.py", TELL + WORK + "tell(work)\n")
    done = subprocess.run([sys.executable, "app.zip"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "which is no file; put it in a module" in json.loads(done.stdout)["problem"]


def test_functions_of_the_script_are_found_from_a_child_of_multiprocessing(tmp_path: Path) -> None:
    source = "import multiprocessing\n" + TELL + WORK + "def child(): tell(work)\n"
    source += "if __name__ == '__main__':\n    c = multiprocessing.get_context('spawn').Process(target=child)\n"
    write(tmp_path / "a.py", source + "    c.start(); c.join()\n")
    assert told(tmp_path, "a.py")["module"] == str(tmp_path / "a.py")


def test_a_call_of_a_module_knows_the_folder_of_its_script_not_that_of_the_worker(tmp_path: Path) -> None:
    code = "from jobmon.client.import_paths import script_folder\ndef work(): return str(script_folder())\n"
    write(tmp_path / "mine.py", code)
    call = {"module": "mine", "function": "work", "import_paths": [str(tmp_path)]}
    (tmp_path / "call.json").write_text(json.dumps(call))
    argv = [sys.executable, calls.__file__, str(tmp_path / "call.json"), str(tmp_path / "answer.json")]
    subprocess.run(argv, cwd="/", check=True)
    assert json.loads(json.loads((tmp_path / "answer.json").read_text())["result"]) == str(tmp_path)


def test_a_module_that_no_worker_can_import_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, why in (("loaded_by_path", "is on no folder of sys.path"), ("json", "an import finds ")):
        module = types.ModuleType(name)
        module.__file__ = str(tmp_path / f"{name}.py")
        exec(WORK, module.__dict__)
        monkeypatch.setitem(sys.modules, name, module)
        problem = reference(module.work).problem
        assert problem is not None
        assert f"module '{name}' was loaded from {module.__file__}" in problem
        assert why in problem
