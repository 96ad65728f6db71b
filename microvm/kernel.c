#include "microvm/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/io.h"
#include "microvm/vsock_host.h"

enum { LIST_MAX = 4 * 1024 * 1024, VERSION_POINTER = 0x20e, VERSION_MAX = 128 };

/* What the machine is made of, as modules. */
static const char *const wanted[] = { "virtio_pci", "virtio_console", "virtiofs" };
/* Fine to be without. */
static const char *const wished[] = { "virtio_rng", "virtio-rng", "virtio_balloon" };

/* With it comes all else that sockets of AF_VSOCK are made of. */
static const char vsock[] = "vmw_vsock_virtio_transport";

/* modules.dep and modules.builtin (depmod(8)) */
struct lists {
	struct buf dep, builtin;
};

static void lists_done(struct lists *l)
{
	buf_done(&l->dep);
	buf_done(&l->builtin);
}

/* "kernel/fs/fuse/virtiofs.ko.xz" is the module virtiofs; '-' and '_' are the same. */
static bool is_module(const char *path, size_t len, const char *name)
{
	const char *at = memrchr(path, '/', len);

	at = at ? at + 1 : path;
	for (; at < path + len && *name; at++, name++)
		if (*at != *name && !(*at == '-' && *name == '_') && !(*at == '_' && *name == '-'))
			return false;
	return !*name && path + len - at >= 3 && strncmp(at, ".ko", 3) == 0;
}

/* The line of the list that is about the module: the list's lines begin with its path. */
static const char *find_line(const char *list, const char *name)
{
	while (*list) {
		size_t line = strcspn(list, "\n");

		if (is_module(list, strcspn(list, ":\n"), name))
			return list;
		list += line + (list[line] == '\n');
	}
	return NULL;
}

static bool has(const struct strings *list, const char *path, size_t len)
{
	for (size_t i = 0; i < list->n; i++)
		if (strlen(list->at[i]) == len && memcmp(list->at[i], path, len) == 0)
			return true;
	return false;
}

/* modules.dep has a module's dependencies behind it, those that come first last. */
int kernel_resolve(const char *dep, const char *builtin, const char *name, struct arena *a,
		   struct strings *ret)
{
	const char *line = find_line(dep, name), *words[KERNEL_MODULES_MAX];
	size_t lengths[KERNEL_MODULES_MAX], n = 0, end;

	if (find_line(builtin, name))
		return 0;
	if (!line)
		return -ENOENT;
	end = strcspn(line, "\n");
	for (size_t at = 0; at < end && n < KERNEL_MODULES_MAX;) {
		size_t len = strcspn(line + at, ": \n");

		if (len) {
			words[n] = line + at;
			lengths[n++] = len;
		}
		at += len + 1;
	}
	while (n-- > 0) {
		if (has(ret, words[n], lengths[n]))
			continue;
		if (ret->n == KERNEL_MODULES_MAX)
			return -E2BIG;
		ret->at[ret->n++] = arena_strndup(a, words[n], lengths[n]);
	}
	return 0;
}

/* The version is in the image; only a bzImage says it. */
static const char *read_version(int fd, struct arena *a)
{
	char text[VERSION_MAX + 1] = { 0 };
	uint8_t head[0x210];
	uint16_t at;

	if (pread(fd, head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head + 0x202, "HdrS", 4) != 0)
		return NULL;
	memcpy(&at, head + VERSION_POINTER, sizeof(at));
	if (pread(fd, text, VERSION_MAX, at + 0x200) < 1)
		return NULL;
	text[strcspn(text, " /\n")] = '\0';
	return text[0] && text[0] != '.' ? arena_strdup(a, text) : NULL;
}

/* Of two names the newer one: Debian's cloud kernels before others, then by version. */
static bool is_better(const char *name, const char *than)
{
	bool cloud = strstr(name, "-cloud-"), than_cloud = than && strstr(than, "-cloud-");

	if (!than || cloud != than_cloud)
		return !than || cloud;
	return strverscmp(name, than) > 0;
}

static const char *find_in(const char *directory, struct arena *a)
{
	const char *best = NULL;
	DIR *d = opendir(directory);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (strncmp(entry->d_name, "vmlinuz", 7) == 0 && is_better(entry->d_name, best))
			best = arena_strdup(a, entry->d_name);
	if (d)
		closedir(d);
	return best ? arena_printf(a, "%s/%s", directory, best) : NULL;
}

static int open_image(const char *path, struct arena *a, struct kernel *k, struct err *e)
{
	const char *const directories[] = { "/usr/lib/hull", "/boot" };

	k->path = path;
	for (size_t i = 0; !k->path && i < ARRAY_LEN(directories); i++)
		k->path = find_in(directories[i], a);
	if (!k->path)
		return err_set(
			e, ENOENT,
			"there is no kernel for a microVM in /usr/lib/hull or /boot: install "
			"one (Debian: linux-image-cloud-amd64), or name it (vm.kernel.path)");
	k->fd = open(k->path, O_RDONLY | O_CLOEXEC);
	return k->fd < 0 ? err_sys(e, "open the kernel %s", k->path) : 0;
}

static int open_modules(const struct kernel *k, struct arena *a, const char **ret, struct err *e)
{
	const char *slash = strrchr(k->path, '/');
	const char *const places[] = {
		arena_printf(a, "/lib/modules/%s", k->version),
		arena_printf(a, "%.*s/modules/%s", slash ? (int)(slash - k->path) : 1,
			     slash ? k->path : ".", k->version),
	};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		int fd = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		*ret = places[i];
		if (fd >= 0)
			return fd;
	}
	return err_set(e, ENOENT,
		       "the modules of kernel %s are missing: there is neither %s nor %s", k->path,
		       places[0], places[1]);
}

/* What these need of modules that others do not need already; -ENOENT: there is not all of it. */
static int find_beyond(const struct kernel *k, const struct lists *lists, const char *const *names,
		       size_t n, struct arena *a, struct strings *ret)
{
	struct strings all = { arena_array(a, KERNEL_MODULES_MAX, sizeof(char *)), 0 };
	int r = 0;

	*ret = (struct strings){ arena_array(a, KERNEL_MODULES_MAX, sizeof(char *)), 0 };
	for (size_t i = 0; i < n && r == 0; i++)
		r = kernel_resolve(lists->dep.text, lists->builtin.text, names[i], a, &all);
	for (size_t i = 0; r == 0 && i < all.n; i++)
		if (!has(&k->modules, all.at[i], strlen(all.at[i])))
			ret->at[ret->n++] = all.at[i];
	return r;
}

static void add_place(const char *place, struct strings *modules, struct arena *a)
{
	for (size_t i = 0; i < modules->n; i++)
		modules->at[i] = arena_printf(a, "%s/%s", place, modules->at[i]);
}

static int too_many(const struct kernel *k, struct err *e)
{
	return err_set(e, E2BIG, "the kernel %s needs too many modules", k->path);
}

static int read_lists(int dir, struct lists *ret, struct err *e)
{
	TRY(io_read_file(dir, "modules.dep", LIST_MAX, "modules.dep", &ret->dep, e));
	return io_read_file(dir, "modules.builtin", LIST_MAX, "modules.builtin", &ret->builtin, e);
}

static int find_modules(struct kernel *k, const struct kernel_wish *wish, struct arena *a,
			struct err *e)
{
	static const char *const network[] = { "virtio_net" };
	const char *const disks[] = { "virtio_blk", "overlay", wish->disk };
	__attribute__((cleanup(lists_done))) struct lists lists = { 0 };
	const char *place;
	auto_fd int dir = open_modules(k, a, &place, e);
	int r;

	TRY(dir);
	TRY(read_lists(dir, &lists, e));
	k->modules.at = arena_array(a, KERNEL_MODULES_MAX, sizeof(char *));
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (kernel_resolve(lists.dep.text, lists.builtin.text, wanted[i], a, &k->modules) <
		    0)
			return err_set(e, ENOENT, "the kernel %s has no %s, which a microVM needs",
				       k->path, wanted[i]);
	for (size_t i = 0; i < ARRAY_LEN(wished); i++)
		if (kernel_resolve(lists.dep.text, lists.builtin.text, wished[i], a, &k->modules) ==
		    -E2BIG)
			return too_many(k, e);
	r = wish->vsock ? kernel_resolve(lists.dep.text, lists.builtin.text, vsock, a, &k->modules)
			: 0;
	if (r == -E2BIG)
		return too_many(k, e);
	if (r < 0)
		return err_set(e, ENOENT,
			       "the kernel %s has no %s, which annotation " VSOCK_ANNOTATION
			       " needs",
			       k->path, vsock);
	r = find_beyond(k, &lists, network, ARRAY_LEN(network), a, &k->network);
	if (r == -E2BIG)
		return too_many(k, e);
	k->has_network = r == 0;
	r = wish->disk ? find_beyond(k, &lists, disks, ARRAY_LEN(disks), a, &k->disk) : 0;
	if (r == -E2BIG)
		return too_many(k, e);
	k->has_disk = r == 0;
	add_place(place, &k->modules, a);
	add_place(place, &k->network, a);
	add_place(place, &k->disk, a);
	return 0;
}

int kernel_open(const struct kernel_wish *wish, struct arena *a, struct kernel *ret, struct err *e)
{
	struct kernel k = { .fd = -1, .has_network = true, .has_disk = true };

	TRY(open_image(wish->path, a, &k, e));
	k.version = read_version(k.fd, a);
	/* An ELF file does not say: then it has to have everything in it. */
	if (k.version && find_modules(&k, wish, a, e) < 0) {
		close(k.fd);
		return -e->code;
	}
	*ret = k;
	return 0;
}
