"""Who may do what in the office. Technicians have devices, not roles."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody of the office is there for."""

    DISPATCHER = "dispatcher"
    BACK_OFFICE = "back_office"
    STOCK = "stock"
    ADMIN = "admin"
    VIEWER = "viewer"


class Permission(StrEnum):
    """One thing a page or a route asks for."""

    SEE_BOARD = "see_board"
    TAKE_ORDERS = "take_orders"
    DISPATCH = "dispatch"  # assign, move, cancel, plan, settle held work
    MANAGE_DEVICES = "manage_devices"
    SEE_MONEY = "see_money"
    MANAGE_STOCK = "manage_stock"
    SET_POLICY = "set_policy"  # what plans are weighed by
    MANAGE_OUTBOX = "manage_outbox"  # messages that did not leave, and who is told of events by webhook


ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.DISPATCHER: frozenset(
        {
            Permission.SEE_BOARD,
            Permission.TAKE_ORDERS,
            Permission.DISPATCH,
            Permission.MANAGE_DEVICES,
        }
    ),
    Role.BACK_OFFICE: frozenset(
        {
            Permission.SEE_BOARD,
            Permission.TAKE_ORDERS,
            Permission.SEE_MONEY,
            Permission.MANAGE_OUTBOX,
        }
    ),
    Role.STOCK: frozenset({Permission.SEE_BOARD, Permission.MANAGE_STOCK}),
    Role.ADMIN: frozenset(Permission),
    Role.VIEWER: frozenset({Permission.SEE_BOARD}),
}

WORDS: dict[Role, str] = {
    Role.DISPATCHER: "dispatcher",
    Role.BACK_OFFICE: "back office",
    Role.STOCK: "stock keeper",
    Role.ADMIN: "administrator",
    Role.VIEWER: "viewer",
}


def may(role: Role, permission: Permission) -> bool:
    return permission in ALLOWED[role]
