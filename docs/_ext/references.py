"""
Lets a docstring name a thing as its code does, and holds the reference to being whole.

`Money` in the docstring of another module is found by its last word, as long as one public thing only ends in it. What
a signature names in full, and no page describes, is shown without a link.
"""

from __future__ import annotations

import re
from pydoc import locate
from typing import Final

from docutils import nodes
from docutils.nodes import Element
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

import xerosync


def _python(env: BuildEnvironment) -> PythonDomain:
    domain = env.get_domain("py")
    assert isinstance(domain, PythonDomain)  # noqa: S101  # Sphinx says no more than Domain
    return domain


# Names of the standard library that docstrings use without their module, and what signatures show of our own inside.
_ELSEWHERE: Final = frozenset({"Books", "Decimal", "Json", "date", "datetime"})
_RESOURCES: Final = "xerosync.client.resources."
_FULL: Final = ("xerosync.", "httpx.")


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: Element) -> Element | None:
    """Link *node* to the documented thing whose dotted name ends as it does; None when it could be one of several."""
    if node.get("refdomain") != "py":
        return None
    target = str(node["reftarget"])
    objects = _python(env).objects
    ending = f".{target}"
    found = [name for name in objects if f".{name}".endswith(ending)]
    # The nearest comes first: one of the same module, then an outer one (`Storage` before `memory.Storage`).
    here = [name for name in found if name.startswith(f"{node.get('py:module')}.")]
    depth = min((name.count(".") for name in found), default=0)
    outer = [name for name in found if name.count(".") == depth]
    if not here and len(outer) != 1:
        return content if target in _ELSEWHERE or (target.startswith(_FULL) and locate(target)) else None
    name = (here or outer)[0]
    entry = objects[name]
    return make_refnode(app.builder, str(node["refdoc"]), entry.docname, entry.node_id, content, name)


def leave_builtins(_app: Sphinx, document: nodes.document) -> None:
    """Show the built-in ``type`` of a signature without a link: half of the models have a field of that name."""
    for node in list(document.findall(pending_xref)):
        if node.get("reftarget") == "type" and node.get("reftype") == "class":
            node.replace_self(nodes.Text("type"))


def check_complete(_app: Sphinx, env: BuildEnvironment) -> None:
    """Warn, and so fail the build, of each public name that no page describes."""
    described = {name.rpartition(".")[2] for name in _python(env).objects}
    for name in getattr(xerosync, "__all__", ()):
        if name not in described and not name.startswith("__"):
            logging.getLogger(__name__).warning("xerosync.%s is not in the reference", name, location="reference")


def plain_signature(
    _app: Sphinx, what: str, name: str, _thing: object, _options: object, given: str | None, returns: str | None
) -> tuple[str | None, str | None] | None:
    """Show a resource's plain method with its own documents, where it is made of the awaited one that all share."""
    owner, _, _ = name.rpartition(".")
    if what != "method" or not owner.startswith(_RESOURCES):
        return None
    model = getattr(locate(f"{_RESOURCES}Async{owner.removeprefix(_RESOURCES)}"), "model", None)
    if model is None:
        return None

    def plainly(signature: str | None) -> str | None:
        if signature is None:
            return None
        shown = re.sub(r"~?\b[\w.]*\bT\b", f"~xerosync.models.{model.__name__}", signature)
        return re.sub(r"\bAsync(Changes|Iterator)\b", r"\1", shown)

    return plainly(given), plainly(returns)


def setup(app: Sphinx) -> dict[str, bool]:
    """Resolve what Sphinx could not, then look for what is missing."""
    app.connect("autodoc-process-signature", plain_signature)
    app.connect("doctree-read", leave_builtins)
    app.connect("missing-reference", resolve)
    app.connect("env-check-consistency", check_complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
