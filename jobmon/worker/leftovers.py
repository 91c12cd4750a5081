"""What a Python call may leave behind in its interpreter, row by row: how it is read, and how it is put back.

A row of a module that nobody has imported costs nothing. Standard library only; loaded by path, as `warm` is.
"""

import _locale
import _signal
import _thread
import atexit
import faulthandler
import gc
import os
import random
import resource
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

_SIGNALS = sorted(map(int, _signal.valid_signals() - {_signal.SIGKILL, _signal.SIGSTOP}))
_LIMITS = sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")})
_TIMERS = (_signal.ITIMER_REAL, _signal.ITIMER_VIRTUAL, _signal.ITIMER_PROF)
#: How many functions these register with `atexit` when they are imported; they do nothing that the other rows miss.
_REGISTERING = {"logging": 1, "multiprocessing.util": 1, "concurrent.futures.process": 0}
_LAST_ERROR = ("last_type", "last_value", "last_traceback", "last_exc")
#: Given by `fresh` where the value that a module had when it was imported is not known: then it is the first one seen.
UNSET = object()
_RANDOM: Any = random.seed.__self__  # type: ignore[attr-defined]
_OPEN_FILES = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)


class Row(NamedTuple):
    """One thing that a call may leave. `read` and `put_back` are given the module; values are compared by `==`."""

    what: str
    read: Callable[[Any], Any]
    put_back: Callable[[Any, Any], object] | None = None  #: None: it cannot be
    module: str = "sys"
    fresh: Callable[[Any], Any] = lambda _: None  #: its value when the module has just been imported
    by_call: bool = True  #: False: libraries change it when they are imported, and lose little when it is put back
    renewed: bool = False  #: put back means made anew: the value is another one each time


# Of the process.


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _put_handlers(_: Any, handlers: list[Any]) -> None:
    for number, handler in zip(_SIGNALS, handlers, strict=True):
        if _signal.getsignal(number) != handler:
            _signal.signal(number, handler)


def _put_limits(_: Any, limits: list[tuple[int, int]]) -> None:
    for limit, wanted in zip(_LIMITS, limits, strict=True):
        if resource.getrlimit(limit) != wanted:
            resource.setrlimit(limit, wanted)


def _stop_timers(_: Any, __: Any) -> None:
    for timer in _TIMERS:
        _signal.setitimer(timer, 0)


def _descriptors() -> int:
    """How many are open: Linux tells it as the folder's size from 6.2 on."""
    return os.fstat(_OPEN_FILES).st_size or len(os.listdir("/proc/self/fd"))


def _stdin() -> tuple[int, int] | None:
    try:
        status = os.fstat(0)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _put_stdin(_: Any, __: Any) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    if null != 0:
        os.dup2(null, 0)
        os.close(null)


def _children() -> bool:
    """Whether this process has live children, adopted ones included; the others are reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


# Of the interpreter.


def _environment() -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = dict(os.environ._data)  # type: ignore[attr-defined]  # decoding it costs 50 us
    found.pop(b"JOBMON_ATTEMPT", None)
    return found


def _put_environment(wanted: dict[bytes, bytes]) -> None:
    now = _environment()
    for name in now.keys() - wanted.keys():
        del os.environb[name]
    for name, value in wanted.items():
        if now.get(name) != value:
            os.environb[name] = value


def _names(space: dict[str, Any], but: tuple[str, ...] = ()) -> dict[str, Any]:
    found = dict(space)
    for name in (*but, "__warningregistry__"):
        found.pop(name, None)
    return found


def put_names(space: dict[str, Any], wanted: dict[str, Any], but: tuple[str, ...] = ()) -> None:
    """Make these the names of a namespace, whatever it has of the names `but`."""
    for name in _names(space, but).keys() - wanted.keys():
        del space[name]
    space.update(wanted)


def _put_list(target: list[Any], wanted: tuple[Any, ...]) -> None:
    target[:] = wanted


def _streams(m: Any) -> list[Any]:
    return [
        [getattr(stream, name, None) for name in ("closed", "encoding", "errors", "line_buffering", "write_through")]
        for stream in (m.__stdin__, m.__stdout__, m.__stderr__)
    ]


def _bounds(m: Any) -> tuple[Any, ...]:
    digits, depth = m.get_int_max_str_digits(), m.get_coroutine_origin_tracking_depth()
    return m.getrecursionlimit(), m.getswitchinterval(), digits, depth, m.get_asyncgen_hooks()


def _put_bounds(m: Any, wanted: tuple[Any, ...]) -> None:
    m.setrecursionlimit(wanted[0])
    m.setswitchinterval(wanted[1])
    m.set_int_max_str_digits(wanted[2])
    m.set_coroutine_origin_tracking_depth(wanted[3])
    m.set_asyncgen_hooks(*wanted[4])


def _put_traces(m: Any, wanted: tuple[Any, ...]) -> None:
    m.settrace(wanted[0])
    m.setprofile(wanted[1])
    threading.settrace(wanted[2])
    threading.setprofile(wanted[3])


def _put_collector(_: Any, wanted: tuple[Any, ...]) -> None:
    (gc.enable if wanted[0] else gc.disable)()
    gc.set_threshold(*wanted[1])
    gc.set_debug(wanted[2])
    gc.callbacks[:] = wanted[3]


def _warnings(_: Any) -> tuple[Any, ...]:
    return warnings.filters, tuple(warnings.filters), _names(vars(warnings))


def _put_warnings(_: Any, wanted: tuple[Any, ...]) -> None:
    filters, content, names = wanted
    vars(warnings).update(names)
    filters[:] = content


def _exits() -> int:
    """How many functions run at exit that are of a call's making."""
    by_import = sum(n for module, n in _REGISTERING.items() if module in sys.modules)
    return atexit._ncallbacks() - by_import - bool(getattr(weakref.finalize, "_registered_with_atexit", False))


def _is_seeded() -> bool:
    """Whether somebody has chosen the state of `random`; to read the state itself costs 7 us.

    Whoever does sets `gauss_next` of the one instance, which then hides that of its class.
    """
    return "gauss_next" in vars(_RANDOM)


def seed_at_random() -> None:
    """Make the state of `random` one that nobody has chosen."""
    _RANDOM.seed()
    type(_RANDOM).gauss_next = vars(_RANDOM).pop("gauss_next")


def _put_zone(_: Any, __: Any) -> None:
    time.tzset()


# Of libraries, where they are imported.


def _logging(m: Any) -> tuple[Any, ...]:
    """What is not as it is without any configuration."""
    found = []
    for logger in (m.root, *m.root.manager.loggerDict.values()):
        if isinstance(logger, m.Logger):
            handlers = tuple(handler for handler in logger.handlers if type(handler) is not m.NullHandler)
            usual = m.WARNING if logger is m.root else m.NOTSET
            if handlers or logger.filters or logger.level != usual or not logger.propagate or logger.disabled:
                kept = (logger.level, handlers, tuple(logger.filters), logger.propagate, logger.disabled)
                found.append((logger, *kept))
    return m.root.manager.disable, found


def _put_logging(m: Any, wanted: tuple[Any, ...]) -> None:
    kept = {logger: settings for logger, *settings in wanted[1]}
    for logger, *_ in _logging(m)[1]:
        usual = m.WARNING if logger is m.root else m.NOTSET
        level, handlers, filters, propagate, disabled = kept.get(logger, (usual, (), (), True, False))
        for handler in logger.handlers[:]:
            if handler not in handlers and type(handler) is not m.NullHandler:
                logger.removeHandler(handler)
                handler.flush()
                handler.close()
        logger.handlers += [handler for handler in handlers if handler not in logger.handlers]
        logger.filters[:], logger.propagate, logger.disabled = filters, propagate, disabled
        logger.setLevel(level)
    m.disable(wanted[0])


def _numpy_random(m: Any) -> tuple[Any, ...]:
    """Whether somebody has seeded it, and its state."""
    seeded = getattr(m.mtrand._rand._bit_generator, "_seed_seq", None) is None
    name, keys, position, has_gauss, gauss = m.get_state(legacy=True)
    return seeded, name, keys.tobytes(), position, has_gauss, gauss


def _unseeded(m: Any) -> tuple[Any, ...]:
    return False, *_numpy_random(m)[1:]


def _put_numpy_random(m: Any, wanted: tuple[Any, ...]) -> None:
    if not wanted[0]:
        m.seed()
        return
    keys = m.mtrand._rand.get_state()[1].copy()
    keys[:] = memoryview(wanted[2]).cast("I")
    m.set_state((wanted[1], keys, *wanted[3:]))


def _rc(params: Any) -> dict[str, Any]:
    return {key: value for key, value in dict.items(params) if not key.startswith("back")}  # what draws is chosen once


def _is_set(name: str, module: str, value: Any = None) -> Row:
    """A name of a module that holds a setting."""
    return Row(
        f"{module}.{name}",
        lambda m: getattr(m, name, value),
        lambda m, wanted: setattr(m, name, wanted),
        module,
        lambda _: value,
    )


ROWS = (
    Row("timers", lambda _: [any(_signal.getitimer(timer)) for timer in _TIMERS], _stop_timers),
    Row("limits of Python", _bounds, _put_bounds),
    Row("traces", lambda m: (m.gettrace(), m.getprofile(), threading.gettrace(), threading.getprofile()), _put_traces),
    Row("handlers of signals", lambda _: list(map(_signal.getsignal, _SIGNALS)), _put_handlers),
    Row("blocked signals", lambda _: _signal.pthread_sigmask(_signal.SIG_BLOCK, ())),
    Row("umask", lambda _: _umask(), lambda _, wanted: os.umask(wanted)),
    Row("limits of the process", lambda _: list(map(resource.getrlimit, _LIMITS)), _put_limits),
    Row("priority", lambda _: os.getpriority(os.PRIO_PROCESS, 0)),
    Row("processors", lambda _: os.sched_getaffinity(0), lambda _, wanted: os.sched_setaffinity(0, wanted)),
    Row("user and groups", lambda _: (os.getresuid(), os.getresgid(), os.getgroups())),
    Row("names of sys", lambda m: _names(vars(m), _LAST_ERROR), lambda m, w: put_names(vars(m), w, _LAST_ERROR)),
    Row("sys.path", lambda m: tuple(m.path), lambda m, wanted: _put_list(m.path, wanted)),
    Row("sys.argv", lambda m: tuple(m.argv), lambda m, wanted: _put_list(m.argv, wanted)),
    Row("sys.meta_path", lambda m: tuple(m.meta_path), lambda m, wanted: _put_list(m.meta_path, wanted)),
    Row("sys.path_hooks", lambda m: tuple(m.path_hooks), lambda m, wanted: _put_list(m.path_hooks, wanted)),
    Row("standard streams", _streams),
    Row("os.environ", lambda _: id(os.environ)),
    Row("environment", lambda _: _environment(), lambda _, wanted: _put_environment(wanted)),
    Row("warnings", _warnings, _put_warnings, by_call=False),
    Row(
        "garbage collector",
        lambda _: (gc.isenabled(), gc.get_threshold(), gc.get_debug(), tuple(gc.callbacks)),
        _put_collector,
    ),
    Row("faulthandler", lambda _: faulthandler.is_enabled(), lambda _, __: faulthandler.enable()),
    Row("locale", lambda _: _locale.setlocale(_locale.LC_ALL), lambda _, w: _locale.setlocale(_locale.LC_ALL, w)),
    Row("time zone", lambda _: time.tzname, _put_zone),
    Row("random", lambda _: _is_seeded(), lambda _, __: seed_at_random(), by_call=False),
    Row("excepthook of threads", lambda _: threading.excepthook, lambda _, w: setattr(threading, "excepthook", w)),
    Row("stack of threads", lambda _: _thread.stack_size(), lambda _, wanted: _thread.stack_size(wanted)),
    _is_set("tempdir", "tempfile"),
    Row("time limit of sockets", lambda m: m.getdefaulttimeout(), lambda m, w: m.setdefaulttimeout(w), "socket"),
    Row("loggers", _logging, _put_logging, "logging", fresh=lambda _: (0, [])),
    Row("default context of decimal", lambda m: repr(m.DefaultContext), None, "decimal", lambda m: repr(m.Context())),
    Row(
        "start method",
        lambda m: m.get_start_method(allow_none=True),
        lambda m, wanted: m.set_start_method(wanted, force=True),
        "multiprocessing",
    ),
    Row("finalizers of processes", lambda m: len(m._finalizer_registry), None, "multiprocessing.util", lambda _: 0),
    _is_set("_event_loop_policy", "asyncio.events"),
    Row("numpy.random", _numpy_random, _put_numpy_random, "numpy.random", _unseeded, by_call=False, renewed=True),
    Row("numpy", lambda m: (m.geterr(), repr(m.get_printoptions())), None, "numpy", lambda _: UNSET),
    Row(
        "figures",
        lambda m: len(m.Gcf.figs),
        lambda m, _: m.Gcf.destroy_all(),
        "matplotlib._pylab_helpers",
        lambda _: 0,
    ),
    Row(
        "rcParams",
        lambda m: _rc(m.rcParams),
        lambda m, wanted: dict.update(m.rcParams, wanted),
        "matplotlib",
        lambda m: _rc(m.rcParamsOrig),
    ),
    # What keeps running or open; last, because what is put back closes some.
    Row("finalizers", lambda _: len(getattr(weakref.finalize, "_registry", ()))),
    Row("functions at exit", lambda _: (_exits(), len(getattr(threading, "_threading_atexits", ())))),
    Row("threads", lambda _: _thread._count()),
    Row("children", lambda _: _children()),
    Row("ended children", lambda m: len(m._active), lambda m, _: m._active.clear(), "subprocess", lambda _: 0),
    Row("standard input", lambda _: _stdin(), _put_stdin),
    Row("open files", lambda _: _descriptors(), lambda _, __: None),  # those of what was put back are closed by now
)
