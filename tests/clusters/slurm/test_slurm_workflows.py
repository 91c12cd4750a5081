"""Whole workflows on the real Slurm: client, server, manager, workers."""

import os
import signal

from slurm_daemons import said
from slurm_user import SlurmUser
from users import until

SMALL = {"memory": "64M"}
DONE = ("DONE", None, 0)
#: Takes long the first time that it is run.
ONCE = "[ -e again ] || { touch again; sleep 300; }"
EATS = "python3 -c 'x = bytearray(600 << 20)'"


def test_many_tasks_are_one_array_and_are_done(user: SlurmUser) -> None:
    said = user.finish(user.submit([(f"t{i}", "true", SMALL) for i in range(40)]))
    assert "it ended as DONE" in said
    assert user.recorded.n_in("DONE") == 40
    assert max(user.starts().values()) == 1
    assert len(user.jobs()) <= 6, "many tasks are few submissions"
    assert user.calls()["sbatch"] == len(user.jobs())
    assert all("_" in one for one in user.ids()[1:]), "members of arrays have ids of their own"
    assert user.recorded.flaws() == []


def test_every_exit_status_is_recorded_as_it_was(user: SlurmUser) -> None:
    statuses = (1, 3, 75, 99, 127, 128, 129, 137, 200, 255)
    user.finish(user.submit([(f"exit{n}", f"exit {n}", SMALL) for n in statuses]))
    for status in statuses:
        assert user.ends()[f"exit{status}"] == [("ERROR", "EXIT_NONZERO", status)] * 2
    assert user.starts() == {f"exit{n}": 2 for n in statuses}


def test_members_of_an_array_fail_and_are_retried_each_for_itself(user: SlurmUser) -> None:
    once = "[ -e {0} ] || {{ touch {0}; exit 4; }}"
    user.finish(user.submit([(f"m{i}", once.format(f"m{i}.once") if i % 3 == 0 else "true", SMALL) for i in range(12)]))
    assert user.recorded.n_in("DONE") == 12
    assert user.starts() == {f"m{i}": 2 if i % 3 == 0 else 1 for i in range(12)}
    assert user.recorded.charged() == {f"m{i}": 1 for i in range(0, 12, 3)}


def test_what_takes_more_memory_than_it_asked_for_is_out_of_memory(user: SlurmUser) -> None:
    user.finish(user.submit([("hungry", EATS, SMALL), ("modest", "true", SMALL)]))
    assert user.ends()["hungry"][0][:2] == ("RESOURCE_ERROR", "OUT_OF_MEMORY")
    assert user.ends()["modest"] == [DONE]


def test_what_runs_longer_than_it_asked_for_is_a_time_out(user: SlurmUser) -> None:
    user.finish(user.submit([("long", ONCE, SMALL | {"runtime": "30s"})]), 180)
    assert user.ends() == {"long": [("RESOURCE_ERROR", "TIMEOUT", None), DONE]}


def test_a_job_that_its_own_user_cancels_is_cancelled_and_says_so(user: SlurmUser) -> None:
    client = user.submit([("one", ONCE, SMALL), ("other", "sleep 5", SMALL)])
    user.until_running(2)
    until(lambda: (user.folder / "again").exists(), "the command runs")
    [number] = user.ids_of("one")
    said("scancel", number)
    shown = user.finish(client)
    assert "it ended as ERROR" in shown
    assert "CANCELLED_BY_USER" in shown
    assert user.ends() == {"one": [("CANCELLED", "CANCELLED_BY_USER", None)], "other": [DONE]}
    assert any("CANCELLED by 0" in detail for detail in user.details()), "who it was"
    assert user.recorded.n_in("CANCELLED") == 1
    user.finish(user.start("script.py", "--resume"))
    assert user.recorded.done() == {"one", "other"}


def test_a_job_that_its_own_user_cancels_is_tried_again_uncharged_where_that_is_wished(user: SlurmUser) -> None:
    user.configure(host="retry_cancelled = true")
    client = user.submit([("one", ONCE, SMALL)])
    until(lambda: (user.folder / "again").exists(), "the command runs")
    said("scancel", user.ids_of("one")[0])
    user.finish(client)
    assert user.ends() == {"one": [("CANCELLED", "CANCELLED", None), DONE]}
    assert user.recorded.charged() == {}


def test_a_pending_job_that_its_own_user_cancels_is_cancelled(user: SlurmUser) -> None:
    user.configure(settings="hold = true")
    client = user.submit([("one", "true", SMALL)])
    said("scancel", until(lambda: user.ids(), "it is submitted")[0])
    assert "it ended as ERROR" in user.finish(client)
    assert user.ends() == {"one": [("CANCELLED", "CANCELLED_BY_USER", None)]}
    assert user.starts() == {}


def test_a_worker_killed_by_force_loses_its_attempt_and_not_the_job(user: SlurmUser) -> None:
    client = user.submit([("victim", ONCE, SMALL)])
    until(lambda: (user.folder / "again").exists(), "the command runs")
    os.kill(until(lambda: list(user.workers()), "its worker runs")[0], signal.SIGKILL)
    user.finish(client)
    assert user.starts() == {"victim": 2}
    assert user.ends()["victim"] == [("UNKNOWN_ERROR", "LOST", None), DONE]
    assert user.recorded.charged() == {}


def test_a_command_killed_by_force_is_signalled(user: SlurmUser) -> None:
    client = user.submit([("victim", "[ -e again ] || { touch again; exec sleep 300; }", SMALL)])
    user.until_running()
    worker = until(lambda: list(user.workers()), "its worker runs")[0]
    until(lambda: (user.folder / "again").exists(), "the command runs")
    os.kill(user.child_of(worker), signal.SIGKILL)
    user.finish(client)
    assert user.ends()["victim"] == [("ERROR", "SIGNALLED", None), DONE]


def test_what_the_partition_can_never_run_is_refused_in_a_sentence(user: SlurmUser) -> None:
    said = user.finish(
        user.submit(
            [
                ("cores", "true", {"cores": 99, "slurm": {"partition": "debug"}}),
                ("memory", "true", {"memory": "900G", "slurm": {"partition": "debug"}}),
                ("long", "true", {"runtime": "2h", "slurm": {"partition": "short"}}),
                ("nowhere", "true", {"slurm": {"partition": "nosuch"}}),
                ("good", "true", SMALL),
            ]
        )
    )
    assert "it ended as ERROR" in said
    assert user.starts() == {"good": 1}
    details = "\n".join(user.details())
    assert "99 cores are more than the 16 of a node of partition debug" in details
    assert "MiB of memory are more than the 65536" in details
    assert "runtime of 7200 s is above the 300 s that partition short allows" in details
    assert "invalid partition specified: nosuch" in details
    assert user.recorded.flaws() == []


def test_a_bad_output_folder_loses_no_job(user: SlurmUser) -> None:
    user.configure(settings="hold = true")
    client = user.submit([("held", "true", SMALL)])
    number = until(lambda: user.ids(), "it is submitted")[0]
    [folder] = (user.data / "managers").glob("*/*/platform")
    folder.rename(folder.with_name("away"))
    said("scontrol", "release", number)
    until(lambda: user.ends()["held"][0][1], "Slurm could not set it up")
    folder.with_name("away").rename(folder)
    again = until(lambda: user.ids()[1:], "it is submitted again")[0]
    said("scontrol", "release", again)
    user.finish(client)
    assert user.starts() == {"held": 1}
    assert user.recorded.charged() == {}
    assert any("could not be set up" in detail for detail in user.details())


def test_module_works_in_jobs_as_it_does_where_the_run_began(user: SlurmUser) -> None:
    user.environ |= {"BASH_FUNC_module%%": '() {  echo "$1 $2 from $MODULEPATH" >> seen\n}', "MODULEPATH": "/m"}
    user.finish(user.submit([("plain", "module load samtools", SMALL)]))
    assert (user.folder / "seen").read_text() == "load samtools from /m\n"
