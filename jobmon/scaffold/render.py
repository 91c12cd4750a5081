"""From a name to the files of a distribution: plain replacement in templates, nothing is run."""

import keyword
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from jobmon.errors import InvalidRequest

#: The template of an executor that takes its platform's commands from its author, and of one that does all by itself.
BATCH, PLAIN = "executor.py.template", "plain.py.template"
#: Files of the distribution, below its folder, and the templates that they are made of.
TEMPLATES = {
    "pyproject.toml": "pyproject.toml.template",
    "README.md": "README.md.template",
    "LICENSE": "LICENSE.template",
    "src/jobmon_{name}/__init__.py": BATCH,
    "src/jobmon_{name}/py.typed": None,
    "tests/test_{name}_conformance.py": "conformance.py.template",
    "tests/test_{name}_discovery.py": "discovery.py.template",
    "tests/test_{name}_workflow.py": "workflow.py.template",
    ".github/workflows/tests.yml": "tests.yml.template",
}


def check_name(name: str, *, installed: Mapping[str, Sequence[str]]) -> None:
    """Refuse what cannot be the name of a new executor type; `installed` has, by type, the distributions that bring it.

    Raises:
        InvalidRequest: it is no lower-case identifier, or such a type is installed.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        made = re.sub(r"\W+", "_", name.lower()).strip("_")
        hint = f"; try {made!r}" if made != name and made.isidentifier() and not keyword.iskeyword(made) else ""
        raise InvalidRequest(
            f"{name!r} cannot be the name of an executor type: it becomes the name of a Python package, so it has "
            f"lower-case letters, digits and _ alone, begins with a letter and is no keyword{hint}"
        )
    if brought := installed.get(name):
        raise InvalidRequest(
            f"an executor type {name!r} is installed already, by {' and '.join(brought)}: take another name, "
            f"or, to write it anew, pip uninstall {' '.join(brought)}"
        )


def write_distribution(
    name: str, parent: Path, *, contract: tuple[int, int], jobmon_version: str, plain: bool = False
) -> list[Path]:
    """Write `jobmon_NAME` in the folder `parent`; the files that were written.

    The class derives from BatchExecutor; if it is to be `plain`, from Executor.

    Raises:
        InvalidRequest: there is something of that name already, which is left as it is.
    """
    folder = parent / f"jobmon_{name}"
    values = {
        "@NAME@": name,
        "@CLASS@": "".join(part.capitalize() for part in name.split("_")),
        "@DISTRIBUTION@": f"jobmon-executor-{name.replace('_', '-')}",
        "@CONTRACT@": repr(contract),
        "@JOBMON@": jobmon_version,
    }
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise InvalidRequest(
            f"{folder} is there already and is left as it is: remove it, or take another name"
        ) from None
    written = []
    for target, made_of in TEMPLATES.items():
        template = PLAIN if plain and made_of == BATCH else made_of
        path = folder / target.format(name=name)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (files("jobmon.scaffold") / template).read_text(encoding="utf-8") if template else ""
        for word, value in values.items():
            text = text.replace(word, value)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
