"""The listener for operators, apart from the data: a page, metrics, state, reload, health."""
