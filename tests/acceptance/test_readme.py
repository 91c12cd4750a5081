"""The example of the README, as it stands there, is a workflow that runs."""

import re
from pathlib import Path

from users import User

README = Path(__file__).resolve().parents[2] / "README.md"


def test_a_newcomer_copies_the_example_and_it_runs(user: User) -> None:
    text = README.read_text(encoding="utf-8")
    script, models = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    toml = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[0]
    published = user.folder / "published.csv"
    user.write("life.py", script)
    user.write("models.py", models)
    user.write("jobmon.toml", toml)
    done = user.run("life.py")
    assert done.status == 0, done.said
    assert published.read_text() == "Chad,54.0\nMali,54.0\nNiger,55.0\n"
    assert set(user.recorded.states().values()) == {"DONE"}
