"""Calls that leave something behind, each with the call after it that would notice."""

import attrs

_IMPORTS = """
import atexit, asyncio, builtins, contextvars, decimal, faulthandler, gc, itertools, json, locale, logging
import multiprocessing, os, random, resource, signal, socket, subprocess, sys, tempfile, threading, time, warnings
"""


@attrs.frozen
class Pair:
    """Source of the functions `leave` and `look` of one module."""

    what: str
    leave: str
    look: str
    above: str = ""

    @property
    def source(self) -> str:
        """The module."""
        return f"{_IMPORTS}\n{self.above}\ndef leave():\n    {self.leave}\ndef look():\n    {self.look}\n"


PAIRS = (
    Pair("nothing", "return 1", "return 2"),
    # Of the process.
    Pair("alarm", "signal.alarm(1)", "signal.sigtimedwait([], 1.2); return 'fine'"),
    Pair("timer", "signal.setitimer(signal.ITIMER_VIRTUAL, 0.05)", "return sum(i * i for i in range(3_000_000))"),
    Pair("umask", "os.umask(0o077)", "open('made', 'w').close(); return oct(os.stat('made').st_mode)"),
    Pair(
        "limit",
        "resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))",
        "return resource.getrlimit(resource.RLIMIT_NOFILE)",
    ),
    Pair(
        "soft limit",
        "resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))",
        "return resource.getrlimit(resource.RLIMIT_CORE)",
    ),
    Pair("handler", "signal.signal(signal.SIGTERM, signal.SIG_IGN)", "return str(signal.getsignal(signal.SIGTERM))"),
    Pair(
        "wakeup",
        "signal.set_wakeup_fd(socket.socketpair()[0].detach(), warn_on_full_buffer=False) if 0 else None",
        "return signal.set_wakeup_fd(-1)",
    ),
    Pair(
        "blocked signal",
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1]); signal.raise_signal(signal.SIGUSR1)",
        "return sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, [])))",
    ),
    Pair("priority", "os.nice(3)", "return os.nice(0)"),
    Pair(
        "processors", "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})", "return len(os.sched_getaffinity(0))"
    ),
    Pair("folder", "os.chdir('/')", "return os.path.basename(os.getcwd())"),
    Pair(
        "environment",
        "os.environ['LEFT'] = 'x'; del os.environ['HOME']",
        "return [os.environ.get('LEFT'), 'HOME' in os.environ]",
    ),
    Pair("patched os", "os.stat = os.getpid = sys.modules.get", "return os.stat('/').st_ino > 0"),
    Pair("another environ", "os.environ = {'LEFT': 'x'}", "return os.environ.get('LEFT')"),
    Pair("zone", "os.environ['TZ'] = 'Asia/Tokyo'; time.tzset()", "return list(time.tzname)"),
    Pair("standard input", "os.dup2(os.open(__file__, os.O_RDONLY), 0)", "return os.read(0, 5).decode()"),
    Pair("closed files", "os.close(0); os.close(1)", "print('hello'); return os.path.exists('/proc/self/fd/0')"),
    Pair("all files closed", "os.closerange(10, 100)", "return 1"),
    Pair("open file", "global F; F = open('o.txt', 'w'); F.write('x')", "return open('o.txt').read()"),
    Pair("file of the module", "F.write('y')", "return open('p.txt').read()", "F = open('p.txt', 'a')"),
    Pair(
        "child",
        "subprocess.Popen(['sleep', '77.7'])",
        "return subprocess.run(['pgrep', '-P', str(os.getpid()), 'sleep']).returncode",
    ),
    Pair("ended child", "subprocess.Popen(['true'])", "return len(subprocess._active)"),
    # Of the interpreter.
    Pair("depth", "sys.setrecursionlimit(60)", "return sys.getrecursionlimit()"),
    Pair("switching", "sys.setswitchinterval(1)", "return sys.getswitchinterval()"),
    Pair("digits", "sys.set_int_max_str_digits(1000)", "return len(str(10 ** 2000))"),
    Pair("path", "sys.path.insert(0, '/left'); sys.argv.append('x')", "return ['/left' in sys.path, len(sys.argv)]"),
    Pair("module taken away", "sys.modules['json'] = None", "import json; return json.dumps(1)"),
    Pair("module of its own", "sys.modules['left'] = type(sys)('left')", "return 'left' in sys.modules"),
    Pair(
        "streams",
        "sys.stdout = open(os.devnull, 'w'); sys.stderr = sys.stdout",
        "print('hello'); return sys.stdout.name",
    ),
    Pair("closed stream", "sys.stdout.close()", "print('hello'); return sys.stdout.closed"),
    Pair("stream settings", "sys.stdout.reconfigure(line_buffering=True)", "return sys.stdout.line_buffering"),
    Pair(
        "excepthook",
        "sys.excepthook = print; threading.excepthook = print",
        "return [sys.excepthook is sys.__excepthook__, threading.excepthook is threading.__excepthook__]",
    ),
    Pair(
        "trace",
        "sys.settrace(lambda *_: None); threading.setprofile(lambda *_: None)",
        "return [sys.gettrace() is None, threading.getprofile() is None]",
    ),
    Pair(
        "builtins",
        "builtins.sum = lambda *_: 'left'; builtins.left = 1",
        "return [sum([1, 2]), hasattr(builtins, 'left')]",
    ),
    Pair("patched library", "json.dumps = lambda *_: 'left'", "return json.dumps([])"),
    Pair("collector", "gc.disable(); gc.set_threshold(5)", "return [gc.isenabled(), gc.get_threshold()[0]]"),
    Pair("warnings", "warnings.simplefilter('error')", "warnings.warn('w'); return len(warnings.filters)"),
    Pair("shown warning", "warnings.warn('seen')", "warnings.warn('seen'); return 1"),
    Pair("faulthandler", "faulthandler.dump_traceback_later(0.3, exit=True)", "signal.sigtimedwait([], 0.5); return 1"),
    Pair("locale", "locale.setlocale(locale.LC_ALL, 'C.UTF-8')", "return locale.setlocale(locale.LC_NUMERIC)"),
    Pair("context", "V.set(2)", "return V.get()", "V = contextvars.ContextVar('V', default=1)"),
    Pair(
        "decimal",
        "decimal.getcontext().prec = 3; decimal.DefaultContext.prec = 4",
        "return [str(decimal.Decimal(1) / 3), decimal.Context().prec]",
    ),
    Pair(
        "random", "random.seed(1); random.random()", "return random.random() in (0.8474337369372327, 0.763774618976614)"
    ),
    Pair(
        "state of random",
        "random.setstate(random.Random(1).getstate())",
        "return random.random() == 0.13436424411240122",
    ),
    Pair(
        "half a pair of random",
        "random.seed(1); random.gauss(0, 1)",
        "return random.gauss(0, 1) == 1.449445608699771",
    ),
    Pair(
        "drawn while loaded",
        "open('drawn.txt', 'w').write(repr(X))",
        "return open('drawn.txt').read() == repr(X)",
        "X = random.random()",
    ),
    Pair("seeded module", "return random.random()", "return random.random()", "random.seed(3)"),
    # Of libraries.
    Pair(
        "logging",
        "logging.basicConfig(filename='one.log'); logging.warning('one')",
        "logging.basicConfig(filename='two.log'); logging.warning('two'); return open('two.log').read()",
    ),
    Pair(
        "levels",
        "logging.getLogger('a.b').setLevel(10); logging.disable(50)",
        "return [logging.getLogger('a.b').level, logging.root.manager.disable]",
    ),
    Pair(
        "start method",
        "multiprocessing.set_start_method('spawn')",
        "multiprocessing.set_start_method('fork'); return 1",
    ),
    Pair("socket", "socket.setdefaulttimeout(1)", "return socket.getdefaulttimeout()"),
    Pair("tempdir", "tempfile.tempdir = os.getcwd()", "return tempfile.gettempdir()"),
    Pair(
        "policy", "asyncio.set_event_loop(asyncio.new_event_loop())", "return asyncio.events._event_loop_policy is None"
    ),
    # What goes on.
    Pair(
        "thread",
        "threading.Thread(target=lambda: (time.sleep(0.3), print('late', flush=True)), daemon=True).start()",
        "time.sleep(0.5); return threading.active_count()",
    ),
    Pair(
        "thread that is waited for",
        "threading.Thread(target=lambda: (time.sleep(0.3), open('late', 'w').write('x'))).start()",
        "return os.path.exists('late')",
    ),
    Pair("function at exit", "atexit.register(lambda: open('bye', 'w').write('x'))", "return os.path.exists('bye')"),
    Pair(
        "temporary folder",
        "global T; T = tempfile.TemporaryDirectory(); open('t', 'w').write(T.name)",
        "return os.path.exists(open('t').read())",
    ),
    # Of the task's own modules.
    Pair("counter", "global N; N += 1", "return N", "N = 0"),
    Pair("cache", "C['a'] = 1", "return len(C)", "C = {}"),
    Pair("inner", "C['a'][0].append(1)", "return C['a']", "C = {'a': [[]]}"),
    Pair("default", "grow()", "return grow()", "def grow(into=[]):\n    into.append(1); return len(into)"),
    Pair(
        "closure",
        "step()",
        "return step()",
        "def make():\n    n = 0\n    def step():\n        nonlocal n; n += 1; return n\n    return step\nstep = make()",
    ),
    Pair("class", "K.n += 1", "return K.n", "class K: n = 0"),
    Pair("object", "K.n += 1", "return K.n", "class K: n = 0\nK = K()"),
    Pair("counted", "next(I)", "return next(I)", "I = itertools.count()"),
    Pair("generator of numbers", "return R.random()", "return R.random()", "R = random.Random(4)"),
    Pair("array", "A[0] = 1", "return A[0]", "A = bytearray(3)"),
    Pair(
        "environment of the module", "return os.environ['SET']", "return os.environ['SET']", "os.environ['SET'] = 'x'"
    ),
)
