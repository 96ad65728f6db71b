/* signals.h - signals that would end us while we hold something up. */
#ifndef HULL_BASE_SIGNALS_H
#define HULL_BASE_SIGNALS_H

#include <stdbool.h>

/* Those of the terminal and of who asks us to end wait, or do no more. Programs that we run inherit it. */
void signals_hold(bool hold);

#endif
