"""Amounts as people write them; one that can only be a slip is asked about."""

import pytest

from jobmon.plugins import parse_memory


@pytest.mark.parametrize(
    ("written", "amount"),
    [("2G", 2 << 30), ("8Gi", 8 << 30), ("8GiB", 8 << 30), ("8 GB", 8 << 30), ("1.5 T", 3 << 39), ("512m", 512 << 20),
     (2 << 30, 2 << 30), ("2097152B", 2 << 20), ("1024K", 1 << 20)],
)  # fmt: skip
def test_amounts_with_units_are_read(written: object, amount: int) -> None:
    assert parse_memory(written) == amount  # type: ignore[arg-type]


@pytest.mark.parametrize("written", [4, 4.0, "4", "16", "4B"])
def test_a_few_bytes_are_asked_about(written: object) -> None:
    with pytest.raises(ValueError, match=r"bytes, which no process can run in; for gigabytes write '\d+(\.0)?G'"):
        parse_memory(written)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="4,096 bytes"):
        parse_memory("4K")


@pytest.mark.parametrize("written", ["", "0", -1, "1e3", "8i", "G", True, "lots", "nan", float("inf"), None, [8]])
def test_what_is_no_amount_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is not an amount such as 2G"):
        parse_memory(written)  # type: ignore[arg-type]
