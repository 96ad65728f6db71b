#!/bin/sh
# What `make dist` packs is what git has, with autotools' own products, and nothing that a build left.
set -eu
srcdir=$(cd "${srcdir:-.}" && pwd)
builddir=${builddir:-build}

# Of the archive itself there is no git.
if ! git -C "$srcdir" ls-files --error-unmatch configure.ac >/dev/null 2>&1; then
	echo "$srcdir is no clone"
	exit 77
fi
if [ ! -e "$builddir/Makefile" ] || [ ! -e "$builddir/config.status" ]; then
	echo "$builddir has no Makefile"
	exit 77
fi
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
MAKEFLAGS='' make -s -C "$builddir" distdir distdir="$work/hull" top_distdir="$work/hull" >"$work/said" 2>&1 || {
	cat "$work/said"
	echo "make distdir fails"
	exit 1
}
# What is removed, and not yet committed, is in the index still.
git -C "$srcdir" ls-files | while read -r file; do
	[ ! -e "$srcdir/$file" ] && [ ! -L "$srcdir/$file" ] || echo "$file"
done | sort >"$work/ours"
(cd "$work/hull" && find . ! -type d) | sed 's,^\./,,' |
	grep -vx 'aclocal\.m4\|build-aux/.*\|config\.h\.in\|configure\|\(.*/\)\{0,1\}Makefile\.in' | sort >"$work/theirs"
grep -v '^build-aux/' "$work/ours" >"$work/expected" || true
if ! diff "$work/expected" "$work/theirs" >"$work/differences"; then
	sed -n 's/^< \(.*\)/\1 is not in the archive (EXTRA_DIST)/p; s/^> \(.*\)/\1 is in the archive, and not in git/p' "$work/differences"
	exit 1
fi
