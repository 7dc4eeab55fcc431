"""Write, read and store artifacts: the archives that packs return."""
