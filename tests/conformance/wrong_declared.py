"""Wrong executors that declare, or are asked, what then does not happen."""

import os
from types import MappingProxyType

import attrs
from payloads import Payloads
from reference import Memory
from wrong_executors import fails

# What a command is run with


@fails("test_a_command_gets_its_environment_and_folder")
class DropsEmptyValues(Payloads):
    def environment(self, request):
        return os.environ | {name: value for name, value in request.environment.items() if value}


@fails("test_a_command_gets_its_environment_and_folder")
class StripsValues(Payloads):
    def environment(self, request):
        return os.environ | {name: value.strip() for name, value in request.environment.items()}


@fails("test_a_command_is_looked_for_along_its_path")
class KeepsItsOwnPath(Payloads):
    def environment(self, request):
        return super().environment(request) | {"PATH": os.environ["PATH"]}


@fails("test_the_workers_command_line_arrives_as_it_was_given")
class StripsArguments(Memory):
    def outcome(self, request):
        return super().outcome(attrs.evolve(request, worker_argv=tuple(one.strip() for one in request.worker_argv)))


# What the class declares


@fails("test_what_the_class_declares_is_of_the_declared_types")
class TakesAStatusForSuccess(Memory):
    exit_map = MappingProxyType({99: 0})


@fails("test_each_of_the_types_own_resources_reaches_the_platform")
class DropsItsOwnResources(Memory):
    def asked(self, resources):
        return {**super().asked(resources), "queue": "all"}


@fails("test_what_is_booked_or_enforced_reaches_the_platform")
class BooksOneCore(Memory):
    def asked(self, resources):
        return {**super().asked(resources), "cores": 1}


@fails("test_what_is_booked_or_enforced_reaches_the_platform")
@fails("test_an_enforced_resource_is_enforced")
class DropsTheRunTime(Memory):
    def asked(self, resources):
        return {**super().asked(resources), "runtime": None}


@fails("test_an_enforced_resource_is_enforced")
class TakesSecondsForMinutes(Memory):
    def asked(self, resources):
        return {**super().asked(resources), "runtime": resources.runtime and resources.runtime * 60}


@fails("test_an_enforced_resource_is_enforced")
class AsksForMemoryInKilobytes(Memory):
    def asked(self, resources):
        return {**super().asked(resources), "memory": resources.memory and resources.memory // 1024}


# What an attempt used


@fails("test_usage_is_what_known_work_used")
class TellsMilliseconds(Memory):
    def end(self, row):
        return attrs.evolve(super().end(row), usage={**row.used, "wall_s": row.used["wall_s"] * 1000})


@fails("test_usage_is_what_known_work_used")
class TellsMinutes(Memory):
    def end(self, row):
        return attrs.evolve(super().end(row), usage={**row.used, "cpu_s": row.used["cpu_s"] / 60})


@fails("test_usage_is_what_known_work_used")
class TellsKilobytes(Memory):
    def end(self, row):
        return attrs.evolve(super().end(row), usage={**row.used, "max_rss_bytes": row.used["max_rss_bytes"] / 1024})


@fails("test_usage_is_what_known_work_used")
class TellsTheSameOfAll(Memory):
    def end(self, row):
        return attrs.evolve(super().end(row), usage={"wall_s": 1.0})
