"""Number the command log, keep what devices say of their clocks, balances, named evidence, and an outbox

Old commands are numbered in the order in which they were decided; the balances are summed up once from the
moves, and evidence that is already named is looked up in the records of its work orders.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.clock import entropy

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)

revision = "20261122b"
down_revision = "20261122"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _outbox()
    _attachment_senders()
    _evidence()
    _balances()
    _command_log()
    _devices()
    _history()
    _follow_ups()
    op.create_index("ix_feed_xid_seq", "feed", ["xid", "seq"])


def _outbox() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("topics", JSON, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("paused_until", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "outbox",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=True),
        sa.Column("notice_id", sa.Uuid(), nullable=True),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("queued_at", INSTANT, nullable=False),
        sa.Column("not_before", INSTANT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("leased_until", INSTANT, nullable=True),
        sa.Column("leased_by", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_outbox_notice_id")),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_outbox_webhook_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_state_not_before", "outbox", ["state", "not_before"])
    op.create_index("ix_outbox_key_state_seq", "outbox", ["key", "state", "seq"])


def _attachment_senders() -> None:
    """Bytes are kept once; who has sent them all, and so may count on them, is kept for each technician."""
    op.create_table(
        "attachment_sender",
        sa.Column("technician_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name=op.f("fk_attachment_sender_technician_id")
        ),
        sa.ForeignKeyConstraint(["digest"], ["attachment.digest"], name=op.f("fk_attachment_sender_digest")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_attachment_sender_device_id")),
        sa.PrimaryKeyConstraint("technician_id", "digest", name=op.f("pk_attachment_sender")),
    )
    op.execute(
        """INSERT INTO attachment_sender (technician_id, digest, device_id, sent_at)
           SELECT device.technician_id, attachment.digest, device.id, attachment.stored_at
           FROM attachment JOIN device ON device.id = attachment.device_id"""
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("technician_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("named_at", INSTANT, nullable=False),
        sa.Column("arrived_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name=op.f("fk_evidence_technician_id")),
        sa.PrimaryKeyConstraint("technician_id", "digest", name=op.f("pk_evidence")),
    )
    op.create_index("ix_evidence_technician_id_arrived_at", "evidence", ["technician_id", "arrived_at"])
    if op.get_bind().dialect.name == "postgresql":
        items = "jsonb_array_elements(coalesce(work_order.record -> 'evidence', '[]')) AS item(value)"
        digest, size = "item.value ->> 'digest'", "(item.value ->> 'size_bytes')::integer"
    else:
        items = "json_each(work_order.record, '$.evidence') AS item"
        digest = "json_extract(item.value, '$.digest')"
        size = "json_extract(item.value, '$.size_bytes')"
    # Whose phone has the bytes is who named them; the job may be somebody else's by now.
    op.execute(
        f"""INSERT INTO evidence (technician_id, digest, work_order_id, size_bytes, named_at, arrived_at)
            SELECT coalesce(device.technician_id, work_order.technician_id), {digest}, work_order.id, {size},
                   coalesce(command.decided_at, work_order.ordered_at), attachment.stored_at
            FROM work_order CROSS JOIN {items}
            LEFT JOIN command ON command.work_order_id = work_order.id AND command.type = 'add_evidence'
                             AND command.outcome = 'accepted' AND command.body LIKE '%' || ({digest}) || '%'
            LEFT JOIN device ON device.id = command.device_id
            LEFT JOIN attachment ON attachment.digest = {digest}
            WHERE coalesce(device.technician_id, work_order.technician_id) IS NOT NULL
            ON CONFLICT DO NOTHING"""
    )


def _balances() -> None:
    op.create_table(
        "stock_balance",
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["place_id"], ["stock_place.id"], name=op.f("fk_stock_balance_place_id")),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_stock_balance_sku")),
        sa.PrimaryKeyConstraint("place_id", "sku", name=op.f("pk_stock_balance")),
    )
    op.create_index("ix_stock_balance_sku", "stock_balance", ["sku"])
    op.execute(
        """INSERT INTO stock_balance (place_id, sku, quantity)
           SELECT place_id, sku, sum(signed) FROM (
               SELECT target_id AS place_id, sku, quantity AS signed FROM stock_move
               UNION ALL
               SELECT source_id, sku, -quantity FROM stock_move) AS sides
           GROUP BY place_id, sku"""
    )


def _command_log() -> None:
    with op.batch_alter_table("command") as batch:
        batch.add_column(sa.Column("number", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("origin", sa.String(), nullable=True))
        batch.add_column(sa.Column("made_mono_ms", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("boot", sa.String(), nullable=True))
        batch.add_column(sa.Column("hlc", sa.String(), nullable=True))
        batch.add_column(sa.Column("resolution", sa.String(), nullable=True))
        batch.add_column(sa.Column("resolution_detail", sa.Text(), nullable=True))
        batch.add_column(sa.Column("resolved_as", sa.Uuid(), nullable=True))
    op.execute(
        """UPDATE command SET
               origin = CASE WHEN device_id IS NULL THEN 'office' ELSE 'field' END,
               resolution = CASE WHEN resolved_at IS NULL THEN NULL ELSE 'dismissed' END,
               number = numbered.number
           FROM (SELECT id, row_number() OVER (ORDER BY decided_at, id) AS number FROM command) AS numbered
           WHERE numbered.id = command.id"""
    )
    with op.batch_alter_table("command") as batch:
        batch.alter_column("number", existing_type=sa.BigInteger(), nullable=False)
        batch.alter_column("origin", existing_type=sa.String(), nullable=False)
        batch.create_unique_constraint(op.f("uq_command_number"), ["number"])
    op.create_table(
        "entry",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("opening", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_entry")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE command_number OWNED BY command.number")
        op.execute("SELECT setval('command_number', coalesce(max(number), 0) + 1, false) FROM command")


def _devices() -> None:
    with op.batch_alter_table("device") as batch:
        batch.add_column(sa.Column("next_token_hash", sa.String(), nullable=True))
        batch.add_column(sa.Column("next_token_salt", sa.String(), nullable=True))
        batch.add_column(sa.Column("token_rotated_at", INSTANT, nullable=True))
        batch.add_column(sa.Column("wipe_ordered_at", INSTANT, nullable=True))
        batch.add_column(sa.Column("wiped_at", INSTANT, nullable=True))
        batch.add_column(sa.Column("protocol", sa.Integer(), nullable=False, server_default="1"))
        batch.add_column(sa.Column("unsent_photos", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("oldest_unsent_at", INSTANT, nullable=True))
        batch.add_column(sa.Column("storage_left_bytes", sa.BigInteger(), nullable=True))
        batch.create_unique_constraint(op.f("uq_device_next_token_hash"), ["next_token_hash"])
    op.create_table(
        "retired_token",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("retired_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_retired_token_device_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_retired_token")),
    )
    op.create_index(op.f("ix_retired_token_device_id"), "retired_token", ["device_id"])


def _history() -> None:
    with op.batch_alter_table("history") as batch:
        batch.add_column(sa.Column("identity", sa.String(), nullable=True))
        batch.add_column(sa.Column("compacted_xid", sa.BigInteger(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("compacted_seq", sa.BigInteger(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("cursor_key", sa.String(), nullable=True))
    # A new epoch with it: what was sealed before, or not at all, is of another history.
    drawn = {"key": entropy(32).hex(), "epoch": entropy(4).hex()}
    op.execute(sa.text("UPDATE history SET cursor_key = :key, epoch = :epoch").bindparams(**drawn))
    with op.batch_alter_table("history") as batch:
        batch.alter_column("cursor_key", existing_type=sa.String(), nullable=False)


def _follow_ups() -> None:
    op.create_table(
        "follow_up",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("command_id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("raised_at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    op.create_index(op.f("ix_follow_up_work_order_id"), "follow_up", ["work_order_id"])
    op.create_index("ix_follow_up_done_at_raised_at", "follow_up", ["done_at", "raised_at"])


def downgrade() -> None:
    op.drop_table("follow_up")
    op.drop_index("ix_feed_xid_seq", "feed")
    with op.batch_alter_table("history") as batch:
        for name in ("cursor_key", "compacted_seq", "compacted_xid", "identity"):
            batch.drop_column(name)
    op.drop_table("retired_token")
    with op.batch_alter_table("device") as batch:
        batch.drop_constraint(op.f("uq_device_next_token_hash"), type_="unique")
        for name in (
            "storage_left_bytes",
            "oldest_unsent_at",
            "unsent_photos",
            "protocol",
            "wiped_at",
            "wipe_ordered_at",
            "token_rotated_at",
            "next_token_salt",
            "next_token_hash",
        ):
            batch.drop_column(name)
    with op.batch_alter_table("command") as batch:
        batch.drop_constraint(op.f("uq_command_number"), type_="unique")
        for name in (
            "resolved_as",
            "resolution_detail",
            "resolution",
            "hlc",
            "boot",
            "made_mono_ms",
            "origin",
            "number",
        ):
            batch.drop_column(name)
    for table in ("entry", "stock_balance", "evidence", "attachment_sender", "outbox", "webhook"):
        op.drop_table(table)
