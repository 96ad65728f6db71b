#!/bin/sh
# Every header compiles alone.
cd "${srcdir:-.}" || exit 99
bad=0
for h in base/*.h spec/*.h namespaces/*.h mounts/*.h cgroups/*.h security/*.h process/*.h network/*.h \
	runtime/*.h image/*.h image/unpack/*.h image/fetch/*.h microvm/*.h microvm/fs/*.h engine/*.h cli/*.h; do
	[ -e "$h" ] || continue
	"${CC:-gcc}" -I. -D_GNU_SOURCE -std=c11 -Wall -Werror -fsyntax-only -x c "$h" || bad=1
done
exit $bad
