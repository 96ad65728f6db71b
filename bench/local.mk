# What bench/bench measures with. Static and without the sanitizers of a debugging
# build: their own start must cost little and always the same.
noinst_PROGRAMS += bench/floor bench/timeit bench/peak bench/touched
BENCHCFLAGS = -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
bench_floor_SOURCES = bench/floor.c
bench_floor_CFLAGS = $(BENCHCFLAGS)
bench_floor_LDFLAGS = -static -no-pie
bench_timeit_SOURCES = bench/timeit.c
bench_timeit_CFLAGS = $(BENCHCFLAGS)
bench_timeit_LDFLAGS = -static -no-pie
bench_peak_SOURCES = bench/peak.c bench/traced.c bench/traced.h
bench_peak_CFLAGS = $(BENCHCFLAGS)
bench_peak_LDFLAGS = -static -no-pie
bench_touched_SOURCES = bench/touched.c bench/traced.c bench/traced.h
bench_touched_CFLAGS = $(BENCHCFLAGS)
bench_touched_LDFLAGS = -static -no-pie
EXTRA_DIST += bench/account bench/bench bench/first bench/images bench/in-vm bench/networks bench/overlaid.c bench/plot bench/v2ns

# By musl, as hull is: what glibc asks the processor at its start would be added to what is compared with.
if MUSL
noinst_SCRIPTS += bench/overlaid
bench/overlaid: bench/overlaid.c
	$(AM_V_CC)mkdir -p $(@D) && $(MUSL_GCC) $(BENCHCFLAGS) -D_GNU_SOURCE -static -o $@ $<
CLEANFILES += bench/overlaid
endif
