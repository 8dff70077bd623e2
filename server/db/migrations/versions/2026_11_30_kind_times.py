"""Let the office say how long a visit of each kind takes, and how much of that is setting up."""

import sqlalchemy as sa
from alembic import op

revision = "20261130r"
down_revision = "20261130q"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kind_times",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("setup_minutes", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_kind_times")),
    )


def downgrade() -> None:
    op.drop_table("kind_times")
