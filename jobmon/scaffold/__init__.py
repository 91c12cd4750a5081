"""The distribution that `jobmon plugin new` writes: its templates, and how they become files."""
