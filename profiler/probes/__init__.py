"""Probes: those of a profile's samples that the gateway may send itself, and how it answers them.

A few hundred samples drawn at random are a point or more easier or harder than all of them, and a
promise held against them would be held unfairly. So they are chosen: whatever a tier may ask, its
quality on them is that on all samples, nearly.
"""
