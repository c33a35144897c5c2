"""Files that may change while the gateway serves: read again, checked, put into effect."""
