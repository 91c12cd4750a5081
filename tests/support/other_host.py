"""A program: one workflow whose worker runs on the other of two hosts.

    python other_host.py DATA_FOLDER NAMESPACE CLUSTER_HOST COMMAND

It prints two lines of JSON: what it said of the server when it began, and what became of the job in the end.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import attrs
from messages import specs

from jobmon.client.reach import make_reachable
from jobmon.config import HostSettings, NamedExecutor
from jobmon.managers.job_instance_manager import JobInstanceManager
from jobmon.plugins import Absent, Accepted, Executor, Exited, Placement, Reason, Running
from jobmon.processes import identify
from jobmon.requester import connect
from jobmon.requester.endpoint import DataFolder
from jobmon.states.names import FINAL_JOB_STATES
from jobmon.wire import routes
from jobmon.wire.jobs import Command
from jobmon.wire.runs import (
    BeginRun,
    BindJobs,
    OpenRun,
    QueueJobs,
    ReadAttempts,
    ReadChanges,
    ReadJobs,
    RunContext,
)


@attrs.frozen
class Settings:
    namespace: str
    cluster: str


class OtherHost(Executor):
    """Its nodes are one network namespace."""

    name, api_version, settings_type, placement = "other-host", (1, 0), Settings, Placement.REMOTE

    def start(self, context):
        super().start(context)
        self.processes = {}

    def cluster_host(self):
        return self.settings.cluster

    def submit(self, *, requests):
        for request in requests:
            argv = ["ip", "netns", "exec", self.settings.namespace, *request.worker_argv]
            with self.context.output_path(token=request.token).open("wb") as out:
                process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            self.processes[request.token] = process
            yield request.token, Accepted(str(process.pid))

    def observe(self, *, submitted):
        return {s.token: self._seen(s.token) for s in submitted}

    def _seen(self, token):
        if token not in self.processes:
            return Absent(self.now())
        status = self.processes[token].poll()
        return Running() if status is None else Exited(status, Reason.EXIT_NONZERO if status else None)


def main(data: Path, namespace: str, cluster: str, shell: str) -> None:
    """Run it."""
    requester = connect(dict(os.environ) | {"JOBMON_DATA": str(data)}, patience_s=30)
    named = NamedExecutor("nodes", OtherHost, Settings(namespace, cluster), HostSettings(poll_max_s=0.5), False)
    said = list(make_reachable([named], requester))
    context = RunContext(str(data), {}, str(data / "logs"))
    opened = requester.call(routes.OPEN_RUN, OpenRun("w", None, 1, context, identify()))
    bound = specs(opened, 1, executor="nodes", command=Command(shell))
    requester.call(routes.BIND_JOBS, BindJobs(opened.run_id, bound))
    requester.call(routes.BEGIN_RUN, BeginRun(opened.run_id))
    requester.call(routes.QUEUE_JOBS, QueueJobs(opened.run_id, [opened.first_job_id]))
    manager = JobInstanceManager(opened.workflow_id, [named], requester=requester)
    manager.start()
    print(json.dumps({"said": said, "url": requester.url}), flush=True)
    seq = 0
    while requester.call(routes.JOBS, ReadJobs(opened.workflow_id)).jobs[0].state not in FINAL_JOB_STATES:
        poll = ReadChanges(opened.run_id, opened.workflow_id, seq, requester.database_id, 5.0)
        seq = requester.call(routes.CHANGES, poll).seq
    [job] = requester.call(routes.JOBS, ReadJobs(opened.workflow_id)).jobs
    attempts = requester.call(routes.ATTEMPTS, ReadAttempts(job.job_id)).attempts
    endpoint = DataFolder(data).endpoint()
    outside = [place.url for place in endpoint.outside] if endpoint else []
    tails = [attempt.stdout_tail for attempt in attempts]
    print(json.dumps({"state": str(job.state), "tails": tails, "outside": outside}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
