#!/bin/sh
# The numberpool command, as the user and with the settings of the service.
export NUMBERPOOL_CONFIG="${NUMBERPOOL_CONFIG:-/etc/numberpool/numberpool.toml}"
case "$(id -un)" in
numberpool) exec /opt/numberpool/bin/numberpool "$@" ;;
root) exec runuser -u numberpool -- env HOME=/var/lib/numberpool /opt/numberpool/bin/numberpool "$@" ;;
*) echo "numberpool: type it as root:  sudo numberpool $*" >&2 && exit 1 ;;
esac
