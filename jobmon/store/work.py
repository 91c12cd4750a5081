"""For which executors of which workflows there is work, over the whole database."""

import sqlalchemy as sa

from jobmon.states.names import FINAL_INSTANCE_STATES, JobState
from jobmon.store.connection import Connection
from jobmon.store.schema import job, job_instance

# The very words of the partial indexes: SQLite uses such an index only for a query that says the same.
_IS_QUEUED = sa.text(f"state = '{JobState.QUEUED_FOR_INSTANTIATION}'")
_IS_LIVE = sa.text(
    "state NOT IN (" + ", ".join(f"'{state}'" for state in sorted(map(str, FINAL_INSTANCE_STATES))) + ")"
)
_WORK = sa.union(
    sa.select(job.c.workflow_id, job.c.executor).where(_IS_QUEUED).distinct(),
    sa.select(job_instance.c.workflow_id, job_instance.c.executor).where(_IS_LIVE).distinct(),
)


def with_work(connection: Connection) -> list[tuple[int, str]]:
    """Workflows and executors that jobs are queued for or live on."""
    return sorted((int(row[0]), str(row[1])) for row in connection.execute(_WORK))
