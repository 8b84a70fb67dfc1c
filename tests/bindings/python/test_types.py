"""Type hints: whole, true to the header, and seen by a checker in a user's program."""
import inspect
import subprocess
import sys
import typing

import arnn
import header
import pytest
from arnn import _types
from arnn._base import HIDDEN, WORDS, ffi, words

PUBLIC = [getattr(arnn, name) for name in arnn.__all__]
OPTIONS = {"model_desc": _types.ModelOptions, "cache_desc": _types.CacheOptions, "trainer_desc": _types.TrainerOptions,
           "training": _types.Training}
KINDS = {"float": float, "double": float}


def callables(thing):
    """Public functions of a class, or the function itself, each with its name."""
    if not inspect.isclass(thing):
        return [(thing.__name__, thing)]
    found = []
    for owner in thing.__mro__:
        if owner.__module__.startswith("arnn."):
            for name, member in vars(owner).items():
                if not name.startswith("_") or name in ("__init__", "__enter__", "__exit__", "__getitem__", "__setitem__", "__len__"):
                    functions = (member.fget, member.fset) if isinstance(member, property) else (inspect.unwrap(getattr(owner, name)),)
                    found += [(f"{thing.__name__}.{name}", function) for function in functions if inspect.isfunction(function)]
    return found


@pytest.mark.parametrize("name, function", [pair for thing in PUBLIC for pair in callables(thing)], ids=lambda value: str(value)[:40])
def test_signatures_are_complete_and_say_what_they_do(name, function):
    signature = inspect.signature(function)
    names = list(signature.parameters)
    bare = [each for each in names if signature.parameters[each].annotation is inspect.Parameter.empty]
    assert bare in ([], ["self"], ["cls"]), f"{name} has no type for {bare}"
    assert signature.return_annotation is not inspect.Signature.empty, f"{name} has no return type"
    assert function.__doc__ or "__" in name, f"{name} has no docstring"


@pytest.mark.parametrize("struct", OPTIONS)
def test_options_are_the_members_of_the_header(struct):
    members = {name: field.type for name, field in ffi.typeof(f"arnn_{struct}").fields if name not in HIDDEN}
    hints = typing.get_type_hints(OPTIONS[struct])
    assert list(hints) == list(members) if struct != "training" else hints.keys() == members.keys()
    for name, hint in hints.items():
        if name in WORDS and members[name].cname == "int32_t":
            literal, number = typing.get_args(hint)
            assert set(typing.get_args(literal)) == words(WORDS[name]).keys() and number is int
        else:
            assert hint is KINDS.get(members[name].cname, int), name


def test_a_users_program(tmp_path):
    pytest.importorskip("mypy")
    here = header.TOP / "tests/bindings/python/typed.py"
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", sys.executable, "--cache-dir", tmp_path, here]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
