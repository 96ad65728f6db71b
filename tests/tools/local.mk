# What some bats files drive hull with. Static, because some run inside containers,
# and without the sanitizers of a debugging build.
TEST_TOOLS = tests/tools/churn tests/tools/intruder tests/tools/killat tests/tools/swap
noinst_PROGRAMS += $(TEST_TOOLS)
TOOLCFLAGS = -std=c11 -O2 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
TOOLLDFLAGS = -static -no-pie
tests_tools_churn_SOURCES = tests/tools/churn.c
tests_tools_churn_CFLAGS = $(TOOLCFLAGS)
tests_tools_churn_LDFLAGS = $(TOOLLDFLAGS)
tests_tools_intruder_SOURCES = tests/tools/intruder.c
tests_tools_intruder_CFLAGS = $(TOOLCFLAGS)
tests_tools_intruder_LDFLAGS = $(TOOLLDFLAGS)
tests_tools_killat_SOURCES = tests/tools/killat.c
tests_tools_killat_CFLAGS = $(TOOLCFLAGS)
tests_tools_killat_LDFLAGS = $(TOOLLDFLAGS)
tests_tools_swap_SOURCES = tests/tools/swap.c
tests_tools_swap_CFLAGS = $(TOOLCFLAGS)
tests_tools_swap_LDFLAGS = $(TOOLLDFLAGS)
EXTRA_DIST += tests/tools/tools.bash
