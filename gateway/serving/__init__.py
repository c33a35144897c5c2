"""A process that serves: its listeners, its signals, its drain."""
