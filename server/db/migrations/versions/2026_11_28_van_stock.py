"""Let the office be asked about a van too, not only about a job; keep what goes from one van to another."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "20261128a"
down_revision = "20261122b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("follow_up") as table:
        table.alter_column("work_order_id", existing_type=sa.Uuid(), nullable=True)
    op.create_table(
        "van_transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("giver_id", sa.Uuid(), nullable=False),
        sa.Column("taker_id", sa.Uuid(), nullable=False),
        sa.Column("terms", JSON, nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.Column("booked_as", sa.Uuid(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_van_transfer"),
    )
    op.create_index("ix_van_transfer_giver_id", "van_transfer", ["giver_id"])
    op.create_index("ix_van_transfer_taker_id", "van_transfer", ["taker_id"])


def downgrade() -> None:
    op.drop_table("van_transfer")
    op.execute("DELETE FROM follow_up WHERE work_order_id IS NULL")
    with op.batch_alter_table("follow_up") as table:
        table.alter_column("work_order_id", existing_type=sa.Uuid(), nullable=False)
