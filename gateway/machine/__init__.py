"""The machine that Numberpool is installed on: its services, users and folders.

`provision.sh` sets up a Debian 12, Debian 13 or Ubuntu 24.04 server and may be run again at any time. The other files
here are what it puts in place. `python -m gateway.machine` is what it calls for an Asterisk where the distribution has
none that is new enough, and what runs the simulated carrier of the Vagrant machine.
"""
