"""The tests of real schedulers run when they are asked for: `make test-clusters` sets JOBMON_TEST_CLUSTERS."""

import os

collect_ignore_glob = [] if os.environ.get("JOBMON_TEST_CLUSTERS") else ["*"]
