"""Wrong executors: what the class declares, its small methods, and what is left to write."""

from pathlib import Path
from types import MappingProxyType

from reference import Memory
from wrong_executors import fails

from jobmon.plugins import Support


@fails("test_what_the_class_declares_is_of_the_declared_types")
class DeclaresAnUnknownResource(Memory):
    core_resources = MappingProxyType({"ram": Support.BOOKED})


@fails("test_what_the_class_declares_is_of_the_declared_types")
class DeclaresAnExitStatusThatCannotBe(Memory):
    exit_map = MappingProxyType({99: 256})


@fails("test_the_methods_take_their_arguments_by_keyword")
class TakesPositions(Memory):
    def observe(self, submitted):
        return super().observe(submitted=submitted)


@fails("test_the_constructor_does_no_work")
class WorksInTheConstructor(Memory):
    def __init__(self, settings):
        super().__init__(settings)
        Path("/proc/self/status").read_text()


@fails("test_the_running_limit_is_none_or_a_whole_number_of_one_or_more")
class LimitsWithAText(Memory):
    def running_limit(self):
        return 8.0


@fails("test_the_running_limit_is_none_or_a_whole_number_of_one_or_more")
class LimitsWithNought(Memory):
    def running_limit(self):
        return 0


@fails("test_the_host_of_the_cluster_is_none_or_a_name")
class TellsItsHostWithAPort(Memory):
    def cluster_host(self):
        return ("localhost", 6444)


@fails("test_the_host_of_the_cluster_is_none_or_a_name")
class TellsItsHostWithTheLinesEnd(Memory):
    def cluster_host(self):
        return "localhost\n"


@fails("test_resources_are_checked_without_start_in_sentences")
class ChecksResourcesInOneText(Memory):
    def check_resources(self, *, resources):
        return "no node has so many cores" if resources.cores > 1000 else []


@fails("test_resources_are_checked_without_start_in_sentences")
class ChecksResourcesWithItsContext(Memory):
    def check_resources(self, *, resources):
        return [] if self.context.log_folder.exists() else ["no folder"]


# What is left to write


@fails("test_submit_is_written")
class LeavesSubmitToWrite(Memory):
    def submit(self, *, requests):
        raise NotImplementedError("submit: yield Accepted(id) for each request")


@fails("test_observe_is_written")
class LeavesObserveToWrite(Memory):
    def observe(self, *, submitted):
        raise NotImplementedError("observe: look at the list of jobs")


@fails("test_cancel_is_written")
class LeavesCancelToWrite(Memory):
    def cancel(self, *, submitted):
        raise NotImplementedError("cancel: kill each")


@fails("test_find_is_written_or_left_to_the_base_class")
class LeavesFindToWrite(Memory):
    def find(self, *, submissions):
        raise NotImplementedError("find: look at the list of names")
