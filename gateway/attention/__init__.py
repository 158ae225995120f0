"""What needs somebody: missed calls, full pools, numbers and sites that fell silent, trunks that do not answer."""
