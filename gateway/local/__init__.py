"""What a demonstration, the tests and small installations run on one machine.

A private Asterisk and an embedded Postgres, both without root and without touching the system,
and a simulated carrier that places real calls. Nothing here is needed beside an Asterisk and a
Postgres that the administrator already has.
"""
