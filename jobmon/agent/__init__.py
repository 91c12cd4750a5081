"""The agent: a worker for many attempts on one host. It runs commands and Python calls, so many at a time.

    python -m jobmon.agent --state FOLDER --workers N

Two processes: the *keeper*, which does nothing but watch, and the *spawner*, its child, which does everything else.
Both are child subreapers and hold the lock of FOLDER: whichever of them dies, the other one ends every process that was
started here, set-sid grandchildren included, before it ends too and lets go of the lock. So whoever holds the lock
knows that nothing of an older agent lives. An executor talks to the spawner through `FOLDER/agent.sock` (see
`messages`).
"""
