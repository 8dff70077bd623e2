"""Keep when a customer would like the visit, beside what is promised."""

import sqlalchemy as sa
from alembic import op

INSTANT = sa.DateTime(timezone=True)

revision = "20261130t"
down_revision = "20261130s"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "preferred_window",
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("said_by", sa.String(), nullable=False),
        sa.Column("said_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["work_order_id"], ["work_order.id"], name=op.f("fk_preferred_window_work_order_id")
        ),
        sa.PrimaryKeyConstraint("work_order_id", name=op.f("pk_preferred_window")),
    )


def downgrade() -> None:
    op.drop_table("preferred_window")
