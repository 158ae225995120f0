#!/usr/bin/env bash
# Sets up Numberpool on a Debian 12, Debian 13 or Ubuntu 24.04 server: Asterisk, Postgres, Numberpool, as services.
#
#   sudo gateway/machine/provision.sh                                        from a checkout
#   sudo provision.sh numberpool-0.1.0-py3-none-any.whl                      from a wheel (the script is in gateway/machine)
#
# It may be run again at any time, to bring the machine up to date or to mend it: it only changes what differs, never
# overwrites what an administrator wrote, and says at the end what it changed. Where a suitable Asterisk or Postgres is
# there already, it uses that one.
#
# What can be told from outside:
#   NUMBERPOOL_DEMO=1             also a company with numbers, a softphone and a simulated carrier (as Vagrantfile does)
#   NUMBERPOOL_HOST_ADDRESS=...   with it: the address under which telephones reach this machine, if it is behind NAT
#   NUMBERPOOL_PUBLIC_URL=...     the address of the pages, for the first settings file
#   NUMBERPOOL_RTP_PORTS=A-B      UDP ports for sound, for the first configuration of a private Asterisk
#   NUMBERPOOL_RENEW_ASTERISK=1   fetch the private Asterisk again, in its newest version
#
# A Postgres on another machine: put its DSN into /etc/numberpool/postgres-dsn before the first run.
set -euo pipefail
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
umask 022
shopt -s lastpipe # what is at the end of a pipe remembers what it changed

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WHEEL=${1:+$(realpath "$1")}
DEMO=${NUMBERPOOL_DEMO:-}
PROGRAM=/opt/numberpool
PYTHON=$PROGRAM/bin/python
ETC=/etc/numberpool
SPOOL=/var/spool/asterisk/numberpool
RENDERED=/etc/asterisk/numberpool
cd /

# --- How it works and what it says ---------------------------------------------------------------------------------

CHANGES=()
# What still has to be started anew, or "reload": kept for the next run, should this one break off; until the machine starts.
PENDING=/run/numberpool-provision

say() { printf '%s\n' "$*"; }
die() { printf 'provision.sh: %s\n' "$*" >&2; exit 1; }
changed() { CHANGES+=("$*"); say "  changed: $*"; }

# Whether systemd runs here; in a chroot or while an image is built it does not, and nothing can be started.
systemd_runs() { [ -d /run/systemd/system ]; }

# due NAME: that service's program, unit or settings changed, or, by "reload", what Asterisk reads anew.
due() { mkdir -p "$PENDING" && : >"$PENDING/$1"; }
is_due() { [ -e "$PENDING/$1" ]; }
settled() { rm -f "$PENDING/$1"; }

# put FILE MODE OWNER:GROUP: the file gets the text from standard input, unless it has it. WROTE tells which.
put() {
	local file=$1 mode=$2 owner=$3 fresh
	fresh=$(mktemp)
	cat >"$fresh"
	WROTE=
	if ! cmp -s "$fresh" "$file"; then
		install -D -m "$mode" -o "${owner%:*}" -g "${owner#*:}" "$fresh" "$file"
		WROTE=yes
		changed "$file"
	elif [ "$(stat -c '%04a %U:%G' "$file")" != "$mode $owner" ]; then
		chown "$owner" "$file"
		chmod "$mode" "$file"
		changed "$file (its owner or mode)"
	fi
	rm -f "$fresh"
}

# folder PATH MODE OWNER:GROUP
folder() {
	local path=$1 mode=$2 owner=$3
	if [ ! -d "$path" ] || [ "$(stat -c '%04a %U:%G' "$path")" != "$mode $owner" ]; then
		install -d -m "$mode" -o "${owner%:*}" -g "${owner#*:}" "$path"
		changed "folder $path"
	fi
}

# system_user NAME HOME
system_user() {
	getent passwd "$1" >/dev/null && return
	useradd --system --user-group --home-dir "$2" --no-create-home --shell /usr/sbin/nologin "$1"
	changed "user $1"
}

# A file with a random word, made once.
secret() {
	local word=
	[ ! -f "$1" ] || word=$(cat "$1")
	[ -n "$word" ] || word=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
	printf '%s\n' "$word" | put "$1" 0640 root:numberpool
}

# add_once FILE WORD: the lines from standard input go to the end of FILE, unless WORD stands in it. WROTE tells which.
add_once() {
	local file=$1 word=$2
	WROTE=
	if [ -f "$file" ] && grep -qF -- "$word" "$file"; then
		cat >/dev/null
		return
	fi
	{ printf '\n; Numberpool: added by provision.sh\n' && cat && printf '; Numberpool: end\n'; } >>"$file"
	WROTE=yes
	changed "$file (lines added at its end)"
}

# Install what is missing of these packages.
packages() {
	local missing=() each
	for each in "$@"; do
		dpkg-query -W -f '${db:Status-Status}' "$each" 2>/dev/null | grep -qx installed || missing+=("$each")
	done
	[ ${#missing[@]} = 0 ] && return
	say "Installing ${missing[*]}"
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
	changed "packages ${missing[*]}"
}

# enable UNIT: from the next start of the machine on, and now where systemd runs.
enable() {
	systemctl is-enabled --quiet "$1" 2>/dev/null && return
	systemctl enable --quiet "$1"
	changed "$1 is enabled"
}

# start UNIT, or start it anew where what it runs has changed.
start() {
	if ! systemd_runs || ! systemctl cat "$1" >/dev/null 2>&1; then
		settled "$1" # it starts with the machine
		return
	fi
	if ! systemctl is-active --quiet "$1"; then
		systemctl start "$1"
		changed "$1 was started"
	elif is_due "$1" && [ "$1" = asterisk ] && [ -n "$PRIVATE" ]; then
		# No call is cut off; its unit starts it again.
		asterisk -rx 'core stop when convenient' >/dev/null
		changed "asterisk starts anew as soon as there is no call in it"
	elif is_due "$1"; then
		systemctl restart "$1"
		changed "$1 was started anew"
	fi
	settled "$1"
}

# --- 1. The system's packages --------------------------------------------------------------------------------------

[ "$(id -u)" = 0 ] || die "it sets up services, so please run it as root:  sudo $0"
# shellcheck source=/dev/null
. /etc/os-release
case "$ID ${VERSION_ID:-}" in
"debian 12" | "debian 13" | "ubuntu 24.04") ;;
*) say "This is $PRETTY_NAME. The script is tried on Debian 12, Debian 13 and Ubuntu 24.04; going on." ;;
esac
say "Numberpool on $PRETTY_NAME"
packages ca-certificates logrotate python3 python3-venv systemd tzdata
[ -z "$DEMO" ] || packages espeak-ng sip-tester

# Asterisk asks for the machine's own name at each call, and a name server that does not answer would hold the call up.
# Debian's installer writes the same two lines.
while read -r address name; do
	if ! getent -s files hosts "$name" >/dev/null; then
		printf '%s\t%s\n' "$address" "$name" >>/etc/hosts
		changed "/etc/hosts knows $name"
	fi
done <<-END
	127.0.0.1 localhost
	127.0.1.1 $(uname -n)
END

# --- 2. The program, in a virtual environment of its own -----------------------------------------------------------

if [ -n "$WHEEL" ]; then
	[ -f "$WHEEL" ] || die "there is no wheel $WHEEL"
	CONTENT=$(sha256sum <"$WHEEL")
else
	CHECKOUT=$(cd "$HERE/../.." && pwd)
	[ -f "$CHECKOUT/pyproject.toml" ] || die "this script is not in a checkout; name the wheel:  $0 numberpool-...whl"
	CONTENT=$(cd "$CHECKOUT" && find asterisk_conf gateway migrations web pyproject.toml requirements.txt \
		-name __pycache__ -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
fi
WANTED="$CONTENT $(python3 --version)"
if [ "$(cat $PROGRAM/installed 2>/dev/null)" != "$WANTED" ]; then
	say "Installing Numberpool in $PROGRAM"
	"$PYTHON" -c 'import pip, sys; sys.exit(sys.version.split()[0] not in sys.argv)' "$(python3 -c 'import sys; print(sys.version.split()[0])')" \
		2>/dev/null || python3 -m venv --clear $PROGRAM
	rm -f $PROGRAM/installed
	if [ -n "$WHEEL" ]; then
		"$PYTHON" -m pip install --quiet --no-input --no-cache-dir "$WHEEL"
		"$PYTHON" -m pip install --quiet --no-input --no-cache-dir --no-deps --force-reinstall "$WHEEL"
	else
		"$PYTHON" -m pip install --quiet --no-input --no-cache-dir --no-deps --require-hashes -r "$CHECKOUT/requirements.txt"
		"$PYTHON" -m pip install --quiet --no-input --no-cache-dir --no-deps --force-reinstall "$CHECKOUT"
	fi
	printf '%s\n' "$WANTED" >$PROGRAM/installed
	changed "the program in $PROGRAM"
	due numberpool
	due numberpool-checks
	due numberpool-carrier
fi
put /usr/local/bin/numberpool 0755 root:root <"$HERE/numberpool-command.sh"

# --- 3. Asterisk: the system's own if it is new enough, else a private one -------------------------------------------

new_enough() { "$PYTHON" -c '
import sys
from gateway.local.programs import is_new_enough, parse_version
version = parse_version(sys.argv[1])
sys.exit(version is None or not is_new_enough(version))' "$1"; }

PRIVATE=
if found=$(command -v asterisk) && ! grep -q "Numberpool's private Asterisk" "$found"; then
	new_enough "$(asterisk -V)" ||
		die "$(asterisk -V) is too old: events can be filtered from 20.11 and 22.1 on. Upgrade it, or remove it, and run this again."
elif [ -z "$found" ] && offered=$(apt-cache policy asterisk | sed -n 's/^ *Candidate: *\([0-9]*:\)\?\([0-9].*\)/\2/p') &&
	[ -n "$offered" ] && new_enough "Asterisk $offered"; then
	packages asterisk
else
	PRIVATE=yes
	system_user asterisk /var/lib/asterisk
	folder /etc/asterisk 0750 root:asterisk
	for each in /var/lib/asterisk /var/lib/asterisk/agi-bin /var/lib/asterisk/keys /var/log/asterisk /var/cache/asterisk \
		/var/spool/asterisk /var/spool/asterisk/outgoing /var/spool/asterisk/tmp; do
		folder "$each" 0750 asterisk:asterisk
	done
	options=(--rtp-ports "${NUMBERPOOL_RTP_PORTS:-10000-20000}")
	[ -z "${NUMBERPOOL_RENEW_ASTERISK:-}" ] || options+=(--renew)
	told=$("$PYTHON" -m gateway.machine asterisk "${options[@]}") || { due asterisk && exit 1; }
	while IFS= read -r line; do
		[ -z "$line" ] || { changed "$line" && due asterisk; }
	done <<<"$told"
	put /etc/systemd/system/asterisk.service 0644 root:root <"$HERE/asterisk.service"
	[ -z "$WROTE" ] || due asterisk
	put /etc/logrotate.d/numberpool-asterisk 0644 root:root <"$HERE/asterisk.logrotate"
fi

# --- 4. Users, folders, secrets, settings --------------------------------------------------------------------------

system_user asterisk /var/lib/asterisk # a package brings it; an Asterisk built by hand may not have it
system_user numberpool /var/lib/numberpool
if ! id -nG numberpool | grep -qw asterisk; then
	usermod -aG asterisk numberpool
	changed "numberpool is in the group asterisk"
fi
folder $ETC 0750 root:numberpool
folder /var/lib/numberpool 0750 numberpool:numberpool
folder $RENDERED 2750 numberpool:asterisk
# What Asterisk writes here belongs to its group, and Numberpool, which is in it, takes it away.
for each in $SPOOL $SPOOL/outbox $SPOOL/recordings $SPOOL/sounds; do folder "$each" 2770 asterisk:asterisk; done
secret $ETC/ami-secret
secret $ETC/ami-store-secret
[ -z "$DEMO" ] || secret $ETC/softphone-password

if [ ! -f $ETC/numberpool.toml ]; then
	host=127.0.0.1 rings=PJSIP/main url='# public_url = "https://calls.example.com"'
	if [ -n "$DEMO" ]; then
		# Vagrant forwards the host's port to the machine's address, not to its loopback.
		host=0.0.0.0 rings=PJSIP/+13065551234@carrier NUMBERPOOL_PUBLIC_URL=${NUMBERPOOL_PUBLIC_URL:-http://127.0.0.1:8080}
	fi
	[ -z "${NUMBERPOOL_PUBLIC_URL:-}" ] || url="public_url = \"$NUMBERPOOL_PUBLIC_URL\""
	put $ETC/numberpool.toml 0640 root:numberpool <<-END
		# Numberpool's settings; the README explains them. This file is yours: provision.sh does not change it.
		data_folder = "/var/lib/numberpool"

		[postgres]
		dsn_file = "$ETC/postgres-dsn"

		[pages]
		host = "$host"
		port = 8080
		$url

		[calls]
		default_destination = "$rings"   # rings whenever nothing better is known

		[[nodes]]
		name = "pbx"
		spool = "$SPOOL"
		secret_file = "$ETC/ami-secret"
		store_secret_file = "$ETC/ami-store-secret"
	END
	due numberpool
	due numberpool-checks
fi

# --- 5. Postgres: a database for an ordinary role that signs in as this machine's user of the same name --------------

POSTGRES_STARTED=()
stop_postgres() { [ ${#POSTGRES_STARTED[@]} = 0 ] || pg_ctlcluster "${POSTGRES_STARTED[@]}" stop; }
trap stop_postgres EXIT

LOCAL_DSN='postgresql:///numberpool?host=/var/run/postgresql'
[ -f $ETC/postgres-dsn ] && dsn=$(cat $ETC/postgres-dsn) || dsn=$LOCAL_DSN
# Nothing to do for a Postgres elsewhere, nor for the one that Numberpool brings itself where the settings name none.
if grep -qF postgres-dsn $ETC/numberpool.toml && [[ $dsn == "$LOCAL_DSN"* ]]; then
	command -v pg_lsclusters >/dev/null || packages postgresql
	# The newest at first; later the one that has our data, whatever else is installed beside it.
	ours=$(sed -n 's/.*&port=//p' <<<"$dsn")
	read -r version cluster port _ < <(pg_lsclusters --no-header | awk -v port="$ours" 'port == "" || $3 == port' | sort -rn) ||
		die "there is no Postgres cluster${ours:+ at port $ours}: pg_lsclusters shows what there is, pg_createcluster makes one"
	[ "$version" -ge 15 ] || die "Postgres $version is too old: 15 or newer is needed. Upgrade it with pg_upgradecluster."
	if ! pg_lsclusters --no-header "$version" "$cluster" | grep -qw online; then
		if systemd_runs; then
			systemctl start "postgresql@$version-$cluster"
		else
			pg_ctlcluster "$version" "$cluster" start
			POSTGRES_STARTED=("$version" "$cluster")
		fi
	fi
	sql() { runuser -u postgres -- psql -p "$port" -v ON_ERROR_STOP=1 -qAtX -c "$1"; }
	if [ -z "$(sql "SELECT 1 FROM pg_roles WHERE rolname = 'numberpool'")" ]; then
		sql "CREATE ROLE numberpool LOGIN"
		changed "database role numberpool"
	fi
	if [ -z "$(sql "SELECT 1 FROM pg_database WHERE datname = 'numberpool'")" ]; then
		sql "CREATE DATABASE numberpool OWNER numberpool ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0"
		changed "database numberpool"
	fi
	printf '%s&port=%s\n' "$LOCAL_DSN" "$port" | put $ETC/postgres-dsn 0640 root:numberpool
fi
told=$(numberpool migrate)
case "$told" in
*applied*) changed "the database's schema" ;;
esac

# --- 6. Asterisk's configuration -----------------------------------------------------------------------------------

told=$(numberpool asterisk render --into $RENDERED) || { due reload && exit 1; } # some of it may be written
while IFS= read -r line; do
	case "$line" in
	"") break ;; # what follows are the steps that are done here
	*": written"* | *": replaced"* | *": removed"*) changed "$line" && due reload ;;
	esac
done <<<"$told"

add_once /etc/asterisk/extensions.conf $RENDERED/numberpool-extensions.conf <<-END
	#include $RENDERED/numberpool-extensions.conf
END
[ -z "$WROTE" ] || due reload
{
	# The manager interface may be switched off, as in the file of Debian's package.
	if ! grep -qEi '^ *enabled *= *(yes|true|1|on)' /etc/asterisk/manager.conf 2>/dev/null; then
		printf '[general](+)\nenabled = yes\nbindaddr = 127.0.0.1\n'
	fi
	printf '#include %s\n' $RENDERED/numberpool-manager.conf
} | add_once /etc/asterisk/manager.conf $RENDERED/numberpool-manager.conf
[ -z "$WROTE" ] || due reload
{
	if ! grep -q '^\[applicationmap\]' /etc/asterisk/features.conf 2>/dev/null; then
		printf '[applicationmap]\n'
	else
		printf '[applicationmap](+)\n'
	fi
	printf '#include %s\n' $RENDERED/numberpool-features.conf
} | add_once /etc/asterisk/features.conf $RENDERED/numberpool-features.conf
[ -z "$WROTE" ] || due reload

if [ -n "$DEMO" ]; then
	{
		cat "$HERE/demo-pjsip.conf"
		if grep -q '^\[udp\]' /etc/asterisk/pjsip.conf; then
			printf '\n[udp](+)\n'
		else
			printf '\n[udp]\ntype = transport\nprotocol = udp\nbind = 0.0.0.0:5060\n'
		fi
		# Telephones outside reach us by another address than our own.
		if [ -n "${NUMBERPOOL_HOST_ADDRESS:-}" ]; then
			printf '%s\n' "external_signaling_address = $NUMBERPOOL_HOST_ADDRESS" \
				"external_media_address = $NUMBERPOOL_HOST_ADDRESS" "local_net = 127.0.0.0/8" "local_net = 192.168.56.0/24"
		fi
	} | sed "s/@PASSWORD@/$(cat $ETC/softphone-password)/" | put /etc/asterisk/numberpool-demo-pjsip.conf 0640 root:asterisk
	[ -z "$WROTE" ] || due asterisk # transports are not reloaded
	put /etc/asterisk/numberpool-demo-extensions.conf 0644 root:asterisk <"$HERE/demo-extensions.conf"
	[ -z "$WROTE" ] || due reload
	add_once /etc/asterisk/pjsip.conf numberpool-demo-pjsip.conf <<<'#include numberpool-demo-pjsip.conf'
	[ -z "$WROTE" ] || due asterisk
	add_once /etc/asterisk/extensions.conf numberpool-demo-extensions.conf <<<'#include numberpool-demo-extensions.conf'
	[ -z "$WROTE" ] || due reload
fi

# --- 7. Services ---------------------------------------------------------------------------------------------------

put /etc/systemd/system/numberpool.service 0644 root:root <"$HERE/numberpool.service"
[ -z "$WROTE" ] || due numberpool
put /etc/systemd/system/numberpool-checks.service 0644 root:root <"$HERE/numberpool-checks.service"
[ -z "$WROTE" ] || due numberpool-checks
if [ -n "$DEMO" ]; then
	system_user numberpool-carrier /var/lib/numberpool-carrier
	folder /var/lib/numberpool-carrier 0750 numberpool-carrier:numberpool-carrier
	put /usr/local/bin/numberpool-ring 0755 root:root <"$HERE/numberpool-ring.sh"
	put /etc/systemd/system/numberpool-carrier.service 0644 root:root <"$HERE/numberpool-carrier.service"
	[ -z "$WROTE" ] || due numberpool-carrier
fi
systemd_runs && systemctl daemon-reload
[ -z "$PRIVATE" ] || enable asterisk
enable numberpool
enable numberpool-checks
[ -z "$DEMO" ] || enable numberpool-carrier

if is_due reload && asterisk -rx 'core show uptime' >/dev/null 2>&1; then
	for each in 'manager reload' 'module reload features' 'dialplan reload' 'pjsip reload'; do asterisk -rx "$each" >/dev/null; done
	changed "Asterisk has read its configuration again"
fi
settled reload # one that does not run reads it when it starts
start asterisk

# --- 8. The example company, on the Vagrant machine ------------------------------------------------------------------

if [ -n "$DEMO" ]; then
	has() { grep -qF -- "$1" <<<"$2"; }
	has "Acme Roofing" "$(numberpool company list)" || {
		numberpool company add "Acme Roofing" --region CA --time-zone America/Regina --currency CAD
		changed "company Acme Roofing"
	}
	has PJSIP/softphone "$(numberpool destination list)" || {
		numberpool destination add "Simulated line" PJSIP/+13065551234@carrier
		numberpool destination add "Softphone" PJSIP/softphone --ring-seconds 15 --then "Simulated line" --main
		changed "where the company's calls ring"
	}
	sources=$(numberpool source list) numbers=$(numberpool number list)
	while IFS='|' read -r number source channel utm medium; do
		grep -q "^$source " <<<"$sources" || {
			numberpool source add "$source" --channel "$channel" --source "$utm" --medium "$medium" </dev/null
			changed "source $source"
		}
		has "$number" "$numbers" || {
			numberpool number add "$number" --source "$source" </dev/null
			changed "number $number"
		}
	done <<-END
		+13065552001|Google Ads|Paid search|google|cpc
		+13065552002|Facebook|Paid social|facebook|paid
		+13065552003|Direct mail|Print|direct-mail|letter
	END
	# Does nothing where there is that user already.
	numberpool user add owner@acme-roofing.example --company "Acme Roofing" --name "Alex, the owner" >/dev/null
	start numberpool-carrier
fi
start numberpool
start numberpool-checks

# --- 9. What became of it --------------------------------------------------------------------------------------------

if [ ${#CHANGES[@]} = 0 ]; then
	say "Nothing to change."
else
	say "Changed:"
	printf '  %s\n' "${CHANGES[@]}"
fi
if systemd_runs; then
	say "Numberpool says: $(systemctl show -P StatusText numberpool)"
else
	say "systemd does not run here: the services start with the machine."
fi
