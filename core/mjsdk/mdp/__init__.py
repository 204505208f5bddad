"""Terms that every task can use; each module lists its own as `TERMS`."""
