#!/bin/sh
# The binary that engines call links libc and at most the three small libraries, is hardened, and says so.
hull=${HULL:-build/hull}
bad=0
for lib in $(readelf -d "$hull" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
	case $lib in
	libc.so.* | libseccomp.so.* | libcap.so.* | libyajl.so.*) ;;
	*) echo "$hull links $lib, which is none of the small libraries"; bad=1 ;;
	esac
done
readelf -h "$hull" | grep -q 'Type:.*DYN' || { echo "$hull is not position-independent"; bad=1; }
readelf -l "$hull" | grep -q GNU_RELRO || { echo "$hull has no RELRO segment"; bad=1; }
readelf -d "$hull" | grep -q BIND_NOW || { echo "$hull is not bound at start"; bad=1; }
readelf -lW "$hull" | grep GNU_STACK | grep -q 'RWE' && { echo "$hull has an executable stack"; bad=1; }
# What reads archives is in a program of its own, also where it is linked as an archive itself.
if nm "$hull" 2>/dev/null | grep -q ' archive_read_'; then
	echo "$hull holds libarchive, which is libexec/hull/hull-unpack's alone"
	bad=1
fi
exit $bad
