"""Pages of the reference, one for each folder of the package: a hook of mkdocs.yml.

A page lists the modules of its folder, private ones left out, so that none is ever missing.
"""

import ast
import pathlib

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PACKAGE = pathlib.Path(__file__).parents[1] / "multitask_recommender"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds `reference.md`, the list, and `api/multitask_recommender.<folder>.md`."""
    lines = ["# Reference", "", "| package | what it is |", "|---|---|"]
    for folder in [PACKAGE, *sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))]:
        name = ".".join(folder.relative_to(PACKAGE.parent).parts)
        text = f"# {name}\n\n" + "\n".join(f"::: {module}\n" for module in _modules(folder))
        files.append(File.generated(config, f"api/{name}.md", content=text))
        lines.append(f"| [{name}](api/{name}.md) | {_about(folder)} |")
    index = "\n".join(lines) + "\n"
    files.append(File.generated(config, "reference.md", content=index))
    return files


def _modules(folder: pathlib.Path) -> list[str]:
    """Dotted names: those of a package's own folders too, but at the top."""
    paths = folder.glob("*.py") if folder == PACKAGE else folder.rglob("*.py")
    names = [path.relative_to(PACKAGE.parent).with_suffix("").parts for path in sorted(paths)]
    shown = [parts for parts in names if parts[-1] == "_base" or not _is_private(parts)]
    return [".".join(parts) for parts in shown]


def _is_private(parts: tuple[str, ...]) -> bool:
    return any(part.startswith("_") for part in parts)


def _about(folder: pathlib.Path) -> str:
    """The first line of the folder's docstring."""
    text = (folder / "__init__.py").read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text)) or ""
    return docstring.split("\n")[0].replace("|", "\\|")
