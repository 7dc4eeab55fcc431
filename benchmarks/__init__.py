"""What `make bench` runs: figures, never red."""
