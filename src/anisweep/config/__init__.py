"""Read and check the configuration: typed sections, studies, sites, and the project's folders."""
