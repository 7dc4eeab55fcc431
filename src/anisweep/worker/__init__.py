"""Inside a job: pin the threads, time the cells, compare with the anchor, write the artifact."""
