/*
 * keys.h - a row of keys, as ctrl-p and ctrl-q, among others that are typed. Pure.
 */
#ifndef HULL_BASE_KEYS_H
#define HULL_BASE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * *typed is how many of the n keys the last ones typed were; it begins as 0. True: with `key` it is all
 * of them; none (n is 0) never are.
 */
bool keys_typed(const char *keys, size_t n, size_t *typed, char key);

#endif
