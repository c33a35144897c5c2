"""The gateway's own dataplane in virtual time, against a simulated Triton, deterministic by seed.

clock.py is the time, latency.py how long a variant takes, faults.py what goes wrong and when,
device.py the Triton, samples.py what is asked and what is answered, run.py plays it all.
"""
