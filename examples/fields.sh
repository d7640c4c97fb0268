#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# fields.sh NETLOG README: bring the field tables between the README's two marks up to date.
set -eu
here=$(dirname "$0")
tables=$(mktemp)
new=$(mktemp)
trap 'rm -f "$tables" "$new"' EXIT
"$1" --schema | jq -r -f "$here/fields.jq" >"$tables"
awk -v tables="$tables" '
	/^<!-- fields: end/ { skip = 0 }
	!skip { print }
	/^<!-- fields: begin/ {
		print ""
		while ((getline line < tables) > 0) print line
		print ""
		skip = 1
	}' "$2" >"$new"
cat "$new" >"$2"
