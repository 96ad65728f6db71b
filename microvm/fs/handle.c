/* handle.c - see handle.h. */
#include "microvm/fs/handle.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/util.h"
#include "microvm/fs/server.h"

enum { FIRST_SLOTS = 64 };

static void slots_grow(struct handle_table *t)
{
	uint32_t n = t->n_slots ? t->n_slots * 2 : FIRST_SLOTS;

	t->slots = mem_grow(t->slots, n, sizeof(*t->slots));
	memset(t->slots + t->n_slots, 0, (n - t->n_slots) * sizeof(*t->slots));
	/* Slot 0 is never given out: it ends the list, and no handle is 0. */
	for (uint32_t i = n - 1; i >= t->n_slots && i > 0; i--) {
		t->slots[i].next_free = t->free;
		t->free = i;
	}
	t->n_slots = n;
}

static struct handle *handle_at(struct handle_table *t, uint64_t id)
{
	struct handle *handle = (uint32_t)id < t->n_slots ? t->slots[(uint32_t)id].handle : NULL;

	return handle && handle->id == id ? handle : NULL;
}

int handle_reserve(struct fs_server *server)
{
	struct handle_table *t = &server->handles;
	bool full;

	pthread_mutex_lock(&t->lock);
	full = t->n >= t->max;
	if (!full)
		t->n++;
	pthread_mutex_unlock(&t->lock);
	if (full)
		return -ENFILE;
	if (inode_reserve(server) == 0)
		return 0;
	pthread_mutex_lock(&t->lock);
	t->n--;
	pthread_mutex_unlock(&t->lock);
	return -ENFILE;
}

void handle_cancel(struct fs_server *server)
{
	struct handle_table *t = &server->handles;

	pthread_mutex_lock(&t->lock);
	t->n--;
	pthread_mutex_unlock(&t->lock);
	inode_unreserve(server);
}

uint64_t handle_new(struct fs_server *server, struct inode *inode, int fd, bool append)
{
	struct handle_table *t = &server->handles;
	struct handle *handle = mem_zalloc(sizeof(*handle));
	uint64_t id;
	uint32_t slot;

	inode_hold(server, inode);
	*handle = (struct handle){
		.users = 1,
		.fd = fd,
		.inode = inode,
		.is_dir = inode->type == S_IFDIR,
		.append = append,
	};
	pthread_mutex_init(&handle->lock, NULL);
	pthread_mutex_lock(&t->lock);
	if (!t->free)
		slots_grow(t);
	slot = t->free;
	t->free = t->slots[slot].next_free;
	t->slots[slot].handle = handle;
	id = handle->id = (uint64_t)t->slots[slot].generation << 32 | slot;
	pthread_mutex_unlock(&t->lock);
	return id;
}

int handle_place(struct fs_server *server, uint64_t id, struct inode *inode, int fd, bool append)
{
	struct handle_table *t = &server->handles;
	uint32_t slot = (uint32_t)id;
	auto_fd int taken = fd;
	uint64_t given;

	if (slot == 0 || slot / 2 >= t->max)
		return -EINVAL;
	while (slot >= t->n_slots)
		slots_grow(t);
	if (t->slots[slot].handle)
		return -EEXIST;
	/* The slot that comes next is this one; handles_placed() makes the list anew. */
	t->free = slot;
	t->slots[slot].generation = (uint32_t)(id >> 32);
	given = handle_new(server, inode, take_fd(&taken), append);
	assert(given == id);
	return 0;
}

void handles_placed(struct fs_server *server)
{
	struct handle_table *t = &server->handles;

	t->free = 0;
	for (uint32_t i = t->n_slots; i-- > 1;)
		if (!t->slots[i].handle) {
			t->slots[i].next_free = t->free;
			t->free = i;
		}
}

int handle_get(struct fs_server *server, uint64_t id, const struct inode *inode, bool is_dir,
	       struct handle **ret)
{
	struct handle_table *t = &server->handles;
	struct handle *handle;

	pthread_mutex_lock(&t->lock);
	handle = handle_at(t, id);
	if (handle && (handle->inode != inode || handle->is_dir != is_dir))
		handle = NULL;
	if (handle)
		handle->users++;
	pthread_mutex_unlock(&t->lock);
	if (!handle)
		return -EBADF;
	*ret = handle;
	return 0;
}

void handle_put(struct fs_server *server, struct handle *handle)
{
	struct handle_table *t = &server->handles;
	bool last;

	pthread_mutex_lock(&t->lock);
	last = --handle->users == 0;
	if (last)
		t->n--;
	pthread_mutex_unlock(&t->lock);
	if (!last)
		return;
	close(handle->fd);
	inode_unreserve(server);
	inode_put(server, handle->inode);
	pthread_mutex_destroy(&handle->lock);
	free(handle->chunk.bytes);
	free(handle);
}

/* Nobody finds it any more; those who have it go on. */
static void slot_clear(struct handle_table *t, uint32_t slot)
{
	t->slots[slot].handle = NULL;
	t->slots[slot].generation++;
	t->slots[slot].next_free = t->free;
	t->free = slot;
}

int handle_release(struct fs_server *server, uint64_t id, const struct inode *inode, bool is_dir)
{
	struct handle_table *t = &server->handles;
	struct handle *handle;

	pthread_mutex_lock(&t->lock);
	handle = handle_at(t, id);
	if (handle && (handle->inode != inode || handle->is_dir != is_dir))
		handle = NULL;
	if (handle)
		slot_clear(t, (uint32_t)id);
	pthread_mutex_unlock(&t->lock);
	if (!handle)
		return -EBADF;
	handle_put(server, handle);
	return 0;
}

void handles_init(struct fs_server *server)
{
	pthread_mutex_init(&server->handles.lock, NULL);
}

void handles_clear(struct fs_server *server)
{
	struct handle_table *t = &server->handles;
	bool more = true;

	for (uint32_t i = 1; more; i++) {
		struct handle *handle = NULL;

		pthread_mutex_lock(&t->lock);
		more = i < t->n_slots;
		if (more && t->slots[i].handle) {
			handle = t->slots[i].handle;
			slot_clear(t, i);
		}
		pthread_mutex_unlock(&t->lock);
		if (handle)
			handle_put(server, handle);
	}
}

void handles_done(struct fs_server *server)
{
	handles_clear(server);
	free(server->handles.slots);
	pthread_mutex_destroy(&server->handles.lock);
	server->handles = (struct handle_table){ 0 };
}
