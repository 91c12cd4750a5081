"""The server: all writes through JobStateManager, all reads through JobQueryServer, over one typed HTTP interface."""
