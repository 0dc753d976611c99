"""An answer's Markdown as a tree of harmless elements, for a browser to build node by node.

A model's text is hostile: it may hold markup, addresses that run code, pictures that would tell another
server who reads. So there is no HTML on the way at all: the tree knows a handful of tags and text, and of
attributes a list's first number. Addresses are written out, never linked: models invent references.

Where Markdown would swallow what a clinician must see, the text is left as it is: the star of an allele
(HLA-B*57:01), a line that begins with ">90 %", a list of references.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

LONGEST = 40_000  # characters; a longer text is shown as it was written
_DEEPEST = 18  # of markdown-it's 20 levels, beyond which it drops text
_MOST_NODES = 8_000
_HEADING = 4  # h4 is the largest: the page and the column have the others
_STAR = "\ufdd0"  # stands for a star that is none of Markdown's; no text holds this code point
# Before a digit with no star to close it, or within a word.
_OWN_STAR = re.compile(r"(?<!\*)\*(?!\*)(?=\d)(?![^*\n]*[\w.%)]\*(?!\w))|(?<=\w)\*(?!\*)(?=\w)")
_TAGS = {
    "paragraph": "p", "strong": "strong", "em": "em", "bullet_list": "ul", "ordered_list": "ol",
    "list_item": "li", "table": "table", "thead": "thead", "tbody": "tbody", "tr": "tr", "th": "th",
    "td": "td", "hr": "hr",
}  # fmt: skip
_BETWEEN = {
    "td": " | ",
    "th": " | ",
}  # what stands for the end of a block in the text; a line's end elsewhere
_INLINE = ("strong", "em")


@dataclass(frozen=True)
class Tree:
    """`nodes` are texts [text, place] and elements {"tag", "nodes"}, of which an ordered list has a "start".

    `text` is what a reader sees, a line a block; a leaf's place is where it begins in there.
    """

    nodes: tuple
    text: str


def tree(markdown: str) -> Tree:
    """The text laid out; as it was written where it is too long or too deeply nested to lay out whole."""
    if len(markdown) > LONGEST:
        return _as_written(markdown)
    tokens = _parser.parse(_OWN_STAR.sub(_STAR, markdown))
    if any(token.level >= _DEEPEST for token in tokens) or len(tokens) > _MOST_NODES:
        return _as_written(markdown)
    builder = _Builder()
    nodes = tuple(builder.build(SyntaxTreeNode(tokens)))
    return Tree(nodes, builder.text)


def _as_written(text: str) -> Tree:
    return Tree(([text, 0],), text)


class _Builder:
    """Nodes from a syntax tree, and the text so far."""

    def __init__(self) -> None:
        self.text = ""

    def build(self, parent: SyntaxTreeNode) -> list:
        return [built for node in parent.children for built in self._node(node)]

    def _node(self, node: SyntaxTreeNode) -> Iterator:
        kind = node.type
        if kind in ("text", "text_special", "html_inline", "html_block"):
            yield from self._leaf(node.content)
        elif kind in ("softbreak", "hardbreak"):
            yield from self._leaf("\n")
        elif kind == "code_inline":
            yield {"tag": "code", "nodes": list(self._leaf(node.content))}
        elif kind in ("fence", "code_block"):
            yield {"tag": "pre", "nodes": list(self._leaf(node.content.rstrip("\n")))}
            self._end("\n")
        elif kind == "link":
            yield from self._link(self.build(node), str(node.attrs.get("href", "")))
        elif kind == "image":
            yield from self._leaf("[picture: ")
            yield from self._link(self.build(node), str(node.attrs.get("src", "")))
            yield from self._leaf("]")
        elif tag := self._tag(node):
            yield self._element(node, tag)
        else:  # a root or the inline part of a block
            yield from self.build(node)

    def _element(self, node: SyntaxTreeNode, tag: str) -> dict:
        element: dict = {"tag": tag, "nodes": self.build(node)}
        if tag == "ol":
            element["start"] = int(node.attrs.get("start", 1))
        if node.type not in _INLINE:
            self._end(_BETWEEN.get(tag, "\n"))
        return element

    def _tag(self, node: SyntaxTreeNode) -> str:
        if node.type == "heading":
            return f"h{min(int(node.tag[1:]) + _HEADING - 1, 6)}"
        return _TAGS.get(node.type, "")

    def _link(self, words: list, address: str) -> Iterator:
        yield from words
        if address and not self.text.endswith(address):
            yield {"tag": "small", "nodes": list(self._leaf(f" ({address})"))}

    def _leaf(self, text: str) -> Iterator[list]:
        text = text.replace(_STAR, "*")
        if text:
            yield [text, len(self.text)]
            self.text += text

    def _end(self, mark: str) -> None:
        if self.text and not self.text.endswith("\n"):
            self.text += mark


_parser = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": 20})
    .enable("table")
    # Each of these takes away something that was written: ">", indents, whole lines of references.
    .disable(["blockquote", "code", "reference", "lheading"])
)
