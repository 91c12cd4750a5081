"""The accounting file is read from where it matters, followed, and read across its rotation."""

import gzip
import os
from pathlib import Path

import pytest
from jobmon_uge.accounting_file import AccountingFile

SAMPLE = (Path(__file__).parent / "samples" / "accounting.txt").read_text()
TEMPLATE = next(line for line in SAMPLE.splitlines() if ":exit99:55:" in line)
NOON_S = 1795339941
HEAD = "# Version: 8.1.9\n# \n"


def line(job, ended_s=NOON_S, name=None, task=0):
    part = TEMPLATE.split(":")
    part[4], part[5], part[35] = name or f"j{job:026d}-fit", str(job), str(task)
    part[8] = part[9] = part[10] = str(ended_s)
    return ":".join(part) + "\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "accounting"


def jobs(file, since_s=NOON_S):
    return sorted(int(job) for job, _ in file.records(since_s))


def test_records_of_jobmons_jobs_are_read_and_others_are_not(path):
    path.write_text(HEAD + line(1) + line(2, name="somebody") + line(3, task=7))
    assert list(AccountingFile(path).records(NOON_S)) == [("1", None), ("3", 7)]


def test_what_is_added_is_read_and_a_line_that_is_being_written_is_waited_for(path):
    path.write_text(HEAD + line(1))
    file = AccountingFile(path)
    assert jobs(file) == [1]
    with path.open("a") as more:
        more.write(line(2) + line(3)[:50])
    assert jobs(file) == [1, 2]
    with path.open("a") as more:
        more.write(line(3)[50:])
    assert jobs(file) == [1, 2, 3]


def test_a_job_that_ran_twice_has_both_records_in_order(path):
    path.write_text(line(1, NOON_S) + line(1, NOON_S + 5))
    assert [r.ended_s for r in AccountingFile(path).records(NOON_S)["1", None]] == [NOON_S, NOON_S + 5]


def test_a_long_file_is_read_from_near_its_end(path):
    path.write_text(HEAD + "".join(line(i, NOON_S + 60 * i) for i in range(20_000)))
    file = AccountingFile(path)
    found = jobs(file, NOON_S + 60 * 19_990)
    assert found[-1] == 19_999
    assert set(range(19_930, 20_000)) <= set(found)
    assert len(found) < 1000
    assert jobs(file, NOON_S) == list(range(20_000))


def test_a_file_that_was_moved_away_is_not_missed(path):
    path.write_text(HEAD + line(1))
    file = AccountingFile(path)
    assert jobs(file) == [1]
    with path.open("a") as more:
        more.write(line(2))
    path.rename(path.with_name("accounting.0"))
    path.write_text(HEAD + line(3))
    assert jobs(file) == [1, 2, 3]
    assert jobs(AccountingFile(path)) == [1, 2, 3]


def test_a_file_that_was_packed_is_read_if_it_is_not_too_old(path):
    packed, old = path.with_name("accounting-20261122.gz"), path.with_name("accounting.1.gz")
    with gzip.open(packed, "wt") as file:
        file.write(HEAD + line(1))
    with gzip.open(old, "wt") as file:
        file.write(line(2))
    os.utime(packed, (NOON_S, NOON_S))
    os.utime(old, (NOON_S - 90_000, NOON_S - 90_000))
    path.write_text(line(3))
    assert jobs(AccountingFile(path)) == [1, 3]


@pytest.mark.parametrize("content", [None, '{"job_number": 7}\n'])
def test_a_file_that_is_missing_or_of_another_form_is_no_answer(path, content):
    if content is not None:
        path.write_text(content)
    with pytest.raises(OSError):
        AccountingFile(path).records(NOON_S)
