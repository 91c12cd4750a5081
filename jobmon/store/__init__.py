"""The database: the only place of the code base with SQL."""
