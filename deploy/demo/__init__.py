"""From nothing to kept promises: profile, tiers, gateway and load on a real Triton, in one go."""
