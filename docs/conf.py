"""How the pages are built: ``nox -s docs``."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path

from xerosync._version import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "xerosync"
author = "xerosync maintainers"
copyright = "2026, xerosync maintainers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "feature_table", "references"]
exclude_patterns = ["_build", "_ext", "examples"]
html_theme = "furo"
html_title = "xerosync"
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["pages.css"]

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 3

# In docstrings `Money` is a link to it, and a name that is not there fails the build.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True}
python_use_unqualified_type_names = True

# Other projects' names have no page here: those of the standard library, of attrs, and type variables.
nitpick_ignore_regex = [
    ("py:.*", rf"({'|'.join(sorted(vars(builtins)))})(\..*)?"),
    ("py:.*", rf"({'|'.join(sorted(sys.stdlib_module_names))})(\..*)?"),
    ("py:.*", r"(attr|attrs|matplotlib|opentelemetry|procrastinate|redis|rich|sqlalchemy|typing_extensions)\..*"),
    ("py:.*", r"([\w.]+\.)?[A-Z]|([\w.]+\.)?[A-Z]\w*_co(ntra)?"),
]
