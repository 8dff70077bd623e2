"""So many minutes after the shift's end the planner may keep each technician: none until somebody says so."""

import sqlalchemy as sa
from alembic import op

revision = "20261128x"
down_revision = "20261128w"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "technician", sa.Column("overtime_minutes", sa.Integer(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    op.drop_column("technician", "overtime_minutes")
