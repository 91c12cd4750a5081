"""What decoding JSON from outside may raise."""

import msgspec

#: All that msgspec raises for bytes that are not JSON of the wanted type: a byte that is no UTF-8 within a string and
#: nesting beyond the interpreter's limit are no `DecodeError`.
Undecodable = (msgspec.DecodeError, UnicodeError, RecursionError)
