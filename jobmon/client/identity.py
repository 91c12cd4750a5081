"""workflow_args as text: with the name it tells one workflow from another."""

import json
from typing import Any

from jobmon.errors import InvalidWorkflow
from jobmon.worker.values import Plain

_MOST_ITEMS = 10_000


class _Name(Plain):
    """It is given to no task: what JSON has no number for tells workflows apart as well as any."""

    def not_finite(self, value: float) -> Any:
        return value


def args_text(value: Any) -> str | None:
    """The same text for equal values and for no others: a text as it is, all else as JSON (None: there are none).

    A text that could be taken for the JSON of something else ("5", beside 5) stands in quotes.

    Raises:
        InvalidWorkflow: it is not made of plain values.
    """
    if value is None:
        return None
    name = _Name(_MOST_ITEMS)
    taken = name.take(value, "workflow_args")
    if name.problems:
        raise InvalidWorkflow(f"workflow_args must be text or JSON: {'; '.join(name.problems)}")
    if isinstance(taken, str) and not _is_json(taken):
        return taken
    return json.dumps(taken, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except RecursionError:
        return True  # it may be
    except ValueError:
        return False
    return True
