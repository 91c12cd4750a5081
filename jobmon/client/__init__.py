"""The user's side: workflows, tasks and what came of them."""
