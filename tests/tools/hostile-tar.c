/*
 * hostile-tar - small archives that want something they may not have, and what is to become of them.
 *
 *	hostile-tar			a line for each: NAME, OPTIONS, FILTER, EXPECTED (TABs between)
 *	hostile-tar NAME		that archive on standard output
 *	hostile-tar - 'f a data=x|...'	an archive of one's own
 *
 * OPTIONS are hull-unpack's; "R" among them: only root is to try it. FILTER is a shell command
 * that the archive goes through. EXPECTED is "= SENTENCE" where it is refused ("*" at its end: in
 * the words of a library that may change), or a shell command that succeeds in the directory that
 * came of it. hostile-run tries them all.
 *
 * Archives are written as entries with "|" between, each TYPE NAME [KEY=VALUE]...: TYPE is the
 * first letter of file, dir, link, hard, char, block, pipe, or t=TYPEFLAG for any other;
 * NAME "@" is empty. Keys: to (link target), data, mode, uid, gid, size, dev=MAJOR:MINOR, time,
 * x=KEY=VALUE (a PAX record; more may follow), X=N (N PAX headers before it), sum (a wrong
 * checksum). In values %{N:TEXT} is TEXT N times, %XX a byte in hexadecimal.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BELOW(what) "= entry \"a/x\": it lies below \"a\", which is " what
#define XATTR "x=SCHILY.xattr."

static const struct row {
	const char *name, *options, *filter, *archive, *expected;
} rows[] = {
	/* Names */
	{ "dotdot", "", "cat", "f ../x", "= entry \"../x\": its name has \"..\" in it" },
	{ "dotdot-between", "", "cat", "f a/../../x", "= entry \"a/../../x\": its name has \"..\" in it" },
	{ "dotdot-inside", "", "cat", "f a/../b", "= entry \"a/../b\": its name has \"..\" in it" },
	{ "dotdot-end", "", "cat", "d a/..", "= entry \"a/..\": its name has \"..\" in it" },
	{ "dotdot-absolute", "", "cat", "f /../x", "= entry \"/../x\": its name has \"..\" in it" },
	{ "dotdot-pax", "", "cat", "f a x=path=../x", "= entry \"../x\": its name has \"..\" in it" },
	{ "dotdot-escaped", "", "cat", "f a%0ab/..", "= entry \"a\\u000ab/..\": its name has \"..\" in it" },
	{ "dotdot-no-utf8", "", "cat", "f %ff/..", "= entry \"\\xff/..\": its name has \"..\" in it" },
	{ "dots", "", "cat", "f .../....", "[ -f .../.... ]" },
	{ "absolute", "", "cat", "f /etc/canary data=x", "[ \"$(cat etc/canary)\" = x ]" },
	{ "absolute-many", "", "cat", "f ////canary data=x", "[ \"$(cat canary)\" = x ]" },
	{ "dot-parts", "", "cat", "f ./././a//b data=x", "[ \"$(cat a/b)\" = x ]" },
	{ "name-empty", "", "cat", "f @", "= an entry without a name" },
	{ "name-slashes", "", "cat", "l /// to=/etc", "= entry \".\": the directory of the layer can't be a symbolic link" },
	{ "name-255", "", "cat", "f a x=path=%{255:n}", "[ -f \"$(printf 'n%.0s' {1..255})\" ]" },
	{ "name-256", "", "cat", "f a x=path=b/%{256:n}", "= entry \"b/%{88:n}...\": its name has a part of 256 bytes, more than 255" },
	{ "path-4095", "", "cat", "f a x=path=%{31:%{127:n}/}%{127:n}", "[ \"$(find . -type f | wc -c)\" -eq 4098 ]" },
	{ "path-4096", "", "cat", "f a x=path=%{31:%{127:n}/}%{128:n}", "= entry \"%{90:n}...\": its name is longer than 4095 bytes" },
	{ "path-deep-256", "", "cat", "f a x=path=%{255:d/}f", "[ \"$(find . -type f | wc -c)\" -eq 514 ]" },
	{ "path-deep-257", "", "cat", "f a x=path=%{256:d/}f", "= entry \"%{45:d/}...\": its name has more than 256 parts" },
	{ "name-nul", "", "cat", "f a x=path=b%00c", "[ -f b ]" },
	{ "name-no-utf8", "", "cat", "f a x=path=%ff%fe", "[ -f $'\\xff\\xfe' ]" },
	{ "name-two-forms", "", "cat", "f a x=path=%c3%a9 data=1|f a x=path=e%cc%81 data=2",
	  "[ \"$(cat $'\\xc3\\xa9' $'e\\xcc\\x81')\" = 12 ]" },
	/* The directory itself */
	{ "root-symlink", "", "cat", "l . to=/etc|f x", "= entry \".\": the directory of the layer can't be a symbolic link" },
	{ "root-symlink-slash", "", "cat", "l ./ to=../..", "= entry \".\": the directory of the layer can't be a symbolic link" },
	{ "root-file", "", "cat", "f .", "= entry \".\": the directory of the layer can't be a regular file" },
	{ "root-hard-link", "", "cat", "f a|h . to=a", "= entry \".\": the directory of the layer can't be a hard link" },
	{ "root-device", "", "cat", "c . dev=1:3", "= entry \".\": the directory of the layer can't be a character device" },
	{ "root-mode", "", "cat", "d . mode=1777", "[ \"$(stat --format=%a .)\" = 1777 ]" },
	/* Symbolic links */
	{ "link-absolute", "", "cat", "l a to=/etc|f a/x", BELOW("a symbolic link") },
	{ "link-up", "", "cat", "l a to=..|f a/x", BELOW("a symbolic link") },
	{ "link-up-canary", "", "cat", "l a to=../canary|f a/x", BELOW("a symbolic link") },
	{ "link-to-itself", "", "cat", "l a to=a|f a/x", BELOW("a symbolic link") },
	{ "link-inside", "", "cat", "d d|l a to=d|f a/x", BELOW("a symbolic link") },
	{ "link-directory-below", "", "cat", "l a to=..|d a/x", BELOW("a symbolic link") },
	{ "link-link-below", "", "cat", "l a to=..|l a/x to=y", BELOW("a symbolic link") },
	{ "link-hard-below", "", "cat", "f f|l a to=..|h a/x to=f", BELOW("a symbolic link") },
	{ "link-parents-below", "", "cat", "l a to=..|f a/x/y/z", "= entry \"a/x/y/z\": it lies below \"a\", which is a symbolic link" },
	{ "link-nested", "", "cat", "d d|l d/l to=../..|f d/l/x", "= entry \"d/l/x\": it lies below \"d/l\", which is a symbolic link" },
	{ "link-chain", "", "cat", "l a to=b|l b to=..|f a/x", BELOW("a symbolic link") },
	{ "link-replaced-by-directory", "", "cat", "l a to=..|d a|f a/x", "[ ! -L a ] && [ -f a/x ]" },
	{ "link-replaced-by-file", "", "cat", "l a to=../canary|f a data=evil", "[ ! -L a ] && [ \"$(cat a)\" = evil ]" },
	{ "link-replaced-by-link", "", "cat", "l a to=../canary|l a to=b", "[ \"$(readlink a)\" = b ]" },
	{ "link-replaces-directory", "", "cat", "d a|f a/y|l a to=..|f a/x", BELOW("a symbolic link") },
	{ "link-replaces-open-directory", "", "cat", "f a/y|l a to=..|f a/x", BELOW("a symbolic link") },
	{ "link-mode-owner-time", "", "cat", "l a to=../canary mode=777 time=1", "[ \"$(stat --format=%Y a)\" = 1 ]" },
	{ "link-xattr", "", "cat", "l a to=../canary " XATTR "user.x=1", "[ -L a ]" },
	{ "link-to-nothing", "", "cat", "l a", "= entry \"a\": a link to nothing" },
	{ "link-to-much", "", "cat", "l a to=n x=linkpath=%{4096:n}", "= entry \"a\": a link to more than 4095 bytes" },
	{ "link-outside", "", "cat", "l a to=/etc/passwd", "[ \"$(readlink a)\" = /etc/passwd ]" },
	/* Files as parents, and back and forth */
	{ "file-parent", "", "cat", "f a|f a/x", BELOW("a regular file") },
	{ "file-parent-deep", "", "cat", "f a/b|f a/b/c/d", "= entry \"a/b/c/d\": it lies below \"a/b\", which is a regular file" },
	{ "changes", "", "cat", "d a|f a/x|f a data=1|d a|f a/y|l a to=b|f a data=2", "[ \"$(cat a)\" = 2 ]" },
	{ "file-twice", "", "cat", "f a mode=600 data=long|f a mode=644 data=x", "[ \"$(cat a)\" = x ] && [ \"$(stat --format=%a a)\" = 644 ]" },
	{ "directory-twice", "", "cat", "d a mode=700|f a/x|d a mode=755", "[ -f a/x ] && [ \"$(stat --format=%a a)\" = 755 ]" },
	/* Hard links */
	{ "hard-absolute", "", "cat", "h x to=/etc/passwd", "= entry \"x\": a hard link to \"etc/passwd\": open its parent: no such file or directory" },
	{ "hard-up", "", "cat", "h x to=../canary", "= entry \"x\": its target has \"..\" in it" },
	{ "hard-up-deep", "", "cat", "h a/x to=a/../../canary", "= entry \"a/x\": its target has \"..\" in it" },
	{ "hard-missing", "", "cat", "h x to=a", "= entry \"x\": a hard link to \"a\": no such file or directory" },
	{ "hard-to-directory", "", "cat", "d a|h x to=a", "= entry \"x\": a hard link to \"a\", which is a directory" },
	{ "hard-to-root", "", "cat", "h x to=.", "= entry \"x\": a hard link to \".\"" },
	{ "hard-to-itself", "", "cat", "f a data=x|h a to=./a", "= entry \"a\": a hard link to itself" },
	{ "hard-to-nothing", "", "cat", "h x", "= entry \"x\": it is of an unknown type" },
	{ "hard-through-link", "", "cat", "l a to=..|h x to=a/canary", "= entry \"x\": a hard link to \"a/canary\": it lies below \"a\", which is a symbolic link" },
	{ "hard-to-link", "", "cat", "l a to=../canary|h x to=a", "[ \"$(readlink x)\" = ../canary ]" },
	{ "hard-to-link-replaced", "", "cat", "l a to=../canary|h x to=a|f x data=evil", "[ \"$(cat x)\" = evil ]" },
	{ "hard-not-written-through", "", "cat", "f a data=1|h b to=a|f b data=2", "[ \"$(cat a b)\" = 12 ]" },
	{ "hard-mode-not-shared", "", "cat", "f a mode=600|h b to=a|f b mode=4777", "[ \"$(stat --format=%a a)\" = 600 ]" },
	{ "hard-over-its-target", "", "cat", "f a/x|h a to=a/x", "= entry \"a\": make a hard link to \"a/x\": no such file or directory" },
	{ "hard-to-whiteout", "--whiteouts userxattr", "cat", "f .wh.a|h b to=a", "= entry \"b\": a hard link to \"a\", which is a character device" },
	{ "hard-to-whiteout-name", "", "cat", "h b to=.wh.a", "= entry \"b\": a hard link to \".wh.a\"" },
	{ "hard-to-device", "R --whiteouts overlay", "cat", "c a dev=1:3|h b to=a", "= entry \"b\": a hard link to \"a\", which is a character device" },
	/* Whiteouts */
	{ "whiteout-alone", "", "cat", "f .wh.", "= entry \".wh.\": a whiteout that hides no name" },
	{ "whiteout-dot", "", "cat", "f a/.wh..", "= entry \"a/.wh..\": a whiteout that hides no name" },
	{ "whiteout-dotdot", "", "cat", "f .wh...", "= entry \".wh...\": a whiteout that hides no name" },
	{ "whiteout-dotdot-apply", "--whiteouts apply", "cat", "d a|f a/.wh...", "= entry \"a/.wh...\": a whiteout that hides no name" },
	{ "whiteout-below", "", "cat", "f .wh.a/b", "= entry \".wh.a/b\": it lies below a whiteout" },
	{ "whiteout-directory", "", "cat", "d .wh.a", "= entry \".wh.a\": a whiteout that is a directory" },
	{ "whiteout-link", "", "cat", "l .wh.a to=..", "= entry \".wh.a\": a whiteout that is a symbolic link" },
	{ "whiteout-hard-link", "", "cat", "f b|h .wh.a to=b", "= entry \".wh.a\": a whiteout that is a hard link" },
	{ "whiteout-opaque-link", "", "cat", "l a/.wh..wh..opq to=..", "= entry \"a/.wh..wh..opq\": a whiteout that is a symbolic link" },
	{ "whiteout-through-link", "", "cat", "l a to=..|f a/.wh.canary", "= entry \"a/.wh.canary\": it lies below \"a\", which is a symbolic link" },
	{ "whiteout-through-link-apply", "--whiteouts apply", "cat", "l a to=..|f a/.wh.canary", "= entry \"a/.wh.canary\": it lies below \"a\", which is a symbolic link" },
	{ "opaque-through-link-apply", "--whiteouts apply", "cat", "l a to=..|f a/.wh..wh..opq", "= entry \"a/.wh..wh..opq\": it lies below \"a\", which is a symbolic link" },
	{ "whiteout-of-link-apply", "--whiteouts apply", "cat", "l a to=../canary|f .wh.a", "[ -L a ]" },
	{ "whiteout-aufs", "", "cat", "d .wh..wh.plnk|f .wh..wh.plnk/1.2|f .wh..wh.aufs", "[ -z \"$(ls -A)\" ]" },
	{ "whiteout-forged", "--whiteouts userxattr", "cat", "c a dev=0:0", "= entry \"a\": a device 0:0 would be a whiteout" },
	{ "plain-whiteout-is-a-name", "--whiteouts plain", "cat", "f a|f .wh.a data=x|f .wh..wh..opq|f .wh.d/x", "[ -f a ] && [ \"$(cat .wh.a)\" = x ] && [ -f .wh..wh..opq ] && [ -f .wh.d/x ]" },
	{ "plain-file-over-directory", "--whiteouts plain", "cat", "d a|f a", "= entry \"a\": a directory is there already" },
	{ "plain-link-over-directory", "--whiteouts plain", "cat", "d a|l a to=..", "= entry \"a\": a directory is there already" },
	{ "plain-directory-over-link", "--whiteouts plain", "cat", "l a to=..|d a", "= entry \"a\": a symbolic link is there already" },
	{ "plain-through-link", "--whiteouts plain", "cat", "l a to=..|f a/x", BELOW("a symbolic link") },
	{ "plain-over-link", "--whiteouts plain", "cat", "l a to=../canary|f a data=evil", "[ ! -L a ] && [ \"$(cat a)\" = evil ]" },
	{ "plain-root-stays", "--whiteouts plain", "cat", "d . mode=1777", "[ \"$(stat --format=%a .)\" != 1777 ]" },
	{ "plain-directory-stays", "--whiteouts plain", "cat", "d a mode=750|d a mode=777", "[ \"$(stat --format=%a a)\" = 750 ]" },
	{ "plain-device", "--whiteouts plain", "cat", "c a dev=1:3|f b", "[ ! -e a ] && [ -f b ]" },
	{ "plain-setuid", "--whiteouts plain --ids squash", "cat", "f a mode=6755|d b mode=2755", "[ \"$(stat --format=%a a)\" = 755 ] && [ \"$(stat --format=%a b)\" = 755 ]" },
	{ "plain-hard-to-link", "--whiteouts plain", "cat", "l a to=../canary|h b to=a|f b data=evil", "[ -L a ] && [ ! -L b ]" },
	{ "whiteout-own-name", "--whiteouts userxattr", "cat", "f a data=x|f .wh.a", "[ \"$(cat a)\" = x ]" },
	/* Extended attributes */
	{ "xattr-redirect", "", "cat", "d a " XATTR "trusted.overlay.redirect=/../..", "no_xattr overlay a" },
	{ "xattr-user-redirect", "", "cat", "d a " XATTR "user.overlay.redirect=/../..", "no_xattr overlay a" },
	{ "xattr-metacopy", "", "cat", "f a " XATTR "user.overlay.metacopy=", "no_xattr overlay a" },
	{ "xattr-opaque", "", "cat", "d a " XATTR "trusted.overlay.opaque=y " XATTR "user.overlay.opaque=y", "no_xattr overlay a" },
	{ "xattr-libarchive", "", "cat", "d a x=LIBARCHIVE.xattr.user.overlay%%2eopaque=eQ==", "no_xattr overlay a" },
	{ "xattr-root", "", "cat", "d . " XATTR "user.overlay.opaque=y", "no_xattr overlay ." },
	{ "xattr-trusted", "", "cat", "f a " XATTR "trusted.x=y", "no_xattr trusted a" },
	{ "xattr-selinux", "", "cat", "f a " XATTR "security.selinux=x", "no_xattr selinux a" },
	{ "xattr-unknown", "", "cat", "f a " XATTR "nonsense=x", "[ -f a ]" },
	{ "xattr-name-long", "", "cat", "f a " XATTR "user.%{251:n}=x", "= entry \"a\": an extended attribute with a name of 256 bytes" },
	{ "xattr-value-long", "", "cat", "f a " XATTR "user.x=%{65537:n}", "= entry \"a\": its extended attribute \"user.x\" has 65537 bytes, more than 65536" },
	{ "xattr-acl-damaged", "", "cat", "f a " XATTR "system.posix_acl_access=xyz", "= entry \"a\": its ACL (system.posix_acl_access) is damaged" },
	/* Numbers */
	{ "size-negative", "", "cat", "f a size=-1", "= read the layer: *" },
	{ "size-huge", "", "cat", "f a size=9223372036854775807", "= *" },
	{ "size-over-limit", "--max-bytes 1000000", "cat", "f a size=8000000000", "= entry \"a\": the files in the layer have more than 1000000 bytes together" },
	{ "size-together", "--max-bytes 20000", "cat", "f a data=%{15000:x}|f b data=%{15000:y}", "= *" },
	{ "owner-negative", "", "cat", "f a uid=-1", "= entry \"a\": its owner is -1, which is no id" },
	{ "owner-unchanged", "", "cat", "f a uid=4294967295", "= entry \"a\": its owner is 4294967295, which is no id" },
	{ "group-wraps", "", "cat", "f a gid=4294967296", "= entry \"a\": its group is 4294967296, which is no id" },
	{ "owner-unmapped", "R --ids u:0:100000:1000,g:0:100000:1000", "cat", "f a uid=1000", "= entry \"a\": its owner 1000 has no place in the map of ids" },
	{ "group-unmapped", "R --ids u:0:100000:1000,g:0:100000:1000", "cat", "f a gid=1000", "= entry \"a\": its group 1000 has no place in the map of ids" },
	{ "time-past", "", "cat", "f a x=mtime=-1.5", "[ -f a ]" },
	{ "time-far", "", "cat", "f a x=mtime=99999999999999999999", "[ -f a ]" },
	{ "device-number", "", "cat", "c a dev=4096:0", "= *" },
	{ "device-forbidden", "", "cat", "b a dev=8:0|f b", "[ ! -e a ] && [ -f b ]" },
	{ "fifo", "", "cat", "p a|f b", "[ ! -e a ] && [ -f b ]" },
	/* Headers */
	{ "pax-large", "", "cat", "f a x=comment=%{2000000:x}", "= *" },
	{ "pax-many", "", "cat", "f a X=100", "= *" },
	{ "pax-together", "", "cat", "f a X=30 x=comment=%{60000:x}", "= *" },
	{ "checksum", "", "cat", "f a sum", "= *" },
	{ "type-unknown", "", "cat", "t=Z a", "[ -f a ]" },
	{ "sparse-outside", "", "cat", "f a x=GNU.sparse.map=5,5,100,50 x=GNU.sparse.size=10 data=%{55:x}", "= *" },
	{ "sparse-huge", "", "cat", "f a x=GNU.sparse.map=0,1 x=GNU.sparse.size=9000000000000000000 data=x",
	  "= entry \"a\": the files in the layer have more than 274877906944 bytes together" },
	{ "sparse-negative", "", "cat", "f a x=GNU.sparse.map=-5,5 x=GNU.sparse.size=10 data=%{5:x}", "= *" },
	/* Streams */
	{ "stream-empty", "", "true", "f a", "= read the layer: Unrecognized archive format" },
	{ "stream-no-end", "", "head --bytes=1024", "f a data=x", "= the layer ends without an end-of-archive mark: it is cut off" },
	{ "stream-cut-data", "", "head --bytes=600", "f a data=%{500:x}", "= entry \"a\": read its data: *" },
	{ "stream-cut-header", "", "head --bytes=1300", "f a data=x|f b", "= *" },
	{ "stream-garbage", "", "{ cat; echo evil; }", "f a", "= something follows the end of the archive" },
	{ "stream-second-archive", "", "{ tee second; cat second; rm second; }", "f a", "= something follows the end of the archive" },
	{ "stream-zeros", "", "{ cat; head --bytes=100000 /dev/zero; }", "f a", "[ -f a ]" },
	{ "stream-text", "", "yes hello | head --lines=1000", "f a", "= read the layer: Unrecognized archive format" },
	{ "stream-gzip", "", "gzip", "f a data=x", "[ \"$(cat a)\" = x ]" },
	{ "stream-gzip-members", "", "{ head --bytes=700 | gzip; } <in.tar && tail --bytes=+701 in.tar | gzip", "f a data=%{300:x}", "[ -s a ]" },
	{ "stream-gzip-cut", "", "gzip | head --bytes=-20", "f a data=%{3000:x}", "= *" },
	{ "stream-gzip-no-sum", "", "gzip | head --bytes=-4", "f a", "= the gzip data ends early" },
	{ "stream-gzip-wrong-sum", "", "gzip | { head --bytes=-8; printf 12345678; }", "f a", "= the gzip data is damaged (incorrect data check)" },
	{ "stream-gzip-garbage", "", "{ gzip; echo evil; }", "f a", "= something that is not gzip follows the gzip data" },
	{ "stream-gzip-zeros", "", "{ gzip; head --bytes=10 /dev/zero; }", "f a", "= something that is not gzip follows the gzip data" },
	{ "stream-gzip-twice", "", "gzip | gzip", "f a", "= read the layer: Unrecognized archive format" },
	{ "stream-zstd", "", "zstd --quiet", "f a data=x", "[ \"$(cat a)\" = x ]" },
	{ "stream-zstd-cut", "", "zstd --quiet | head --bytes=-3", "f a", "= the zstd data ends early" },
	{ "stream-zstd-garbage", "", "{ zstd --quiet; echo evil-evil; }", "f a", "= the zstd data is damaged (Unknown frame descriptor)" },
	{ "stream-xz", "", "xz", "f a", "= the layer is compressed with xz; gzip and zstd can be read" },
	{ "stream-bzip2", "", "printf 'BZh91AY'", "f a", "= the layer is compressed with bzip2; gzip and zstd can be read" },
	{ "stream-bomb-gzip", "--max-bytes 1000000", "{ cat; head --bytes=100000000 /dev/zero; } | gzip --fast", "f a", "= the layer has more than 1000000 bytes" },
	{ "stream-bomb-zstd", "--max-bytes 1000000", "{ cat; head --bytes=100000000 /dev/zero; } | zstd --quiet", "f a", "= the layer has more than 1000000 bytes" },
	{ "stream-window", "", "zstd --quiet --long=28", "f a", "= the zstd data is damaged (Frame requires too much memory for decoding)" },
	{ "stream-window-allowed", "", "zstd --quiet --long=27", "f a", "[ -f a ]" },
	{ "entries", "--max-entries 2", "cat", "f a|f b|f c", "= entry \"c\": the layer has more than 2 entries" },
	{ "digest", "--diff-id sha256:%{64:0}", "cat", "f a", "= *" },
};

/*
 * Writing
 */

static void die(const char *what)
{
	fprintf(stderr, "hostile-tar: %s\n", what);
	exit(1);
}

struct text {
	char *at;
	size_t len, size;
};

static void add(struct text *t, const char *bytes, size_t n)
{
	if (t->len + n + 1 > t->size) {
		t->size = 2 * (t->len + n + 1);
		t->at = realloc(t->at, t->size);
		if (!t->at)
			die("out of memory");
	}
	memcpy(t->at + t->len, bytes, n);
	t->len += n;
	t->at[t->len] = '\0';
}

/* %{N:TEXT}, which may hold others, %XX and %%. */
static void expand(struct text *t, const char *s, size_t n)
{
	add(t, "", 0);
	for (const char *end = s + n; s < end; s++) {
		if (s[0] == '%' && s[1] == '{') {
			char *text;
			unsigned long count = strtoul(s + 2, &text, 10);
			const char *close = ++text;

			for (int depth = 1; depth > 0; close++) {
				depth += close[0] == '{';
				depth -= close[0] == '}';
			}
			close--;
			while (count-- > 0)
				expand(t, text, (size_t)(close - text));
			s = close;
		} else if (s[0] == '%' && s[1] == '%') {
			add(t, s++, 1);
		} else if (s[0] == '%') {
			char hex[3] = { s[1], s[2], 0 }, byte = (char)strtoul(hex, NULL, 16);

			add(t, &byte, 1);
			s += 2;
		} else {
			add(t, s, 1);
		}
	}
}

static void out(const void *bytes, size_t n)
{
	if (fwrite(bytes, 1, n, stdout) != n)
		exit(1); /* the reader has had enough */
}

static void pad(size_t n)
{
	static const char zeros[512];

	out(zeros, (512 - n % 512) % 512);
}

/* Octal, or base 256 where that does not do. */
static void number(char *field, size_t width, long long n)
{
	if (n >= 0 && n < 1LL << 3 * (width - 1)) {
		char digits[32];

		snprintf(digits, sizeof(digits), "%0*llo", (int)width - 1, n);
		memcpy(field, digits, width - 1);
		return;
	}
	for (size_t i = width; i-- > 0; n >>= 8)
		field[i] = (char)n;
	field[0] = (char)(field[0] | 0x80);
}

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], time[12], sum[8], type, link[100],
		magic[8], uname[32], gname[32], major[8], minor[8], prefix[155], rest[12];
};

static void put(char *field, size_t width, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	memcpy(field, text ? text : "", n < width ? n : width);
}

static void put_header(struct header *h, int wrong)
{
	unsigned sum = wrong ? 1 : 0;

	memcpy(h->magic, "ustar\0" "00", 8);
	memset(h->sum, ' ', sizeof(h->sum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += ((unsigned char *)h)[i];
	snprintf(h->sum, sizeof(h->sum), "%06o", sum);
	out(h, sizeof(*h));
}

static void put_pax(const struct text *records)
{
	struct header h = { .type = 'x' };

	put(h.name, sizeof(h.name), "pax");
	number(h.mode, sizeof(h.mode), 0644);
	number(h.size, sizeof(h.size), (long long)records->len);
	put_header(&h, 0);
	out(records->at, records->len);
	pad(records->len);
}

/* "LENGTH KEY=VALUE\n", where the length counts itself. */
static void add_record(struct text *records, const struct text *pair)
{
	size_t len = pair->len + 3;
	char digits[32];

	while ((size_t)snprintf(digits, sizeof(digits), "%zu", len) + 2 + pair->len != len)
		len++;
	add(records, digits, strlen(digits));
	add(records, " ", 1);
	add(records, pair->at, pair->len);
	add(records, "\n", 1);
}

static void put_entry(char *words)
{
	static const char letters[] = "fdlhcbp", flags[] = "0521346";
	struct text data = { 0 }, records = { 0 };
	struct header h = { 0 };
	long long size = -2;
	int wrong = 0;
	unsigned long copies = 1;
	char *word = strsep(&words, " ");

	number(h.mode, sizeof(h.mode), strchr("d", word[0]) ? 0755 : 0644);
	number(h.uid, sizeof(h.uid), 0);
	number(h.gid, sizeof(h.gid), 0);
	number(h.time, sizeof(h.time), 1000000000);
	h.type = word[1] == '=' ? word[2] : flags[strchr(letters, word[0]) - letters];
	word = strsep(&words, " ");
	{
		struct text name = { 0 };

		expand(&name, word, strlen(word));
		put(h.name, sizeof(h.name), strcmp(word, "@") == 0 ? "" : name.at);
		free(name.at);
	}
	while ((word = strsep(&words, " ")) != NULL) {
		char *value = strchr(word, '=');
		struct text v = { 0 };

		value = value ? value + 1 : word + strlen(word);
		expand(&v, value, strlen(value));
		if (strncmp(word, "to=", 3) == 0)
			put(h.link, sizeof(h.link), v.at);
		else if (strncmp(word, "data=", 5) == 0)
			add(&data, v.at, v.len);
		else if (strncmp(word, "mode=", 5) == 0)
			number(h.mode, sizeof(h.mode), strtol(value, NULL, 8));
		else if (strncmp(word, "uid=", 4) == 0)
			number(h.uid, sizeof(h.uid), strtoll(value, NULL, 10));
		else if (strncmp(word, "gid=", 4) == 0)
			number(h.gid, sizeof(h.gid), strtoll(value, NULL, 10));
		else if (strncmp(word, "time=", 5) == 0)
			number(h.time, sizeof(h.time), strtoll(value, NULL, 10));
		else if (strncmp(word, "size=", 5) == 0)
			size = strtoll(value, NULL, 10);
		else if (strncmp(word, "dev=", 4) == 0) {
			number(h.major, sizeof(h.major), strtoll(value, &value, 10));
			number(h.minor, sizeof(h.minor), strtoll(value + 1, NULL, 10));
		} else if (strncmp(word, "x=", 2) == 0)
			add_record(&records, &v);
		else if (strncmp(word, "X=", 2) == 0)
			copies = strtoul(value, NULL, 10);
		else if (strcmp(word, "sum") == 0)
			wrong = 1;
		else
			die(word);
		free(v.at);
	}
	if (copies > 1 && records.len == 0)
		add_record(&records, &(struct text){ .at = (char *)"comment=x", .len = 9 });
	while (records.len > 0 && copies-- > 0)
		put_pax(&records);
	number(h.size, sizeof(h.size), size != -2 ? size : (long long)data.len);
	put_header(&h, wrong);
	out(data.at, data.len);
	pad(data.len);
	free(data.at);
	free(records.at);
}

static void put_archive(const char *archive)
{
	static const char end[1024];
	char *copy = strdup(archive), *rest = copy, *entry;

	while ((entry = strsep(&rest, "|")) != NULL)
		put_entry(entry);
	out(end, sizeof(end));
	free(copy);
}

int main(int argc, char *argv[])
{
	const size_t n = sizeof(rows) / sizeof(rows[0]);

	if (argc == 3 && strcmp(argv[1], "-") == 0) {
		put_archive(argv[2]);
		return fflush(stdout) != 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct text options = { 0 }, expected = { 0 };

		if (argc == 2 && strcmp(rows[i].name, argv[1]) == 0) {
			put_archive(rows[i].archive);
			return fflush(stdout) != 0;
		}
		if (argc > 1)
			continue;
		expand(&options, rows[i].options, strlen(rows[i].options));
		if (rows[i].expected[0] == '=')
			expand(&expected, rows[i].expected, strlen(rows[i].expected));
		printf("%s\t%s\t%s\t%s\n", rows[i].name, options.len ? options.at : " ",
		       rows[i].filter, expected.at ? expected.at : rows[i].expected);
	}
	if (argc > 1)
		die("there is no archive of this name");
	return 0;
}
