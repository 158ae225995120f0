"""Visits: visitors and their touches, and what brought them."""
