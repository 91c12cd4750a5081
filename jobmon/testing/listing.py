"""`python -m jobmon.testing.listing`: the sentences of this kit, as JSON, for those who may not import the kit."""

import json

import attrs

from jobmon.testing.results import kit_sentences

if __name__ == "__main__":
    print(json.dumps({check: attrs.asdict(sentence) for check, sentence in kit_sentences().items()}))
