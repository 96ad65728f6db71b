/*
 * swap - exchanges two names all the time: swap A B. Ends by a signal, or when
 * the names are gone. (SECURITY.md: the racer of CVE-2021-30465.)
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: swap A B\n");
		return 2;
	}
	while (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) == 0)
		;
	fprintf(stderr, "swap: %s\n", strerror(errno));
	return 1;
}
