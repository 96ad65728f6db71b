#!/usr/bin/env bats
# as: root
# sanitizers: no
#
# The suite of tests/security with short races: every known way out is tried on hull.

load helpers

@test "no row of tests/security escapes" {
	requires root
	export HULL
	status=0
	timeout 300 "$SOURCE/tests/security/run" --runtime hull --seconds 0.5 >"$WORK/table" 2>&1 3>&- 4>&- || status=$?
	[ "$status" = 0 ] || mismatch "tests/security/run" "nothing ESCAPED or BROKEN" "$(cat "$WORK/table")"
	[ "$(grep -c ': held: ' "$WORK/table")" -ge 30 ] || mismatch "rows that held" "30 or more" "$(cat "$WORK/table")"
	sed -n 's/^  hull: n\/a: /# not asked: /p' "$WORK/table" >&3
}

@test "the suite tells a runtime that does not hold" {
	requires root
	# It makes devices by their path, through whatever link is there.
	cat >"$WORK/naive" <<-END
		#!/bin/bash
		case \$* in
		--version) echo "naive 1"; exit ;;
		esac
		while [ "\$1" != run ] && [ \$# -gt 0 ]; do shift; done
		[ "\$1" = run ] || exit 1
		bundle=\$3
		cp -a /dev/null "\$bundle/rootfs/dev/core"
	END
	chmod 755 "$WORK/naive"
	status=0
	timeout 60 "$SOURCE/tests/security/run" --runtime "naive=$WORK/naive" --row 47766 >"$WORK/table" 2>&1 3>&- 4>&- || status=$?
	[ "$status" = 1 ] || mismatch "tests/security/run" 1 "$status $(cat "$WORK/table")"
	grep -q 'naive: ESCAPED: changed a directory of the host' "$WORK/table"
}
