"""What the worker executes for a piece of work."""

import pytest

from jobmon.worker.command import LONGEST_ARGUMENT, bash, environment_of, find_program, plain_words


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("true", ["true"]),
        ("python3  -m  fit --country=Chad /data/a,b.csv", ["python3", "-m", "fit", "--country=Chad", "/data/a,b.csv"]),
        (" sleep 1 ", ["sleep", "1"]),
    ],
)
def test_plain_words_need_no_shell(shell: str, words: list[str]) -> None:
    assert words == plain_words(shell, {})


@pytest.mark.parametrize(
    "shell",
    [
        "echo hello",
        "A=1 env",
        "exit 3",
        "ls | wc",
        "ls > out",
        "ls *.csv",
        "cat ~/x",
        "run 'a b'",
        "run $X",
        "run a\nrun b",
        "run\ta",
        "run é",
        "time run",
        "",
        " ",
        "%1",
        "run {a,b}",
        "run #x",
        "run !x",
        "run a;run b",
        "[ -f x ]",
    ],
)
def test_whatever_means_something_to_bash_goes_to_bash(shell: str) -> None:
    assert plain_words(shell, {}) is None


def test_a_function_or_a_start_up_file_in_the_environment_goes_to_bash() -> None:
    assert plain_words("module load R", {b"BASH_FUNC_module%%": b"() { :; }"}) is None
    assert plain_words("run", {b"BASH_ENV": b"/etc/modules.sh"}) is None
    assert plain_words("run", {b"BASH_FUNC_module%%": b"() { :; }"}) == ["run"]


def test_a_command_too_long_for_an_argument_goes_through_a_file() -> None:
    longest = "x" * (LONGEST_ARGUMENT - 1)
    assert bash(longest) == (["bash", "-c", longest], None)
    assert bash(longest + "x") == (["bash", "/dev/fd/3"], longest + "x")
    assert bash("é" * LONGEST_ARGUMENT)[1] is not None  # bytes count, not characters


def test_the_commands_environment_is_the_workers_with_the_works_over_it_and_the_mark() -> None:
    inherited = b"PATH=/bin\0HOME=/h\0JOBMON_WORKER=jtoken\0JOBMON_TOKEN=secret of the user\0ODD\0EQ=a=b\0BYTES=\xff\0"
    environment = environment_of(inherited, {"PATH": "/opt/bin", "NEW": "é"}, "jtoken")
    assert environment == {
        b"PATH": b"/opt/bin",
        b"HOME": b"/h",
        b"EQ": b"a=b",
        b"BYTES": b"\xff",
        b"NEW": "é".encode(),
        b"JOBMON_ATTEMPT": b"jtoken",
    }


def test_programs_are_looked_for_along_the_commands_own_path() -> None:
    assert find_program("./run", {b"PATH": b"/bin"}, "/w") == ["./run"]
    assert find_program("run", {b"PATH": b"/opt:/bin::tools"}, "/w") == [
        "/opt/run",
        "/bin/run",
        "/w/./run",
        "/w/tools/run",
    ]
