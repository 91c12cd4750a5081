"""Multiprocess keeps the contract, with a real agent, against a stand-in for the server's worker routes."""

import json
import os
import signal
from collections.abc import Sequence

from jobmon_multiprocess import Multiprocess, Settings
from jobmon_multiprocess.agent import Agent, Reply

from jobmon.plugins import Executor, SubmitRequest
from jobmon.testing import ExecutorConformance, LocalPlatform, World, does_not_apply
from jobmon.testing.worker_server import USER_TOKEN, WorkerServer


class AgentPlatform(LocalPlatform):
    """The agent of one state folder, its line to the executor, and the server that it talks to."""

    runtime_s = 6.0

    def __init__(self) -> None:
        self._server = WorkerServer()
        self._executors: list[Executor] = []
        self._away = False
        self._lost = 0
        self._accepted: set[str] = set()
        self._orders: dict[str, str] = {}

    def attach(self, world: World) -> None:
        super().attach(world)
        self._server.listen()
        self._environ = {name: os.environ.get(name) for name in ("JOBMON_SERVER", "JOBMON_TOKEN")}
        os.environ.update(JOBMON_SERVER=self._server.url, JOBMON_TOKEN=USER_TOKEN)
        self._exchange = Agent._exchange
        Agent._exchange = lambda agent, line: self._exchanged(agent, line)

    def _exchanged(self, agent: Agent, line: bytes) -> Reply:
        if self._away:
            raise ConnectionRefusedError("the kit has cut the line")
        for order in json.loads(line).get("submit", []):
            self._orders[order["token"]] = json.dumps(order)
        reply = self._exchange(agent, line)
        self._accepted.update(reply.accepted)
        if self._lost:
            self._lost -= 1
            raise TimeoutError("the kit keeps the reply back")
        return reply

    def adopt(self, executor: Executor) -> None:
        self._executors.append(executor)

    def prepare(self, request: SubmitRequest) -> None:
        super().prepare(request)
        self._server.give(request.token, self.world.folder, argv=list(request.worker_argv))

    def close(self) -> None:
        self.world.stand_ins.close()
        Agent._exchange = self._exchange
        self._end_agent(signal.SIGTERM)
        self._server.shut()
        for name, value in self._environ.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

    def _end_agent(self, how: signal.Signals) -> None:
        agents = [executor._agent for executor in self._executors if executor._agent is not None]
        for process in [agent._process for agent in agents if agent._process is not None]:
            if process.poll() is None:
                process.send_signal(how)
                process.wait(30)

    def job_names(self) -> list[str]:
        started = self.world.stand_ins.starts()
        return started + sorted(self._accepted - set(started))

    def given(self, executor_job_id: str) -> str:
        return self._orders[self.world.token_of(executor_job_id)]

    def take(self, executor_job_id: str, resource: str, amount: float) -> None:
        """Nothing: its worker goes on, and so takes more run time by itself."""

    def refuse(self) -> None:
        does_not_apply("the agent refuses nothing for good")

    def refuse_one(self, token: str) -> None:
        does_not_apply("the agent refuses nothing for good")

    def hold_back(self, executor_job_id: str, why: str) -> None:
        does_not_apply("the agent lets an attempt wait for a free worker alone; the tests of the plugin have that")

    def refuse_cancel(self, executor_job_id: str) -> None:
        does_not_apply("the agent ends whatever it is asked to end")

    def cancel_slowly(self) -> None:
        does_not_apply("how an attempt ended is told by the agent to the server")

    def down(self) -> None:
        self._away = True

    def up(self) -> None:
        self._away = False

    def accept_then_time_out(self) -> None:
        self._lost = 2  # a question is put twice

    def accept_then_fail(self) -> None:
        does_not_apply("the agent's reply to an order says what it took, and an error only where it took none")

    def empty_answer(self) -> None:
        does_not_apply("the agent is asked for tokens: it lists nothing")

    def strangers(self, names: Sequence[str]) -> None:
        does_not_apply("the agent is its executor's alone, and knows attempts by their tokens")

    def half_answer(self) -> None:
        does_not_apply("a reply is one line: it comes whole or not")

    def forget(self, executor_job_id: str) -> None:
        does_not_apply("the agent forgets nothing before the server knows how it ended")

    def recycle(self, executor_job_id: str) -> str:
        does_not_apply("an id holds the token")

    def restart_host(self) -> None:
        # What has not begun is taken up by the next agent, and only what ran is lost.
        self.world.until(lambda: self._accepted <= set(self.world.stand_ins.starts()), "all that was accepted runs")
        self._end_agent(signal.SIGKILL)


class TestMultiprocess(ExecutorConformance):
    executor_type = Multiprocess
    real_platform = True
    claims = "gold"
    settings = Settings(workers=8)
    platform_type = AgentPlatform
    complete = True
    tells_reasons = False
    many = 200
    lives = 2
    shrinks = False
