"""Tiers: from the wanted ones and a profile to those that can be promised."""
