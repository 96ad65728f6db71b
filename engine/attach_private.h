/* attach_private.h - what the two sides of attach.h share. */
#ifndef HULL_ENGINE_ATTACH_PRIVATE_H
#define HULL_ENGINE_ATTACH_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

#define ATTACH_SOCKET "attach.sock"

struct sockaddr_un attach_address(int dir);
/* Sends one. False: the other end does not take it now; that it is gone is success. */
bool attach_packet(int fd, char what, const void *bytes, size_t len);

#endif
