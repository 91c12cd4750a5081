"""The mutants that an author's conformance tests must catch: each is a small wrong behaviour of the author's class.

What lets one through is the fake of the platform: it never does what would show the fault.
"""

from jobmon.testing.mutants import arrays, cancelling, ending, finding, observing, submitting
from jobmon.testing.mutation import MUTANTS

__all__ = ["MUTANTS", "arrays", "cancelling", "ending", "finding", "observing", "submitting"]
