"""Formulas as MathML, by docutils: no script, no font and no network is needed."""

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from docutils.utils.math.unichar2tex import uni2tex_table
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)


def to_mathml(node, *, as_block):
    """MathML of a formula; a warning and its source where that cannot be had."""
    source = node.astext().translate(uni2tex_table)
    try:
        return tex2mathml(source, as_block=as_block)
    except MathError as error:
        logger.warning("%s", error, location=node)
        return source


def visit_inline(self, node):
    """Write a formula in a line."""
    self.body.append(to_mathml(node, as_block=False))
    raise nodes.SkipNode


def visit_block(self, node):
    """Write a formula of its own, with its number if it has one."""
    self.body.append(self.starttag(node, "div", CLASS="math-block"))
    self.body.append(to_mathml(node, as_block=True))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app):
    """Register with Sphinx."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
