"""`python -m jobmon.testing.listing`: the kit's sentences and mutants as JSON, for those who may not import the kit."""

import json

import attrs

from jobmon.testing.mutants import MUTANTS
from jobmon.testing.results import kit_sentences

if __name__ == "__main__":
    sentences = {check: attrs.asdict(sentence) for check, sentence in kit_sentences().items()}
    told = attrs.filters.include("name", "what", "caught_by", "fake", "add", "as_far_as")
    print(json.dumps({"sentences": sentences, "mutants": [attrs.asdict(one, filter=told) for one in MUTANTS.values()]}))
