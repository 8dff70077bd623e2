"""Let the office be asked about a van too, not only about a job."""

import sqlalchemy as sa
from alembic import op

revision = "20261128a"
down_revision = "20261122b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("follow_up") as table:
        table.alter_column("work_order_id", existing_type=sa.Uuid(), nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM follow_up WHERE work_order_id IS NULL")
    with op.batch_alter_table("follow_up") as table:
        table.alter_column("work_order_id", existing_type=sa.Uuid(), nullable=False)
