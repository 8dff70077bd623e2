"""Keep what people decide against the plan, with reason and cost, until they release it"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "20261129w"
down_revision = "20261129v"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan_override",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("technician_id", sa.Uuid(), nullable=True),
        sa.Column("start", INSTANT, nullable=True),
        sa.Column("wanted", JSON, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("cost", JSON, nullable=False),
        sa.Column("breaks", JSON, nullable=False),
        sa.Column("released_at", INSTANT, nullable=True),
        sa.Column("released_by", sa.String(), nullable=True),
        sa.Column("released_why", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["work_order_id"], ["work_order.id"], name="fk_plan_override_work_order_id"),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_plan_override_technician_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plan_override"),
    )
    op.create_index("ix_plan_override_work_order_id", "plan_override", ["work_order_id"])
    op.create_index("ix_plan_override_day", "plan_override", ["day"])


def downgrade() -> None:
    op.drop_table("plan_override")
