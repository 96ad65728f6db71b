#include "image/unpack/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "base/json.h"
#include "base/sys.h"

enum { BENEATH = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV };

int tree_directory(int root, const char *path)
{
	int fd = sys_openat2(root, path[0] ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
			     BENEATH);

	return fd < 0 ? -errno : fd;
}

int tree_explain(int root, const struct entry_path *path, int r, struct err *e)
{
	char part[ENTRY_PATH_MAX];

	for (size_t end = 0; r == -ELOOP || r == -ENOTDIR;) {
		struct stat st;
		int fd;

		end += strcspn(path->text + end, "/");
		memcpy(part, path->text, end);
		part[end] = '\0';
		fd = sys_openat2(root, part, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, BENEATH);
		if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
			close(fd);
			return err_set(e, -r, "it lies below %s, which is %s",
				       json_quote(part).text, entry_type_name(st.st_mode & S_IFMT));
		}
		close_fd(&fd);
		if (path->text[end++] == '\0')
			break;
	}
	return err_neg(e, r, "open its parent");
}

int tree_remove(int parent, const char *name, struct err *e)
{
	int r = io_remove_tree(parent, name);

	return r < 0 ? err_neg(e, r, "remove what was there before") : 0;
}
