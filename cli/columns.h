/* columns.h - text with tabs as a table. Pure. */
#ifndef HULL_CLI_COLUMNS_H
#define HULL_CLI_COLUMNS_H

#include "base/buf.h"

/* Adds the lines of `text` to *ret: what is behind the same number of tabs begins in the same column. */
void columns_print(const char *text, struct buf *ret);

#endif
