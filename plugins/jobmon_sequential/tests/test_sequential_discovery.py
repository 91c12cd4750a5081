"""The installed distribution, as Jobmon finds it."""

from jobmon.plugins.registry import Registry


def test_the_type_is_found_by_its_entry_point_and_loads() -> None:
    registry = Registry()
    [installed] = [t for t in registry.installed() if t.name == "sequential"]
    assert installed.distribution == "jobmon-executor-sequential"
    assert registry.load("sequential").name == "sequential"
