"""Builds the `fashion` family of model variants from the Fashion-MNIST files, from nothing."""
