"""Run a Python call by reference: find the function, call it with plain values, return its result as JSON text.

Standard library only, and nothing of Jobmon: this file runs in the interpreter of the user's task, which need not have
Jobmon. `python calls.py CALL ANSWER` reads the call from one file and writes the answer to the other; the exit status
is that of the call.
"""

import contextlib
import json
import os
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, NoReturn

if __package__:
    from . import values
else:  # run or loaded by path: this folder is not searched, as a module of the user's may have the name of one of ours
    import importlib.util

    _spec = importlib.util.spec_from_file_location("_jobmon_values", Path(__file__).with_name("values.py"))
    assert _spec is not None
    assert _spec.loader is not None
    values = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(values)

#: The name that a script is loaded under, so that its `if __name__ == "__main__":` part does not run. It is the one
#: that multiprocessing uses, which makes process pools inside a call work as they do in the script.
SCRIPT_NAME = "__mp_main__"
#: An attribute of that module while it is being loaded: a workflow that it runs outside its main guard must not run.
LOADING = "__jobmon_loading__"
#: An attribute of `__main__` in a process that runs calls: the folder of the script whose they are.
FOLDER = "__jobmon_script_folder__"
_HERE = os.path.dirname(__file__)
#: As they are now: a call may put something else in their place.
_getpid, _end_now = os.getpid, os._exit
_encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode


#: Modules that are loaded because we want them, in an interpreter that is there for the user's code.
OURS: set[str] = set()
_GIVEN_WAY: set[str] = set()


def give_way(folders: Iterable[str]) -> None:
    """Forget those modules of ours of which these folders of the user's have one by the same name.

    The user's code then imports theirs, as a program of theirs would. Ours goes on with what it has imported.
    """
    for folder in set(folders) - _GIVEN_WAY:
        _GIVEN_WAY.add(folder)
        try:
            names = {entry.partition(".")[0] for entry in os.listdir(folder)}
        except OSError:
            continue  # there is none
        for name in names & OURS & sys.modules.keys():
            spec = PathFinder.find_spec(name, [folder])
            if spec is not None and spec.origin:  # without an origin it is a folder that Python prefers the library to
                OURS.discard(name)
                for loaded in [other for other in sys.modules if other == name or other.startswith(f"{name}.")]:
                    del sys.modules[loaded]


class CallFailed(Exception):
    """A call did not give a result. The text is one line for people; `story` is the traceback, where there is one."""

    def __init__(self, message: str, story: str = "", status: int = 1) -> None:
        self.story = story
        self.status = status  #: what a program that failed like this would exit with
        super().__init__(message)


def load(call: dict[str, Any], *, own_process: bool = False) -> Callable[..., Any]:
    """The function that a call (the JSON of `jobmon.wire.jobs.Call`) names.

    With `own_process` the script becomes `__main__`, as in a child of multiprocessing; without, nothing but the import
    path and the loaded modules change.

    Raises:
        CallFailed: the module cannot be imported, or has no such function.
    """
    _search(call.get("import_paths", ()), own_process)
    name = call["module"]
    try:
        target: Any = _script(name, own_process) if call.get("is_path") else import_module(name)
    except (Exception, SystemExit) as error:
        what = f"cannot load {name}: {type(error).__name__}: {error}"
        raise CallFailed(_one_line(what), _story(error)) from error
    for part in call["function"].split("."):
        try:
            target = getattr(target, part)
        except AttributeError as error:
            raise CallFailed(f"{name} has no {call['function']}") from error
    if not callable(target):
        raise CallFailed(f"{call['function']} of {name} is a {type(target).__name__}, which cannot be called")
    function: Callable[..., Any] = target
    return function


def _apply(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    return function(*args, **kwargs)


def run_call(call: dict[str, Any], *, own_process: bool = False, apply: Callable[..., Any] = _apply) -> str:
    """The JSON text of what the call returns. `sys.exit()` or `sys.exit(0)` inside it is a success without a result.

    Only the process that was asked returns from here: a copy of it that the call forked ends, however it comes back.
    `apply` is given the function once it is loaded, and its arguments, and calls it.

    Raises:
        CallFailed: the function cannot be found, raised, or returned what is not JSON or is above 64 kB of it.
    """
    asked = _getpid()
    try:
        text = _run(call, own_process, apply)
    except BaseException as error:
        if _getpid() != asked:
            _end_fork(error)
        raise
    if _getpid() != asked:
        _end_fork(None)
    return text


def _run(call: dict[str, Any], own_process: bool, apply: Callable[..., Any]) -> str:
    function = load(call, own_process=own_process)
    deepest = sys.getrecursionlimit()
    try:
        try:
            result = apply(function, values.restored(call.get("args", [])), values.restored(call.get("kwargs", {})))
        finally:
            sys.setrecursionlimit(deepest)  # what is left to do here needs some depth, too
    except SystemExit as error:
        if error.code in (None, 0):
            return "null"
        status = error.code & 255 if isinstance(error.code, int) else 1
        raise CallFailed(f"{call['function']} exited: {error.code}", _story(error), status or 1) from error
    except BaseException as error:
        text = _one_line(f"{type(error).__name__}: {error}")
        raise CallFailed(f"{call['function']} raised {text}", _story(error)) from error
    return _as_json(result, call["function"])


def _search(folders: Sequence[str], own_process: bool) -> None:
    """Look for modules as the script does: in these folders, in order, with the interpreter's own where "" stands."""
    named = [folder for folder in folders if folder]
    if named and own_process:
        setattr(sys.modules["__main__"], FOLDER, named[0])
    if all(folder in sys.path for folder in named):
        return
    own = [folder for folder in sys.path if folder not in named]
    at = list(folders).index("") if "" in folders else len(folders)
    sys.path[:] = [*folders[:at], *own, *folders[at + 1 :]]
    give_way(folder for folder in folders[:at] if folder)


def _end_fork(error: BaseException | None) -> NoReturn:
    """End this process, as a program would that ended here, without what its parent still has to clean up."""
    cause = error.__cause__ or error if error is not None else None
    if cause is not None:
        if not isinstance(cause, SystemExit):
            traceback.print_exception(cause)
        traceback.clear_frames(cause.__traceback__)  # so files that they have open are written to their end
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # nobody is left to be told
            stream.flush()
    _end_now(error.status if isinstance(error, CallFailed) else int(error is not None))


def _script(path: str, own_process: bool) -> types.ModuleType:
    real = os.path.realpath(path)
    for name in ("__main__", SCRIPT_NAME):
        module = sys.modules.get(name)
        if module is not None and os.path.realpath(getattr(module, "__file__", None) or "") == real:
            return module
    code = compile(Path(real).read_bytes(), path, "exec", dont_inherit=True)
    module = types.ModuleType(SCRIPT_NAME)
    module.__file__ = path
    setattr(module, LOADING, True)
    main = sys.modules["__main__"]
    sys.modules[SCRIPT_NAME] = module
    if own_process:
        sys.modules["__main__"] = module
    try:
        exec(code, module.__dict__)
    except BaseException:
        del sys.modules[SCRIPT_NAME]
        sys.modules["__main__"] = main
        raise
    delattr(module, LOADING)
    return module


def _as_json(result: Any, function: str) -> str:
    plain = values.Plain(values.MAX_RESULT_BYTES)
    taken = plain.take(result, "the result")
    if plain.problems:
        raise CallFailed(_one_line(f"{function} returned what is not JSON: {'; '.join(plain.problems)}"))
    text = _encode(taken)
    size = len(text.encode())
    if size > values.MAX_RESULT_BYTES:
        limit = values.MAX_RESULT_BYTES
        raise CallFailed(f"{function} returned {size} bytes of JSON; at most {limit} fit, so write a file")
    return text


def _story(error: BaseException) -> str:
    """The traceback without the frames of this package."""
    told = traceback.TracebackException.from_exception(error)
    told.stack = traceback.StackSummary.from_list(
        [frame for frame in told.stack if os.path.dirname(frame.filename) != _HERE]
    )
    return "".join(told.format())


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]


def answer(call: dict[str, Any], apply: Callable[..., Any] = _apply) -> dict[str, Any]:
    """What came of a call in a process of its own: `{"result": JSON text}` or `{"failed": line, "status": int}`.

    The traceback of a failure is written to stderr. For `apply` see `run_call`.

    Raises:
        OSError: its output cannot be written.
    """
    try:
        return {"result": run_call(call, own_process=True, apply=apply)}
    except CallFailed as failure:
        stream = _open(sys.stderr) or _open(sys.__stderr__)
        if stream is not None:
            print(failure.story or failure, file=stream)
        return {"failed": str(failure), "status": failure.status}
    finally:
        for stream in {id(one): one for one in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)}.values():
            if (usable := _open(stream)) is not None:
                usable.flush()


def _open(stream: Any) -> Any:
    """The stream, unless the call has closed it or put something else in its place."""
    return None if getattr(stream, "closed", True) else stream


def main(call_path: str, answer_path: str) -> int:
    """Run the call of one file, write its answer to another; the exit status."""
    done = answer(json.loads(Path(call_path).read_text("utf-8")))
    Path(answer_path).write_text(json.dumps(done), "ascii")
    return int(done.get("status", 0))


if __name__ == "__main__":
    if sys.path and sys.path[0] == str(Path(__file__).resolve().parent):
        del sys.path[0]  # this folder; a module of the user's may have the name of one of ours
    sys.exit(main(sys.argv[1], sys.argv[2]))
