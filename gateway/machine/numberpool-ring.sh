#!/bin/sh
# Rings a number from the simulated carrier:  numberpool-ring 13065552001
case "$(id -un)" in
numberpool-carrier) exec /opt/numberpool/bin/python -m gateway.machine ring "$@" ;;
root) cd / && exec runuser -u numberpool-carrier -- /opt/numberpool/bin/python -m gateway.machine ring "$@" ;;
*) echo "numberpool-ring: type it as root:  sudo numberpool-ring $*" >&2 && exit 1 ;;
esac
