"""The code that finding files carry, so that they need nothing of ours: it plays steps and judges their answers."""

from __future__ import annotations

import ast
from importlib.resources import files
from typing import Final

PLAYERS: Final = ("player", "shape", "listed", "evaluation")


def player(*further: str) -> tuple[str, str]:
    """The imports, `further` ones with them, and the code of the modules."""
    imports, code = set(further), ""
    for name in PLAYERS:
        source = files("mockserver.conformance").joinpath(f"{name}.py").read_text(encoding="utf-8")
        lines = source.splitlines(keepends=True)
        for node in ast.parse(source).body:
            if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.level == 0):
                if not isinstance(node, ast.ImportFrom) or not str(node.module).startswith(("mockserver", "__")):
                    imports.add("".join(lines[node.lineno - 1 : node.end_lineno]).rstrip())
                last = node.end_lineno or 0
        code += "\n" + "".join(lines[last:]).strip("\n") + "\n"
    together = sorted(imports, key=lambda line: (line.startswith("from"), line.lower()))
    return "from __future__ import annotations\n\n" + "\n".join(together) + "\n", code
