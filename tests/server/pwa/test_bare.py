"""Packages for the browser lose their documentation, and nothing else."""

import ast
from pathlib import Path

import flet
import pytest

from server.pwa.bare import bare

SOURCE = b'''"""A module.

Of many lines.
"""
class Empty:
    """Only this."""

class Button(Base):
    """A button."""; kept = "text"
    label: str = "\xc3\xa4 label"
    """
    What it says.
    """

    def press(self, how="""not alone"""):
        'Press it.'
        raise ValueError("""many
        lines""")
'''


def test_every_text_that_stands_alone_goes_and_the_rest_stays_where_it_was() -> None:
    assert bare(SOURCE).decode().splitlines() == [
        "pass", "", "", "", "class Empty:", "    pass", "", "class Button(Base):",
        '    pass; kept = "text"', '    label: str = "ä label"', "    pass", "", "", "",
        '    def press(self, how="""not alone"""):', "        pass", '        raise ValueError("""many',
        '        lines""")',
    ]  # fmt: skip


def test_what_is_no_python_of_today_stays() -> None:
    assert bare(b"def (:\n") == b"def (:\n"


class WithoutTexts(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        alone = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return ast.Pass() if alone else node


@pytest.mark.parametrize(
    "name", ["controls/material/button.py", "controls/page.py", "components/hooks/use_state.py"]
)
def test_flet_says_the_same_without(name: str) -> None:
    source = (Path(flet.__file__).parent / name).read_bytes()
    with_pass = WithoutTexts().visit(ast.parse(source))
    assert ast.dump(ast.parse(bare(source))) == ast.dump(with_pass)
    assert len(bare(source)) < 0.9 * len(source)
    assert bare(source).count(b"\n") == source.count(b"\n")
