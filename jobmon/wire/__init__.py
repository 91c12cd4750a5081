"""What travels between the processes: messages, the one table of routes, and how errors travel."""
