"""Wrong executors that put what is secret where others can read it."""

import json
import os
from pathlib import Path

import attrs
from reference import Memory
from wrong_executors import fails


@fails("test_no_secret_stands_on_a_command_line")
class ExportsOnTheCommandLine(Memory):
    def outcome(self, request):
        self.run(["true", *(f"--export={name}={value}" for name, value in request.environment.items())])
        return super().outcome(request)


@fails("test_no_secret_stands_on_a_command_line")
class NamesJobsAfterTheirEnvironment(Memory):
    def outcome(self, request):
        values = "-".join(request.environment.values())
        return super().outcome(attrs.evolve(request, job_name=f"{request.token}-{values}"))


@fails("test_no_secret_stands_in_a_file_that_others_can_read")
class WritesAScriptForAll(Memory):
    def outcome(self, request):
        lines = [f"export {name}={value}\n" for name, value in request.environment.items()]
        Path(request.cwd, f"{request.token}.sh").write_text("".join(lines))
        return super().outcome(request)


@fails("test_no_secret_stands_in_a_file_that_others_can_read")
class KeepsTheManagersEnvironment(Memory):
    def outcome(self, request):
        path = Path(request.stdout).parent / "environment.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(dict(os.environ)))
        return super().outcome(request)
