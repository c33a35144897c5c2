"""The profile: the measured columns, their summary, the folder they are kept in."""
