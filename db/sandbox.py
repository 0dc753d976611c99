"""Jinja2 for text that people type: values, filters, conditions and loops over values, and nothing else.

A template is refused before it runs when its syntax tree holds anything outside a short list: no attributes
of Python objects, no calls, no imports or includes, no macros, no assignment, no arithmetic that makes text
grow. What remains can only walk over its values. It does so with a budget of loop steps, of processor time
and of characters: no template can hold a page or a job up. Refusals are one sentence, with the line.
What may stand in a template is in db.sandbox_rules.

Corpus templates (db.corpora.templates) and prompts (db.generating.prompts) are such texts.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    nodes,
    pass_context,
    pass_environment,
)
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from db.sandbox_rules import LOOP, Rules, TemplateFault, check_tree


class Record:
    """A value with fields that a template may read, such as a choice's letter and text. It is no text."""

    __slots__ = ("fields",)

    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def __str__(self) -> str:
        raise TypeError("a record is no text")


class _Environment(ImmutableSandboxedEnvironment):
    """Fields of our records and of `loop` are read; nothing else of any object is."""

    intercepted_binops = frozenset("+")

    def __init__(self, rules: Rules) -> None:
        super().__init__(
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False, finalize=_text
        )
        self.rules = rules
        self.globals.clear()
        self.filters = {**FILTERS, "_counted": _counted}

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Record) and attribute in obj.fields:
            return obj.fields[attribute]
        if isinstance(obj, LoopContext) and attribute in LOOP:
            return getattr(obj, attribute)
        if isinstance(obj, Undefined):
            return obj
        return self.undefined(f"'{attribute}' is not a field of this value", name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        if isinstance(obj, str | tuple | list) and isinstance(argument, int | slice):
            try:
                return obj[argument]
            except (IndexError, ValueError):
                return self.undefined(f"there is no item {argument}", name=str(argument))
        return self.undefined("this value has no items", name=str(argument))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, str) and isinstance(right, str):
            self.rules.check_text(len(left) + len(right))
        return left + right

    def is_safe_callable(self, obj: Any) -> bool:
        return False


class Budget:
    """What one rendering has left: loop steps and processor time."""

    def __init__(self, rules: Rules) -> None:
        self._rules, self._steps = rules, rules.steps
        self._until = time.thread_time() + rules.seconds

    def spend(self) -> None:
        """Count one step. Raises TemplateFault when the steps or the time are used up."""
        self._steps -= 1
        if self._steps < 0:
            raise TemplateFault(f"its loops take more than {self._rules.steps:,} steps; loop over less.")
        if time.thread_time() > self._until:
            raise TemplateFault(f"it takes longer than {self._rules.seconds:g} s; make it simpler.")


class Compiled:
    """A checked template. Text without any value or loop is kept as it is and costs nothing to render."""

    def __init__(
        self, template: Template, used: frozenset[str], constant: str | None, rules: Rules, field: str
    ) -> None:
        self.used = used  # the names of the values it takes
        self._template, self._constant = template, constant
        self._rules, self._field = rules, field

    def settled(self, values: Mapping[str, Any]) -> "Compiled":
        """The template with these values in, for good, where they are all it takes."""
        return Compiled(self._template, self.used, self.render(values), self._rules, self._field)

    def render(self, values: Mapping[str, Any]) -> str:
        """The text for these values, without white space at its ends. Raises TemplateFault."""
        if self._constant is not None:
            return self._constant
        pieces, length, most = [], 0, self._rules.text
        try:
            context = self._template.new_context({**values, "_budget": Budget(self._rules)})
            for piece in self._template.root_render_func(context):
                pieces.append(piece)
                length += len(piece)
                if length > most:
                    self._rules.check_text(length)
        except TemplateFault as fault:
            raise TemplateFault(fault.sentence, fault.line or _line(fault), self._field) from None
        except TemplateError as error:
            raise TemplateFault(f"{_plain(error.message)}; correct it.", _line(error), self._field) from None
        except (TypeError, ValueError, RecursionError, ArithmeticError, LookupError) as error:
            sentence = "a value is used as what it is not, such as a number as text; mend it."
            raise TemplateFault(sentence, _line(error), self._field) from None
        return "".join(pieces).strip()


@lru_cache(maxsize=512)
def compile_text(
    source: str, names: frozenset[str], *, field: str = "template", rules: Rules = Rules()
) -> Compiled:
    """A template ready to render. `names` are the values it may use. Raises TemplateFault, of `field`."""
    try:
        rules.check_source(source)
        environment = _environment(rules)
        tree = environment.parse(source)
        check_tree(tree, names, FILTERS, rules)
        used = frozenset(name.name for name in tree.find_all(nodes.Name)) & names
        constant = _constant(tree)
        _guard(tree)
        return Compiled(environment.from_string(tree), used, constant, rules, field)
    except TemplateFault as fault:
        raise TemplateFault(fault.sentence, fault.line, field) from None
    except TemplateSyntaxError as error:
        raise TemplateFault(f"{_plain(error.message)}; mend it.", error.lineno, field) from None
    except RecursionError:
        raise TemplateFault("it is nested too deeply; make it simpler.", field=field) from None
    except (ValueError, OverflowError, MemoryError, SyntaxError):
        raise TemplateFault("a number or a name in it is too long; shorten it.", field=field) from None


def _guard(tree: nodes.Template) -> None:
    """Let every loop pay for its steps, and let only text be joined by `~`, and only so much."""
    for loop in list(tree.find_all(nodes.For)):
        loop.iter = _filtered(loop.iter, "_counted")
    for concat in list(tree.find_all(nodes.Concat)):
        concat.nodes = [_filtered(nodes.List(concat.nodes, lineno=concat.lineno), "join", concat.environment)]


def _filtered(node: nodes.Expr, name: str, environment: Any = None) -> nodes.Filter:
    environment = environment or node.environment
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno, environment=environment)


def _constant(tree: nodes.Template) -> str | None:
    """The text of a template that is only text."""
    data = [node for output in tree.body if isinstance(output, nodes.Output) for node in output.nodes]
    if all(isinstance(node, nodes.Output) for node in tree.body) and all(
        isinstance(node, nodes.TemplateData) for node in data
    ):
        return "".join(node.data for node in data).strip()
    return None


def _line(error: Exception) -> int | None:
    """The line of the template that an error came from, by the traceback of the code jinja2 made."""
    line, trace = None, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = _template_line(trace.tb_frame.f_globals, trace.tb_lineno)
        trace = trace.tb_next
    return line


def _template_line(scope: dict, python_line: int) -> int:
    """The template's line of a line of the Python that jinja2 made of it."""
    info = scope.get("debug_info", "")
    pairs = [pair.split("=") for pair in info.split("&") if "=" in pair]
    before = [int(line) for line, python in pairs if int(python) <= python_line]
    return before[-1] if before else 1


def _plain(message: str | None) -> str:
    """The first sentence of what Jinja2 says, to go on within one of ours."""
    first = " ".join((message or "it cannot be read").split()).split(". ")[0].rstrip(".")[:160]
    return first[:1].lower() + first[1:]


# Filters: all that a template may do to a value. Each is linear in what it is given, and bounded in what it
# makes.


_WRITTEN = (int, float, Undefined)  # an undefined value says itself what it is


def _text(value: Any) -> str:
    """A value as text. Raises TypeError for what is none, lest Python's notation get into an instruction."""
    if isinstance(value, str):
        return value
    if isinstance(value, _WRITTEN) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no text")


@pass_environment
def _join(environment: _Environment, values: Any, between: str = "", attribute: str = "") -> str:
    if not isinstance(values, list | tuple) or not isinstance(attribute, str):
        raise TypeError("nothing to join")
    fields = [environment.getattr(value, attribute) for value in values] if attribute else values
    texts, between = [_text(field) for field in fields], _text(between)
    environment.rules.check_text(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


@pass_environment
def _replace(environment: _Environment, value: Any, old: str, new: str) -> str:
    text, old, new = _text(value), _text(old), _text(new)
    environment.rules.check_text(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


@pass_environment
def _json(environment: _Environment, value: Any) -> str:
    """JSON as a person writes it: Jinja's own filter writes `<` as \\u003c, which is for web pages."""
    pieces, length = [], 0
    for piece in _JSON.iterencode(value):
        length += len(piece)
        environment.rules.check_text(length)
        pieces.append(piece)
    return "".join(pieces)


def _fields(value: Any) -> Any:
    """What JSON has no word for: a record as an object."""
    return value.fields if isinstance(value, Record) else _text(value)


def _sentence(value: Any) -> str:
    """The text with its first letter in upper case and the rest as it is."""
    text = _text(value)
    return text[:1].upper() + text[1:]


@pass_context
def _counted(context: Context, values: Any) -> Iterator[Any]:
    """The values of a loop, each paid for out of the rendering's budget."""
    if not isinstance(values, list | tuple | str):
        raise TypeError("nothing to loop over")
    budget: Budget = context["_budget"]
    for value in values:
        budget.spend()
        yield value


_JSON = json.JSONEncoder(ensure_ascii=False, default=_fields)
FILTERS: dict[str, Callable] = {
    "upper": lambda value: _text(value).upper(),
    "lower": lambda value: _text(value).lower(),
    "sentence": _sentence,
    "trim": lambda value: _text(value).strip(),
    "one_line": lambda value: " ".join(_text(value).split()),
    "replace": _replace,
    "join": _join,
    "json": _json,
    "length": lambda value: len(value) if isinstance(value, str | list | tuple) else len(_text(value)),
    "first": lambda values: values[0] if values else "",
    "last": lambda values: values[-1] if values else "",
    "default": lambda value, other="": value or other,
}


@lru_cache(maxsize=16)
def _environment(rules: Rules) -> _Environment:
    return _Environment(rules)
