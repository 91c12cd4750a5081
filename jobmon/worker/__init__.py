"""The program that runs beside a user's command, wherever it was placed, and reports: standard library alone.

It is shipped to nodes as one file, `worker.pyz`, and a starter of five lines beside it. There this package is named
`jobmon_worker` (so that a user's own `import jobmon` is not shadowed); its modules therefore import each other
relatively, and nothing else of Jobmon.

    python -I -S worker.pyz run START_FILE      one attempt: win the start, run the command, report its end
    python -I -S worker.py run START_FILE       the same, sooner: a script of five lines beside it
    python worker.pyz call IN_FD OUT_FD         a Python call, as the command of such an attempt

Every job of a cluster pays for its start-up, so its modules import little: `_socket`, `_signal` and `_ctypes` in place
of the modules above them, whose imports (`enum`, `re`, `selectors`) cost more than everything the worker does; its JSON
is that of `compact`.
"""
