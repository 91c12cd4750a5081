"""The first schema. Edited in place until the first release; a test holds it equal to jobmon.store.schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('answer',
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('at', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('key'),
    sqlite_with_rowid=False
    )
    op.create_table('history_group',
    sa.Column('workflow_id', sa.Integer(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('at', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('entities', sa.Text(), nullable=False),
    sa.Column('events', sa.Text(), nullable=False),
    sa.Column('from_state', sa.Text(), nullable=False),
    sa.Column('via', sa.Text(), nullable=True),
    sa.Column('to_state', sa.Text(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('workflow_id', 'seq'),
    sqlite_with_rowid=False
    )
    op.execute(
        """
CREATE VIEW history AS
SELECT workflow_id, seq, at, kind, entity.value AS entity_id, events, from_state, via, to_state, attempt, reason, detail
FROM history_group, json_each(history_group.entities) AS entity
"""
    )
    op.create_table('instance_report',
    sa.Column('token', sa.Text(), nullable=False),
    sa.Column('host', sa.Text(), nullable=True),
    sa.Column('usage', sa.Text(), nullable=False),
    sa.Column('stdout_tail', sa.Text(), nullable=True),
    sa.Column('stderr_tail', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('token')
    )
    op.create_table('job_result',
    sa.Column('job_id', sa.Integer(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('job_id')
    )
    op.create_table('job_spec',
    sa.Column('job_id', sa.Integer(), nullable=False),
    sa.Column('workflow_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('upstream', sa.Text(), nullable=False),
    sa.Column('resources', sa.Text(), nullable=False),
    sa.Column('payload', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('job_id'),
    sa.UniqueConstraint('workflow_id', 'name', name='one_job_per_name')
    )
    op.create_table('lease',
    sa.Column('workflow_id', sa.Integer(), nullable=False),
    sa.Column('executor', sa.Text(), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('released', sa.Boolean(), nullable=False),
    sa.Column('manager', sa.Text(), nullable=False),
    sa.Column('registration', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('workflow_id', 'executor')
    )
    op.create_table('meta',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('key')
    )
    op.create_table('workflow',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('workflow_args', sa.Text(), nullable=True),
    sa.Column('n_jobs', sa.Integer(), nullable=False),
    sa.Column('first_job_id', sa.Integer(), nullable=False),
    sa.Column('seq', sa.Integer(), server_default='0', nullable=False),
    sa.Column('created_at', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name', 'workflow_args', name='one_workflow_per_name_and_args')
    )
    op.create_table('job',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('workflow_id', sa.Integer(), nullable=False),
    sa.Column('executor', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('max_attempts', sa.Integer(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('charged', sa.Integer(), nullable=False),
    sa.Column('uncharged', sa.Integer(), nullable=False),
    sa.Column('unbegun', sa.Integer(), nullable=False),
    sa.Column('cancel_requested', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['workflow_id'], ['workflow.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('queued_jobs', 'job', ['workflow_id', 'executor', 'id'], unique=False, sqlite_where=sa.text("state = 'QUEUED_FOR_INSTANTIATION'"))
    op.create_table('workflow_run',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('workflow_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('client', sa.Text(), nullable=False),
    sa.Column('context', sa.Text(), nullable=False),
    sa.Column('created_at', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['workflow_id'], ['workflow.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('workflow_id', 'number', name='runs_are_numbered')
    )
    op.create_index('one_active_run_per_workflow', 'workflow_run', ['workflow_id'], unique=True, sqlite_where=sa.text("state NOT IN ('DONE', 'ERROR', 'LOST', 'STOPPED')"))
    op.create_table('job_instance',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('job_id', sa.Integer(), nullable=False),
    sa.Column('workflow_id', sa.Integer(), nullable=False),
    sa.Column('executor', sa.Text(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('token', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('executor_job_id', sa.Text(), nullable=True),
    sa.Column('worker_id', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('exit_status', sa.Integer(), nullable=True),
    sa.Column('signal', sa.Integer(), nullable=True),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('submitted_at', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.Integer(), nullable=True),
    sa.Column('ended_at', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['job_id'], ['job.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('job_id', 'attempt', name='attempts_are_numbered'),
    sa.UniqueConstraint('token')
    )
    op.create_table('array_member',
    sa.Column('token', sa.Text(), nullable=False),
    sa.Column('array_token', sa.Text(), nullable=False),
    sa.Column('array_index', sa.Integer(), nullable=False),
    sa.Column('job_name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('token'),
    sqlite_with_rowid=False
    )
    op.create_index('one_live_instance_per_job', 'job_instance', ['job_id'], unique=True, sqlite_where=sa.text("state NOT IN ('CANCELLED', 'DONE', 'ERROR', 'NO_EXECUTOR_ID', 'RESOURCE_ERROR', 'RETURNED', 'UNKNOWN_ERROR')"))
