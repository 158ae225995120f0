"""Reports: what the figures of a period are, from daily rollups; and what is told by mail."""
