"""Python without its documentation: a third of Flet's bytes, which nobody reads in a browser."""

from __future__ import annotations

import ast


def bare(source: bytes) -> bytes:
    """`source` with `pass` for each text that stands alone, its lines still where they were.

    What this Python can't read, because it is of a newer one, stays as it is.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source
    lines = source.splitlines(keepends=True)
    texts = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    # From the last to the first, so that the places of those before stay right.
    for text in sorted(texts, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        assert text.end_lineno is not None and text.end_col_offset is not None
        first, last = text.lineno - 1, text.end_lineno - 1
        before, after = lines[first][: text.col_offset], lines[last][text.end_col_offset :]
        lines[first : last + 1] = [before + b"pass" + b"\n" * (last - first) + after]
        lines[first + 1 : first + 1] = [b""] * (last - first)
    return b"".join(lines)
