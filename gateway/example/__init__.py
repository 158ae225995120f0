"""Example data: ninety days of two made-up companies, for the demonstration and for whoever wants to look around.

What people do is drawn from seeded chance; what becomes of it is decided by the functions that decide it live.
"""
