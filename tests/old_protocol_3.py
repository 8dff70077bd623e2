"""How the app of protocol 3 read the server's answers: as that of protocol 2 did. Never changed.

It could say more: that a device was put back, and parts were. What it sent and was answered then lies in
tests/sync/old/protocol_3/.
"""

from old_protocol_2 import (
    KINDS,
    AssetState,
    HolderKind,
    ServiceState,
    UnfinishedReason,
    WorkOrderKind,
    WorkOrderState,
    read,
)

__all__ = [
    "KINDS",
    "AssetState",
    "HolderKind",
    "ServiceState",
    "UnfinishedReason",
    "WorkOrderKind",
    "WorkOrderState",
    "read",
]
