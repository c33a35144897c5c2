"""What was really delivered, as numbers that can be summed across replicas."""
