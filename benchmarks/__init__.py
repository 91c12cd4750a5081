"""How fast Jobmon is, beside others in the same run. `python -m benchmarks --help`; see README.md here."""
