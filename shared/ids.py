"""Identifiers that a phone can mint offline and that sort by the time they were made."""

from uuid import UUID


def new_id(unix_ms: int, entropy: bytes) -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of `unix_ms`, then 74 bits taken from 10 bytes of `entropy`.

    The caller brings clock and randomness, so that rules and simulations stay repeatable.
    """
    if len(entropy) != 10:
        raise ValueError(f"entropy must be 10 bytes, got {len(entropy)}")
    noise = int.from_bytes(entropy, "big")
    rand_a, rand_b = noise >> 68, noise & ((1 << 62) - 1)
    return UUID(int=(unix_ms & ((1 << 48) - 1)) << 80 | 7 << 76 | rand_a << 64 | 2 << 62 | rand_b)
