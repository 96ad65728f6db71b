/* prctl.h - musl's own has what the kernel's has, and both together clash. */
#include <sys/prctl.h>
