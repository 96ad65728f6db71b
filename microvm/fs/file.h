/* file.h - what more than one request does with an open file. */
#ifndef HULL_MICROVM_FS_FILE_H
#define HULL_MICROVM_FS_FILE_H

/* Takes set-user-id, and set-group-id of what its group may run, as a write does. 0 or negative errno. */
int file_kill_suid(int fd);

#endif
