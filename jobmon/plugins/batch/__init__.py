"""Executors for batch systems that are used through commands: their authors write command lines and parsers alone."""
