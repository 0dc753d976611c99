"""What a sandboxed template may hold: told from its syntax tree, before it runs. See db.sandbox."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Filter,
    nodes.Test,
    nodes.Concat,
    nodes.Add,
    nodes.Sub,
    nodes.Neg,
    nodes.List,
    nodes.Tuple,
    nodes.Keyword,
)
_CALLED = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.Call: "a call",
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.Block: "block",
    nodes.FilterBlock: "a filter block",
    nodes.With: "with",
    nodes.Mul: "multiplication",
    nodes.Pow: "a power",
    nodes.Mod: "the sign %",
    nodes.Dict: "a dictionary",
    nodes.Scope: "autoescape",
}
_TESTS = {"defined", "undefined", "none", "string", "number", "odd", "even", "in", "eq", "ne", "lt", "gt"}
LOOP = frozenset({"index", "index0", "first", "last", "length"})


class TemplateFault(ValueError):
    """A template that cannot be used, or values that it cannot render: one sentence, with field and line.

    `line` counts from 1; it is None where the fault has no line of its own.
    """

    def __init__(self, sentence: str, line: int | None = None, field: str = "template") -> None:
        super().__init__(f"{field}: {f'line {line}: ' if line else ''}{sentence}")
        self.sentence, self.line, self.field = sentence, line or None, field


@dataclass(frozen=True)
class Rules:
    """How much one kind of template may take, and what it is held to before it runs."""

    source: int = 10_000  # characters of a template
    text: int = 200_000  # characters of what it makes
    steps: int = 20_000  # of all its loops together
    seconds: float = 1.0  # of the processor, for one rendering
    nested: int = 2  # loops inside one another
    lists: frozenset[str] | None = None  # the values a loop may walk; any list where None
    fields: frozenset[str] | None = None  # the fields of its records; told when it renders where None

    def check_source(self, source: str) -> None:
        if len(source) > self.source:
            raise TemplateFault(f"{len(source):,} characters; shorten it to {self.source:,} at most.")

    def check_text(self, length: int) -> None:
        if length > self.text:
            raise TemplateFault(f"it makes more than {self.text:,} characters; take less.")


def check_tree(tree: nodes.Template, names: frozenset[str], filters: Collection[str], rules: Rules) -> None:
    """Raise TemplateFault, with the line, for anything in a tree that is not allowed or not known."""
    _Check(names, filters, rules).visit(tree, names, 0)


class _Check:
    def __init__(self, values: frozenset[str], filters: Collection[str], rules: Rules) -> None:
        self._values, self._filters, self._rules = values, filters, rules

    def visit(self, node: nodes.Node, names: frozenset[str], depth: int) -> None:
        """`names` are known at this node, which stands in `depth` loops."""
        if not isinstance(node, _ALLOWED):
            what = _CALLED.get(type(node), type(node).__name__.lower())
            raise TemplateFault(f"{what} is not available in a template; leave it out.", node.lineno)
        if isinstance(node, nodes.Name) and node.name not in names:
            raise TemplateFault(
                f"'{node.name}' is not a value here; there are {_listed(names)}.", node.lineno
            )
        if isinstance(node, nodes.Getattr):
            self._field(node, node.attr)
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            self._field(node, node.arg.value)
        if isinstance(node, nodes.Filter) and node.name not in self._filters:
            raise TemplateFault(
                f"the filter '{node.name}' is not available; there are {_listed(self._filters)}.", node.lineno
            )
        if isinstance(node, nodes.Test) and node.name not in _TESTS:
            raise TemplateFault(f"the test '{node.name}' is not available in a template.", node.lineno)
        if isinstance(node, nodes.For):
            self._loop(node, names, depth)
            return
        for child in node.iter_child_nodes():
            self.visit(child, names, depth)

    def _loop(self, node: nodes.For, names: frozenset[str], depth: int) -> None:
        if depth >= self._rules.nested or node.recursive:
            raise TemplateFault(f"loops stand at most {self._rules.nested} deep; take one out.", node.lineno)
        lists = self._rules.lists
        if lists is not None and not (isinstance(node.iter, nodes.Name) and node.iter.name in lists):
            raise TemplateFault(f"a loop walks {_listed(lists)} and nothing else; take one.", node.lineno)
        self.visit(node.iter, names, depth)
        inside = names | self._targets(node)
        for part in (*([node.test] if node.test else []), *node.body):
            self.visit(part, inside | {"loop"}, depth + 1)
        for part in node.else_:
            self.visit(part, names, depth)

    def _targets(self, node: nodes.For) -> set[str]:
        """The names that a loop gives its values."""
        targets = node.target.items if isinstance(node.target, nodes.Tuple) else [node.target]
        if not all(isinstance(target, nodes.Name) for target in targets):
            raise TemplateFault("a loop needs a plain name after 'for'; write one.", node.lineno)
        taken = {target.name for target in targets}
        if any(name.startswith("_") for name in taken):
            raise TemplateFault("a name in a loop cannot begin with '_'; choose another.", node.lineno)
        if taken & (self._values | {"loop"}):
            raise TemplateFault("a loop's name is a value's already; choose another.", node.lineno)
        return taken

    def _field(self, node: nodes.Getattr | nodes.Getitem, field: Any) -> None:
        if not isinstance(field, str):
            return
        if field.startswith("_"):
            raise TemplateFault(f"'{field[:40]}' is not available in a template; leave it out.", node.lineno)
        of_loop = isinstance(node.node, nodes.Name) and node.node.name == "loop"
        known = LOOP if of_loop else self._rules.fields
        if known is not None and field not in known:
            raise TemplateFault(f"there is no field '{field[:40]}'; there are {_listed(known)}.", node.lineno)


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
