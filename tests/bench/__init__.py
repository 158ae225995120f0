"""What ``make bench`` measures: the figures, as differences and ratios within one run."""
