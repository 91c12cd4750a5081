"""What a plugin raised, or put somewhere, in one line of bounded width: a plugin's words can be anything."""

WIDTH = 300


def cut(text: str, width: int = WIDTH) -> str:
    """The text in one line of printable characters, its middle left out where it is wider."""
    if len(text) > 20 * width:
        text = text[: 10 * width] + text[-10 * width :]
    words = " ".join(text.split())
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
    return line if len(line) <= width else f"{line[: width - width // 4]} ... {line[-width // 4 :]}"


def said(error: BaseException) -> str:
    """An exception, with its type."""
    kind = type(error).__name__
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - of a plugin's own class
        text = "its text cannot be made"
    return cut(f"{kind}: {text}" if text else kind)


def shown(value: object) -> str:
    """A value as Python writes it."""
    try:
        return cut(repr(value))
    except Exception:  # noqa: BLE001 - of a plugin's own class
        return f"a {type(value).__name__}"
