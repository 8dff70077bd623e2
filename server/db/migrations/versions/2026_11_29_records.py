"""Keep what the scheduler was asked and answered, to make it again; and plans that are only tried"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "20261129v"
down_revision = "20261129t"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan_drives",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_plan_drives"),
    )
    op.create_table(
        "plan_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kept_at", INSTANT, nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("drives_digest", sa.String(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("answer_digest", sa.String(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=True),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("searched", sa.Boolean(), nullable=False),
        sa.Column("versions", JSON, nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["drives_digest"], ["plan_drives.digest"], name="fk_plan_record_drives_digest"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_plan_record"),
    )
    op.create_index("ix_plan_record_kept_at", "plan_record", ["kept_at"])
    op.create_index("ix_plan_record_drives_digest", "plan_record", ["drives_digest"])
    op.create_table(
        "saved_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("changes", JSON, nullable=False),
        sa.Column("words", JSON, nullable=False),
        sa.Column("seen", JSON, nullable=False),
        sa.Column("strangers", JSON, nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("applied_at", INSTANT, nullable=True),
        sa.Column("applied_by", sa.String(), nullable=True),
        sa.Column("outcome", JSON, nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["plan_record.id"], name="fk_saved_plan_record_id"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_plan"),
    )
    op.create_index("ix_saved_plan_day", "saved_plan", ["day"])
    op.create_index("ix_saved_plan_record_id", "saved_plan", ["record_id"])
    with op.batch_alter_table("day_plan") as batch:
        batch.add_column(sa.Column("record_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key(
            "fk_day_plan_record_id", "plan_record", ["record_id"], ["id"], ondelete="SET NULL"
        )
        batch.create_index("ix_day_plan_record_id", ["record_id"])


def downgrade() -> None:
    with op.batch_alter_table("day_plan") as batch:
        batch.drop_index("ix_day_plan_record_id")
        batch.drop_constraint("fk_day_plan_record_id", type_="foreignkey")
        batch.drop_column("record_id")
    op.drop_table("saved_plan")
    op.drop_table("plan_record")
    op.drop_table("plan_drives")
