"""Gates for continuous integration: whether promises are still kept, and what got worse."""
