"""Note which work orders depend on each other, so that plans keep it."""

import sqlalchemy as sa
from alembic import op

revision = "20261130q"
down_revision = "20261129w"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "work_order_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("gap_least", sa.Integer(), nullable=False),
        sa.Column("gap_most", sa.Integer(), nullable=True),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["work_order_id"], ["work_order.id"], name=op.f("fk_work_order_link_work_order_id")
        ),
        sa.ForeignKeyConstraint(["other_id"], ["work_order.id"], name=op.f("fk_work_order_link_other_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_order_link")),
        sa.UniqueConstraint(
            "work_order_id", "other_id", name=op.f("uq_work_order_link_work_order_id_other_id")
        ),
    )
    op.create_index(op.f("ix_work_order_link_other_id"), "work_order_link", ["other_id"])


def downgrade() -> None:
    op.drop_table("work_order_link")
