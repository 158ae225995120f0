#!/bin/bash
# Runs inside the installed machine, without systemd: starts each service as its unit says, and places calls.
set -euo pipefail

field() {
	local unit=/etc/systemd/system/$1.service
	[ -f "$unit" ] || unit=/usr/lib/systemd/system/$1.service # of a package
	sed -n "s/^$2=//p" "$unit"
}
as_unit() { # the unit's own command, as the unit's user
	local user command
	user=$(field "$1" User)
	read -ra command <<<"$(field "$1" ExecStart)"
	(cd "$(field "$1" WorkingDirectory)" && exec setsid runuser -u "${user:-root}" -- "${command[@]}") >"/tmp/$1.log" 2>&1 &
}
wait_for() { # what, command...
	local what=$1
	shift
	for _ in $(seq 300); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.2
	done
	echo "never came: $what"
	tail -n 30 /tmp/*.log
	exit 1
}
health() { /opt/numberpool/bin/python -c '
import json, sys, urllib.request
answer = json.load(urllib.request.urlopen("http://127.0.0.1:8080/healthz"))
print(json.dumps(answer))
linked = answer["parts"]["asterisk:pbx"]["condition"] == "ok" == answer["parts"]["asterisk:pbx:store"]["condition"]
sys.exit(answer["condition"] != "ok" or not linked)'; }
calls() { (cd / && runuser -u postgres -- psql -qAtX numberpool -c "
SET numberpool.companies = 'all';
SELECT did, coalesce(caller, '-'), outcome, decided_by, coalesce(recordings.state, '-')
  FROM calls LEFT JOIN recordings ON recordings.call_id = calls.id WHERE calls.state = 'ended' ORDER BY calls.id"); }
logged() { calls | grep -qF -- "$1"; }

install -d -o asterisk -g asterisk /run/asterisk
install -d -o postgres -g postgres /run/postgresql
read -r version cluster _ < <(pg_lsclusters --no-header)
pg_ctlcluster "$version" "$cluster" start
as_unit asterisk
wait_for asterisk asterisk -rx 'core waitfullybooted'
as_unit numberpool-carrier
as_unit numberpool
wait_for "a gateway that is well" health
wait_for "the carrier" test -S /var/lib/numberpool-carrier/asterisk/run/asterisk.ctl

echo "ring: $(numberpool-ring 13065552001 --seconds 2 | tail -n 1)"
wait_for "the carrier's call in the log" logged '+13065552001|+13065550141|answered|gateway|ready'
sipp -sn uac 127.0.0.1:5060 -s 13065552002 -i 127.0.0.1 -p 5090 -m 1 -d 5000 -timeout 30s -nostdin >/tmp/sipp.log 2>&1 ||
	{ cat /tmp/sipp.log && exit 1; }
wait_for "SIPp's call in the log" logged '+13065552002|-|answered|gateway|ready'
numberpool login-link owner@acme-roofing.example | sed 's,link/.*,link/...,'
health
calls
