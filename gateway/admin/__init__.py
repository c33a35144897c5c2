"""The listener for operators, apart from the data: metrics, state, reload, health."""
