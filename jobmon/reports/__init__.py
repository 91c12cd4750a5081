"""What the conformance kit finds out about executor types: reports, the levels that follow, and pages of many."""
