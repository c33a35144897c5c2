"""What is fast is shown here, against the straightforward way to do it, in the same run."""
