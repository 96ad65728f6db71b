noinst_LIBRARIES += microvm/fs/libvmfs.a
microvm_fs_libvmfs_a_SOURCES = \
	microvm/fs/attr.c \
	microvm/fs/attr.h \
	microvm/fs/dir.c \
	microvm/fs/file.h \
	microvm/fs/fs.h \
	microvm/fs/handle.c \
	microvm/fs/handle.h \
	microvm/fs/init.c \
	microvm/fs/inode.c \
	microvm/fs/inode.h \
	microvm/fs/io.c \
	microvm/fs/lock.c \
	microvm/fs/lock.h \
	microvm/fs/mount.c \
	microvm/fs/mount.h \
	microvm/fs/name.c \
	microvm/fs/name.h \
	microvm/fs/open.c \
	microvm/fs/owner.c \
	microvm/fs/owner.h \
	microvm/fs/save.c \
	microvm/fs/server.c \
	microvm/fs/server.h \
	microvm/fs/tree.c \
	microvm/fs/vec.c \
	microvm/fs/vec.h \
	microvm/fs/wire.h \
	microvm/fs/xattr.c
