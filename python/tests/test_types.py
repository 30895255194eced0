"""The stubs say what there is, and what there is has words."""

import ast
import inspect
import pathlib

import jpegdct
from jpegdct import _jpegdct

STUBS = ast.parse((pathlib.Path(jpegdct.__file__).parent / "_jpegdct.pyi").read_text())

#: Methods that stubs name and classes have under other names or inherit, and the other way round.
SPECIAL = {"__new__", "__call__", "__len__", "__getitem__", "__iter__"}


def members(body):
    return {node.name: node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def test_stubs_name_everything():
    stubs = members(STUBS.body)
    assert {name for name in stubs if not name.startswith("_")} == {
        name for name in vars(_jpegdct) if not name.startswith("_")
    }
    for name, node in stubs.items():
        if isinstance(node, ast.ClassDef) and not name.startswith("_"):
            there = {member for member in vars(getattr(_jpegdct, name)) if not member.startswith("_")}
            assert set(members(node.body)) - SPECIAL == there, name


def test_keywords_are_those_of_the_stubs():
    for name, node in members(STUBS.body).items():
        if isinstance(node, ast.FunctionDef):
            arguments = [argument.arg for argument in node.args.args + node.args.kwonlyargs]
            assert arguments == list(inspect.signature(getattr(_jpegdct, name)).parameters), name


def test_everything_has_words():
    assert (pathlib.Path(jpegdct.__file__).parent / "py.typed").exists()
    for name in jpegdct.__all__:
        thing = getattr(jpegdct, name)
        if name != "__version__":
            assert thing.__doc__, name
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                if callable(value) and not member.startswith("_"):
                    assert value.__doc__, f"{name}.{member}"
