"""What a registry holds, read from the source files: what only lists parts need not load torch and scikit-learn (2 to 3 s).

Nothing is hidden by it: where a file says anything that can't be read word for word, the registry itself is asked.
"""

from __future__ import annotations

import ast
import functools
import importlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kd_core import task


@dataclass(frozen=True)
class Listed:
    """A registered part as a list shows it."""

    name: str
    title: str
    source: str = ""
    tasks: tuple[str, ...] = ()
    roles: str = ""
    waits: bool = False  # it is for tasks of a kind that nobody registered


def roles(can: tuple[str, ...], not_both: str = "") -> str:
    """Say what an architecture can be, and why not both.

    Example:
        >>> roles(("teacher",), "it is slow")
        "teacher; can't be a student: it is slow"
    """
    missing = {"student", "teacher"} - set(can)
    return " and ".join(can) + (f"; can't be a {missing.pop()}: {not_both}" if can and missing else "")


def title_of(package: str, registry: str, name: str) -> str | None:
    """Return the title of a part: by its registry where that is loaded, else by the source files; None of an unknown one."""
    known = getattr(sys.modules.get(package), registry, None)
    if known is not None and name in known.names():
        return str(known.get(name).title)
    return _titles(package, registry).get(name)  # the registry is there, and fills, while its package still loads


@functools.cache
def _titles(package: str, registry: str) -> dict[str, str]:
    return {part.name: part.title for part in parts(package, registry)}


class _Unreadable(Exception):  # a finding, not an error: the registry is asked instead
    pass


def parts(package: str, registry: str) -> list[Listed]:
    """List what is registered, in the order of the registry. Example: `parts("kd_core.distill", "LOSSES")`."""
    try:
        found = list(_found(_folder(package), registry))
    except _Unreadable:
        found = []
    if found and len({part.name for part in found}) == len(found):
        return found
    entries = getattr(importlib.import_module(package), registry).entries()
    return [Listed(e.name, e.title, e.source, tuple(e.tasks), of_facts(e.facts), e.waits) for e in entries]


def of_facts(facts: Mapping[str, Any]) -> str:
    """Say the roles in the facts of an entry; nothing where there are none."""
    return roles(tuple(facts.get("roles", ())), facts.get("not_both", ""))


@functools.cache  # up to half a second, and a model card, a report and every line about a chain ask again
def _found(folder: Path, registry: str, role: str | None = None) -> tuple[Listed, ...]:
    """Read the parts, or those that have a role; what is made of another registry's parts is read there."""
    found, by_name = [], False
    for tree, call in _registrations(folder, registry):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "register_each":
            package, *other = _other(tree, call)
            found += [replace(part, roles="") for part in _found(_folder(package), *other)]
            by_name = True
        elif role is None or role in _roles(call):
            found.append(_read(call))
    return tuple(sorted(found, key=lambda part: part.name) if by_name else found)


def _other(tree: ast.Module, call: ast.Call) -> tuple[str, str, str]:
    """Name the package and the registry that parts are made of, and their role."""
    imported = {
        name.name: part.module
        for part in tree.body
        if isinstance(part, ast.ImportFrom) and part.module and not part.level
        for name in part.names
        if name.asname is None
    }
    match call:
        case ast.Call(args=[ast.Name(id=registry)], keywords=[ast.keyword(arg="role", value=role)]):
            if registry in imported:
                return imported[registry], registry, _literal(role)
    raise _Unreadable


def _roles(call: ast.Call) -> tuple[str, ...]:
    return next((tuple(_literal(word.value)) for word in call.keywords if word.arg == "roles"), ())


def _folder(package: str) -> Path:
    return Path(__file__).parent.joinpath(*package.split(".")[1:])


def _registrations(folder: Path, registry: str) -> Iterator[tuple[ast.Module, ast.Call]]:
    """Find the calls of `<registry>.register`, each with its file, in the order in which an import meets them."""
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text("utf-8")
        if f"{registry}.register" not in text:
            continue
        tree = ast.parse(text, str(path))
        above = [
            d for part in tree.body if isinstance(part, ast.FunctionDef | ast.ClassDef) for d in part.decorator_list
        ]
        decorators = [d for d in above if isinstance(d, ast.Call) and _registers(d.func, registry)]
        if len(decorators) != sum(_registers(node, registry) for node in ast.walk(tree)):
            raise _Unreadable  # some are registered in a loop, or in another way than above a function or a class
        yield from ((tree, call) for call in decorators)


def _registers(node: ast.AST, registry: str) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in ("register", "register_each")
        and isinstance(node.value, ast.Name)
        and node.value.id == registry
    )


def _read(call: ast.Call) -> Listed:
    given = {word.arg: word.value for word in call.keywords}
    if len(call.args) != 1 or None in given or "title" not in given:
        raise _Unreadable
    name, title, source = (_literal(node) for node in (call.args[0], given["title"], given.get("source")))
    can = roles(_roles(call), _literal(given.get("not_both")) or "")
    tasks = _tasks(given.get("tasks"))
    return Listed(name, title, source or "", tasks, can, "tasks" in given and not tasks)


def _literal(node: ast.expr | None) -> Any:
    try:
        return ast.literal_eval(node) if node else None
    except ValueError:
        raise _Unreadable from None


def _tasks(node: ast.expr | None) -> tuple[str, ...]:
    """Name the tasks that a condition of `kd_core.task`, such as CLASSIFICATION, holds for."""
    if node is None:
        return ()
    condition = getattr(task, node.id, None) if isinstance(node, ast.Name) else None
    if condition is None:
        raise _Unreadable
    return tuple(entry.name for entry in task.TASKS.entries() if condition(entry.make))
