"""Keep who changed what of a technician, and who ended an absence."""

import sqlalchemy as sa
from alembic import op

INSTANT = sa.DateTime(timezone=True)

revision = "20261130p"
down_revision = "20261130u"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "technician_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("technician_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name=op.f("fk_technician_change_technician_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_technician_change")),
    )
    op.create_index(op.f("ix_technician_change_technician_id"), "technician_change", ["technician_id"])
    with op.batch_alter_table("absence") as table:
        table.add_column(sa.Column("ended_by", sa.String(), nullable=True))
        table.add_column(sa.Column("ended_at", INSTANT, nullable=True))
        table.add_column(sa.Column("was_until", INSTANT, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("absence") as table:
        for column in ("was_until", "ended_at", "ended_by"):
            table.drop_column(column)
    op.drop_table("technician_change")
