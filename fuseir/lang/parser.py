"""From text to syntax, by Lark's LALR parser; and parse errors in the user's words.

Importing this module imports Lark; the grammar is read on the first parse.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, NamedTuple, cast

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError
from lark.visitors import Transformer_NonRecursive

from fuseir.errors import FuseirError, LimitError, ParseError
from fuseir.lang.syntax import (
    KEYWORDS,
    MAX_NODES,
    MAX_PARAMETERS,
    MAX_TEXT,
    Node,
    Parameter,
    Position,
    SourceText,
    Statement,
    TaskSyntax,
)


def parse_text(text: str, filename: str) -> list[TaskSyntax]:
    """The tasks of a text, in order. Raises ParseError, LimitError."""
    return _parse(SourceText(filename, text), "tasks")


def parse_signature(text: str, filename: str) -> TaskSyntax:
    """A task without a body: ``task name(x: read, …)``. Raises ParseError, LimitError."""
    return _parse(SourceText(filename, text), "signature")


def _parse(source: SourceText, start: str) -> Any:
    if len(source.text) > MAX_TEXT:
        raise LimitError(
            f"{source.filename}: a task text has at most {MAX_TEXT} characters, this has {len(source.text)}"
        )
    try:
        tree = _parser().parse(source.text, start=start)
    except UnexpectedInput as error:
        raise _explain(source, error) from None
    try:
        return _Actions(source).transform(tree)
    except VisitError as error:
        raise error.orig_exc from None


@cache
def _parser() -> Lark:
    # The basic lexer splits text without asking the parser what fits, so that errors speak of what the user wrote.
    grammar = resources.files("fuseir.lang").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="basic", start=["tasks", "signature"], maybe_placeholders=False)


class _Keyword(NamedTuple):
    """A call's ``name=axes``."""

    name: Token
    axes: tuple[int, ...]


class _Actions(Transformer_NonRecursive[Token, Any]):
    """What each grammar rule makes; called operands first, so nodes come in evaluation order."""

    def __init__(self, source: SourceText) -> None:
        super().__init__()
        self.source = source
        self.nodes: list[Node] = []

    def _add(self, node: Node) -> int:
        if len(self.nodes) >= MAX_NODES:
            raise self.source.error(
                LimitError, node.position, f"the task is too long: more than {MAX_NODES} operators, names and literals"
            )
        self.nodes.append(node)
        return len(self.nodes) - 1

    def number(self, children: list[Token]) -> int:
        return self._add(Node("number", str(children[0]), _position(children[0])))

    def name(self, children: list[Token]) -> int:
        return self._add(Node("name", str(children[0]), _position(children[0])))

    def unary(self, children: list[Any]) -> int:
        sign, operand = children
        return self._add(Node("operator", str(sign), _position(sign), (operand,)))

    def binary(self, children: list[Any]) -> int:
        left, sign, right = children
        return self._add(Node("operator", str(sign), _position(sign), (left, right)))

    signed = unary
    power = binary

    def call(self, children: list[Any]) -> int:
        function, *arguments = children
        axes: tuple[int, ...] | None = None
        operands: list[int] = []
        for argument in arguments:
            if isinstance(argument, int):
                if axes is not None:
                    raise self.source.error(ParseError, _position(function), "`axis=` comes last in a call")
                operands.append(argument)
                continue
            keyword = cast(_Keyword, argument)
            if keyword.name != "axis":
                message = f"there is no keyword argument `{keyword.name}`, only `axis`"
                raise self.source.error(ParseError, _position(keyword.name), message)
            if axes is not None:
                raise self.source.error(ParseError, _position(keyword.name), "`axis` is given twice")
            axes = keyword.axes
        return self._add(Node("call", str(function), _position(function), tuple(operands), axes))

    def keyword(self, children: list[Any]) -> _Keyword:
        return _Keyword(children[0], children[1])

    def axes(self, children: list[int]) -> tuple[int, ...]:
        return tuple(children)

    def axis(self, children: list[Token]) -> int:
        digits = children[-1]
        if not digits.isdecimal() or len(digits) > 3:
            raise self.source.error(ParseError, _position(digits), "an axis is a whole number such as 0 or -1")
        return -int(digits) if len(children) == 2 else int(digits)

    def let(self, children: list[Any]) -> Statement:
        sign, target, value = children
        return self._statement(target, "let", value, _position(sign))

    def assignment(self, children: list[Any]) -> Statement:
        target, *sign, value = children
        if not sign:
            return self._statement(target, "=", value, _position(target))
        return self._statement(target, str(sign[0]), value, _position(sign[0]))

    def _statement(self, target: Token, sign: str, value: int, sign_position: Position) -> Statement:
        # ``first`` is filled in by `task`: only there is it known where the statement before ended.
        return Statement(str(target), sign, 0, value, _position(target), sign_position)

    def parameter(self, children: list[Token]) -> Parameter:
        name, privilege = children[0], children[1]
        operator = str(children[3]) if len(children) > 2 else None
        return Parameter(str(name), str(privilege), operator, _position(name), _position(privilege))

    def parameters(self, children: list[Parameter]) -> tuple[Parameter, ...]:
        if len(children) > MAX_PARAMETERS:
            message = f"a task has at most {MAX_PARAMETERS} parameters, this has {len(children)}"
            raise self.source.error(LimitError, children[MAX_PARAMETERS].position, message)
        return tuple(children)

    def task(self, children: list[Any]) -> TaskSyntax:
        _, name, parameters, *statements = children
        placed: list[Statement] = []
        first = 0
        for statement in cast("list[Statement]", statements):
            placed.append(
                Statement(
                    statement.target,
                    statement.sign,
                    first,
                    statement.value,
                    statement.position,
                    statement.sign_position,
                )
            )
            first = statement.value + 1
        nodes, self.nodes = tuple(self.nodes), []
        return TaskSyntax(self.source, str(name), _position(name), parameters, nodes, tuple(placed))

    def signature(self, children: list[Any]) -> TaskSyntax:
        _, name, parameters = children
        return TaskSyntax(self.source, str(name), _position(name), parameters)

    def tasks(self, children: list[TaskSyntax]) -> list[TaskSyntax]:
        return list(children)


def _position(token: Token) -> Position:
    return Position(token.line or 1, token.column or 1)


_ASSIGNMENTS = frozenset({"EQUAL", "COMPOUND_ASSIGN"})
_OPERAND = frozenset({"NAME", "NUMBER", "LPAR"})
_SPELLING = {
    "NAME": "a name",
    "NUMBER": "a number",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "SEMICOLON": "`;`",
    "EQUAL": "`=`",
    "LT": "`<`",
    "GT": "`>`",
    "MINUS": "`-`",
    "TASK": "`task`",
    "LET": "`let`",
    "$END": "the end of the text",
}
_STATEMENT_WORDS = frozenset({"if", "else", "elif", "for", "while", "return", "def", "var", "const", "in", "is"})


def _explain(source: SourceText, error: UnexpectedInput) -> FuseirError:
    """A parse error in words a user knows, with a hint where the mistake is a common one."""
    if isinstance(error, UnexpectedCharacters):
        position = Position(error.line, error.column)
        character = source.text[error.pos_in_stream or 0]
        notes = ("logical not is `not`, bitwise not is `~`",) if character == "!" else ()
        return source.error(ParseError, position, f"unexpected character {character!r}", notes)
    assert isinstance(error, UnexpectedToken)  # the basic lexer and LALR raise no other kind
    token, expected = error.token, frozenset(error.expected)
    if token.type == "$END":
        lines = source.text.split("\n")
        position = Position(len(lines), len(lines[-1]) + 1)
        return source.error(ParseError, position, f"the text ends where {_expectation(expected)} should follow")
    before = source.text[: token.start_pos or 0].rstrip()
    message, notes = _hint(token, expected, before)
    return source.error(ParseError, _position(token), message, notes)


def _hint(token: Token, expected: frozenset[str], before: str) -> tuple[str, tuple[str, ...]]:
    """Message and notes for a token that does not fit, ``before`` being the text that did."""
    plain = f"unexpected `{token}`, expected {_expectation(expected)}"
    previous = _last_word(before)
    if token in KEYWORDS and "NAME" in expected and not (token == "not" and "NOT" in expected):
        return f"`{token}` is a keyword and cannot be a name", ()
    if previous in _STATEMENT_WORDS and token.type != "RPAR":
        return plain, (
            f"there is no `{previous}` in the task language; `select(condition, a, b)` chooses between values",
        )
    if expected <= _ASSIGNMENTS | {"LPAR"} and previous:
        return (
            f"unexpected `{token}`, expected `=` after `{previous}`",
            (f"statements are `name = expression`; is an operator missing before `{previous}`?",),
        )
    if token.type in {"LT", "GT", "COMPARE"} and not expected >= _OPERAND:
        return f"comparisons do not chain: unexpected `{token}`", ("write `a < b and b < c`",)
    if token.type == "AMPERSAND" and before.endswith("&"):
        return plain, ("logical and is `and`, bitwise and is `&`",)
    if token.type == "BAR" and before.endswith("|"):
        return plain, ("logical or is `or`, bitwise or is `|`",)
    if token == "//":
        return plain, ("`//` is floor division; comments start with `#`",)
    if token.type == "EQUAL":
        return plain, ("equality is `==`",)
    if before.endswith("=") and expected == frozenset({"NUMBER", "MINUS", "LPAR"}):
        return plain, ("`name=` in a call gives a reduction's axes; equality is `==`",)
    return plain, ()


def _expectation(expected: frozenset[str]) -> str:
    """The set of terminals that would fit, in words."""
    if expected >= _OPERAND and "PLUS" in expected:
        return "an expression" + (" or `)`" if "RPAR" in expected else "")
    if "PLUS" in expected and "STAR" in expected:  # after an operand
        return "an operator or the end of the expression"
    if "LET" in expected:
        return "a statement or `}`"
    if expected >= _ASSIGNMENTS:
        return "an assignment sign"
    return " or ".join(sorted(_SPELLING.get(name, name.lower()) for name in expected))


def _last_word(text: str) -> str:
    """The name that ``text`` ends with, or nothing."""
    start = len(text)
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    return text[start:]
