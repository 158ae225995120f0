"""The collector: the listener that sites' pages speak to."""
