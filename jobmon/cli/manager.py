"""`jobmon manager`: serve executors from this host."""

import os
from pathlib import Path

import click


@click.command(short_help="Serve executors from this host.")
@click.option("--workflow", type=int, metavar="ID", help="The id of the workflow; every workflow when not given.")
@click.option("--ahead", is_flag=True, hidden=True)  # as a client starts it: see jobmon.managers.ahead
@click.option(
    "--executor", "names", multiple=True, required=True, metavar="NAME", help="An executor to serve; repeat for more."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=".",
    help="The folder from which the project's jobmon.toml is looked for, upward.",
)
def manager(workflow: int | None, ahead: bool, names: tuple[str, ...], folder: Path) -> int:
    """Serve executors of a workflow until it needs no manager any more; or of every workflow of the server, until told
    to end.

    A workflow starts its own manager; this is for executors that another host must serve. Without a workflow, scripts
    may use the executors by name without having their plugins: the server knows them while this runs. The newest
    manager of an executor takes the place of an older one.
    """
    from jobmon.config import load_config, resolve
    from jobmon.managers.ahead import await_workflow
    from jobmon.managers.main import DONE, run_manager
    from jobmon.plugins.registry import Registry
    from jobmon.requester import connect
    from jobmon.wire import routes
    from jobmon.wire.runs import ReadWorkflow

    config = load_config(folder.absolute(), os.environ)
    registry = Registry()
    served = [resolve(name, config, registry) for name in dict.fromkeys(names)]
    if ahead and (workflow := await_workflow()) is None:
        return DONE
    requester = connect(os.environ, port=config.server.port)
    if workflow is not None and not ahead:
        requester.call(routes.WORKFLOW, ReadWorkflow(workflow))  # refused, in words, when there is none
    return run_manager(workflow, served, requester)
