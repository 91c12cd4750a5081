"""A slow question to a platform, asked beside the calls of the host."""

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import attrs

from jobmon.plugins.records import SchedulerUnavailable

T = TypeVar("T")


@attrs.frozen
class Answer(Generic[T]):
    """What came of a question."""

    of: frozenset[str]  #: the tokens of the attempts for which it was asked
    value: T | None = None
    trouble: str = ""  #: why there is no value


class _Question(Generic[T]):
    def __init__(self, of: Iterable[str], ask: Callable[[], T]) -> None:
        self.of, self._ask = frozenset(of), ask
        self.answered = threading.Event()
        self.answer = Answer[T](self.of, trouble="it was not answered")

    def run(self) -> None:
        try:
            self.answer = Answer(self.of, self._ask())
        except SchedulerUnavailable as error:
            self.answer = Answer(self.of, trouble=str(error))
        except Exception as error:  # noqa: BLE001 - it is raised where nobody waits: the answer carries it
            self.answer = Answer(self.of, trouble=f"{type(error).__name__}: {error}")
        finally:
            self.answered.set()


class Beside(Generic[T]):
    """Asks what may take minutes, such as accounting, so that nothing else of the executor waits for it.

    One question is on its way at a time, in a thread of its own. Used by one thread. The question sets its own limit.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._open: _Question[T] | None = None

    def ask(self, of: Iterable[str], question: Callable[[], T]) -> Answer[T] | None:
        """The answer, or that to an earlier question: `of` tells. None: it takes longer than the patience; ask again.

        An answer is given once.
        """
        if self._open is None:
            self._open = _Question(of, question)
            threading.Thread(target=self._open.run, name="beside", daemon=True).start()
        asked = self._open
        if not asked.answered.wait(self._patience_s):
            return None
        self._open = None
        return asked.answer
