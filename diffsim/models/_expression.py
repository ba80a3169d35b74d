"""Expressions as text: read by Python's own grammar, checked against a short list, evaluated on tensors.

Nothing is executed: a text becomes a tree of nested tuples, ("+", a, b), ("call", "exp", a), ("name", "u"),
("number", 2.0). The tree is hashable, so that the same text means the same compiled program.
"""

from __future__ import annotations

import ast
import difflib
import math
import operator

import tensorflow as tf

from diffsim import _checks, _nest

FUNCTIONS = {
    "exp": tf.exp, "log": tf.math.log, "sqrt": tf.sqrt, "abs": tf.abs, "sign": tf.sign,
    "sin": tf.sin, "cos": tf.cos, "tan": tf.tan, "sinh": tf.sinh, "cosh": tf.cosh, "tanh": tf.tanh,
    "min": tf.minimum, "max": tf.maximum,
}
ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_LIMIT = 2000  # characters of one expression


def read(text: str, where: str):
    """The tree of an expression.

    Raises:
        ValueError: it is no arithmetic of numbers, names and functions.
    """
    if len(text) > _LIMIT:
        _checks.refuse(where, brief(text), f"at most {_LIMIT} characters", "it is one equation",
                       "Use ds.models.from_rates(…).")
    try:
        return _tree(ast.parse(text.strip(), mode="eval").body, where)
    except (SyntaxError, MemoryError, RecursionError) as error:
        _checks.refuse(where, brief(text), "an expression like a - u + u**2*v",
                       f"it is read as arithmetic ({getattr(error, 'msg', None) or 'too deeply nested'})",
                       "Write products with * and powers with **.")


def _tree(node, where):
    match node:
        case ast.Constant(value=bool() | str() | bytes() | None | complex()):
            pass
        case ast.Constant(value=int() | float()) if math.isfinite(_float(node.value)):
            return "number", float(node.value)
        case ast.Name():
            return ("number", math.pi) if node.id == "pi" else ("name", node.id)
        case ast.UnaryOp(op=ast.UAdd()):
            return _tree(node.operand, where)
        case ast.UnaryOp(op=ast.USub()):
            return "neg", _tree(node.operand, where)
        case ast.BinOp(op=ast.Div(), right=ast.Constant(value=0 | 0.0)):
            _checks.refuse(where, brief(ast.unparse(node)), "a divisor that is not zero", "x/0 has no value",
                           "Check the equation.")
        case ast.BinOp() if type(node.op) in _SIGNS:
            return _SIGNS[type(node.op)], _tree(node.left, where), _tree(node.right, where)
        case ast.BinOp(op=ast.BitXor()):
            _checks.refuse(where, brief(ast.unparse(node)), "powers as u**2",
                           "^ binds less tightly than + here", "Write ** instead of ^.")
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            return _call(name, node, where)
    return _checks.refuse(where, brief(ast.unparse(node)), "numbers, names, + - * / ** and functions",
                          "equations are arithmetic, and nothing else is executed",
                          "For anything else use ds.models.from_rates(…).")


def brief(text: str) -> _checks.Verbatim:
    """The text, or its beginning."""
    text = text.strip()
    return _checks.Verbatim(text if len(text) <= 80 else text[:77] + "...")


def _float(value):
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _call(name, node, where):
    if name not in FUNCTIONS and name != "lap":
        near = difflib.get_close_matches(name, [*FUNCTIONS, "lap"], 1)
        _checks.refuse(where, _checks.Verbatim(f"unknown function {name}"),
                       f"one of {', '.join(sorted([*FUNCTIONS, 'lap']))}", "only these are known",
                       f"Did you mean {near[0]}?" if near else "For a product write *, for others use from_rates(…).")
    count = 2 if name in ("min", "max") else 1
    if len(node.args) != count or any(isinstance(a, ast.Starred) for a in node.args):
        _checks.refuse(where, brief(ast.unparse(node)), f"{count} argument{'s' * (count > 1)} of {name}",
                       "that is what it takes", "Mind the commas and brackets.")
    return "call", name, *(_tree(a, where) for a in node.args)


def names(tree) -> frozenset[str]:
    """All names in a tree."""
    if tree[0] == "name":
        return frozenset((tree[1],))
    return frozenset().union(*(names(part) for part in tree[1:] if isinstance(part, tuple)))


def has_lap(tree) -> bool:
    """Whether lap(…) occurs."""
    return tree[:2] == ("call", "lap") or any(has_lap(part) for part in tree[1:] if isinstance(part, tuple))


def show(tree) -> str:
    """The tree as text."""
    match tree:
        case ("number", value):
            return f"{value:g}"
        case ("name", name):
            return name
        case ("neg", a):
            return f"-{show(a)}"
        case ("call", name, *parts):
            return f"{name}({', '.join(map(show, parts))})"
    sign, *parts = tree
    return f" {sign} ".join(f"({show(p)})" if p[0] in ("+", "-", "*", "/", "**") else show(p) for p in parts)


def value(tree, given: dict, like: tf.Tensor | None = None):
    """The value of a tree, names standing for `given`; with `like` parameters and numbers take its precision."""
    match tree:
        case ("number", x):
            return x
        case ("name", name):
            x = given[name]
            return x if like is None else _nest.to(x, like.dtype)
        case ("neg", a):
            return -value(a, given, like)
        case ("call", name, *parts):
            parts = [value(p, given, like) for p in parts]
            return FUNCTIONS[name](*(tf.convert_to_tensor(p, None if like is None else like.dtype) for p in parts))
        case ("**", a, ("number", n)) if n in (2.0, 3.0, 4.0):
            x = value(a, given, like)
            return x * x if n == 2.0 else x * x * x if n == 3.0 else (x * x) * (x * x)
        case ("**", a, b):
            return value(a, given, like) ** value(b, given, like)
    sign, a, b = tree
    return ARITHMETIC[sign](value(a, given, like), value(b, given, like))
