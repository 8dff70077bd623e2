"""Find what happened on a day: timesheets ask the whole log"""

from alembic import op

revision = "20261128e"
down_revision = "20261128d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_command_happened_at", "command", ["happened_at"])


def downgrade() -> None:
    op.drop_index("ix_command_happened_at", "command")
