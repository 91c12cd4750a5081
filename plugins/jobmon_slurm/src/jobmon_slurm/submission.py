"""sbatch: its command line, the script that it is given, and what its answer means. Pure."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

from jobmon.plugins import Accepted, Completed, Deferred, Outcome, Rejected, Resources, Uncertain
from jobmon_slurm.settings import Settings, SlurmResources, wishes

#: The worker's command line comes as arguments of the script, so no text of ours or the user's is read by a shell.
SCRIPT = '#!/bin/sh\nexec "$@"\n'
ARRAY_SCRIPT = '#!/bin/sh\nexec "$@" "$SLURM_ARRAY_TASK_ID"\n'
#: sbatch reads a script without a name from standard input, but then takes no arguments for it.
_SCRIPT_FILE = "/dev/stdin"
_MEBI = 1 << 20

#: The request never reached the controller, or the controller refused it for the moment.
_NOT_NOW = re.compile(
    r"controller \(connect failure\)|Slurm temporarily unable to accept job|standby mode|partition not available"
    r"|Required node not available|Requested nodes are busy|Invalid authentication credential"
    r"|Munge encode failed|Unable to establish configuration source",
    re.IGNORECASE,
)
#: Words of a conversation that broke off: the controller may have heard all of it.
_BROKEN_OFF = re.compile(
    r"timed out|zero bytes|(receive|send|shutdown) failure|transport|connection|unexpected|insane message|decode"
    r"|authentication error|unspecified error|no error|communication",
    re.IGNORECASE,
)
_ANSWER = re.compile(r"^sbatch: (error|unrecognized|invalid|fatal|option)", re.MULTILINE | re.IGNORECASE)
#: Limits on how many jobs somebody may have in the queue: they go away as jobs end.
_TOO_MANY = re.compile(r"Max\w*SubmitJob|Grp\w*SubmitJob|job submit limit", re.IGNORECASE)
#: Limits on what one job may ask for, which Slurm tells by the same sentence as the former.
_TOO_LARGE = re.compile(r"(QOS|Assoc)\w*(Wall|Cpu|CPU|Node|Mem|TRES|Gres|GRES)\w*")
_ARRAY = re.compile(r"Invalid job array specification|array is too large", re.IGNORECASE)
_UNREACHED_S, _QUEUE_FULL_S = 15.0, 5.0


def sbatch_argv(
    settings: Settings, resources: Resources, job_name: str, output: Path, worker_argv: Sequence[str], members: int = 0
) -> list[str]:
    """The command line of one submission, without the program; an array, if there are members."""
    running = f"%{settings.array_running}" if settings.array_running else ""
    return [
        *wanted(settings, wishes(settings, resources.own)),
        "--parsable",
        f"--job-name={job_name}",
        *([f"--array=1-{members}{running}"] if members else []),
        *asked(settings, resources, wishes(settings, resources.own)),
        "--no-requeue",
        "--export=ALL",  # of an environment made for it: any other word has Slurm start a login shell for each job
        f"--chdir={output.parent}",
        f"--output={str(output.parent).replace('%', '%%')}/{output.name}",  # whose name may have `%a`, a member's index
        "--open-mode=append",
        _SCRIPT_FILE,
        *worker_argv,
    ]


def wanted(settings: Settings, wish: SlurmResources) -> list[str]:
    """The options of sbatch that say where and on whose account; the native ones first, so that ours win."""
    words = {name: getattr(wish, name) for name in ("partition", "account", "qos", "constraint", "reservation")}
    return [
        *wish.options,
        *([f"--clusters={settings.cluster}"] if settings.cluster else []),
        *[f"--{name}={word}" for name, word in words.items() if word],
        *(["--exclusive"] if wish.whole_nodes else []),
        *(["--hold"] if wish.hold else []),
    ]


def asked(settings: Settings, resources: Resources, wish: SlurmResources) -> list[str]:
    """The options of sbatch that ask for resources. Slurm counts run time in whole minutes, memory in MiB."""
    options = ["--nodes=1", "--ntasks=1", f"--cpus-per-task={resources.cores}"]
    if resources.memory is not None:
        per = resources.cores if settings.memory_option == "mem-per-cpu" else 1
        options.append(f"--{settings.memory_option}={math.ceil(resources.memory / per / _MEBI)}M")
    if resources.runtime is not None:
        options.append(f"--time={math.ceil(resources.runtime / 60)}")
    if resources.gpus:
        gpus = f"{wish.gpu_type}:{resources.gpus}" if wish.gpu_type else str(resources.gpus)
        options.append(f"--gres=gpu:{gpus}" if settings.gpu_option == "gres" else f"--gpus={gpus}")
    return options


def outcome(done: Completed) -> Outcome:
    """What came of it. Only what cannot have arrived is Rejected or Deferred; what is not understood is Uncertain."""
    said = (done.stderr.strip() or done.stdout.strip()) or "nothing"
    if done.timed_out:
        return Uncertain(f"sbatch gave no answer in time; it said: {said}")
    if done.ok:
        number = job_number(done.stdout)
        return (
            Uncertain(f"sbatch succeeded without the job's id; it said: {said}") if number is None else Accepted(number)
        )
    if _NOT_NOW.search(said) and not re.search("decode", said, re.IGNORECASE):
        return Deferred(said, _UNREACHED_S)
    if _TOO_MANY.search(said) and not _TOO_LARGE.search(said.replace("SubmitJob", "")):
        return Deferred(said, _QUEUE_FULL_S)
    if _ANSWER.search(said) and not _BROKEN_OFF.search(said):
        return Rejected(said)
    return Uncertain(f"sbatch exited with {done.status}; it said: {said}")


def job_number(stdout: str) -> str | None:
    """The number in what `sbatch --parsable` prints: `12` or `12;cluster`, the last such line; None: there is none."""
    found = re.findall(r"^([0-9]+)(?:;[^\s;]+)?$", stdout, re.MULTILINE)
    return found[-1] if found else None


def array_refused(outcome: Outcome) -> bool:
    """Whether Slurm takes no array of that size."""
    return isinstance(outcome, Rejected) and _ARRAY.search(outcome.why) is not None


def queue_full(outcome: Outcome) -> bool:
    """Whether there would be too many jobs in the queue."""
    return isinstance(outcome, Deferred) and _TOO_MANY.search(outcome.why) is not None
