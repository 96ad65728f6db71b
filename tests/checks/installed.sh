#!/bin/sh
# What `make install` leaves is whole, and hull runs from there: tests/installed.
set -eu
srcdir=$(cd "${srcdir:-.}" && pwd)
builddir=${builddir:-build}

if ! grep -qx 'prefix = /usr/local' "$builddir/Makefile" 2>/dev/null; then
	echo "$builddir has no Makefile for /usr/local"
	exit 77
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "needs root, for a mount namespace"
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
MAKEFLAGS='' make -s -C "$builddir" install DESTDIR="$work" >"$work/said" 2>&1 || {
	cat "$work/said"
	exit 1
}
"$srcdir/tests/installed" "$work"
