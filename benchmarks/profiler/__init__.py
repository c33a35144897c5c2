"""How fast the profiler computes. `make bench-profiler`."""
