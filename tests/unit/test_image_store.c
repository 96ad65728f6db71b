/* The store: blobs, layers, names, what leads to what, and what is told and mended. */
#include <dirent.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>

#include "base/io.h"
#include "image/store.h"
#include "test_child.h"
#include "test_image_make.h"

#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define DEBIAN "docker.io/library/debian:"

TestSuite(image_store, .init = store_make, .fini = store_unmake);

static mode_t mode_of(const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mode & 07777 : 0;
}

static struct digest parsed(const char *text)
{
	struct digest d;

	cr_assert_eq(digest_parse(text, &d, NULL), 0);
	return d;
}

static const char *in_store(const char *kind, const struct digest *d)
{
	static char names[4][256];
	static unsigned next;
	char *name = names[next++ % 4];

	snprintf(name, sizeof(names[0]), "store/%s/%s/%s", kind, digest_algorithm_name(d),
		 digest_hex(d));
	return name;
}

static size_t staged(void)
{
	DIR *d = opendir(dir_at("store/staging"));
	size_t n = 0;

	cr_assert_not_null(d);
	for (struct dirent *entry; (entry = readdir(d)) != NULL;)
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

/* The directory. */

Test(image_store, is_private_and_a_layout)
{
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	cr_expect_eq(mode_of("store"), 0700);
	cr_expect_eq(mode_of("store/blobs/sha256"), 0700);
	cr_expect_eq(mode_of("store/layers"), 0700);
	cr_assert_eq(io_read_file(dir_fd, "store/oci-layout", 100, "x", &text, &e), 0, "%s", e.msg);
	cr_expect_str_eq(text.text, "{\"imageLayoutVersion\":\"1.0.0\"}");
	cr_expect_eq(staged(), 0);
	image_store_close(&store);
	cr_assert_eq(chmod(dir_at("store"), 0755), 0);
	cr_assert_eq(image_store_open(dir_at("store"), false, &store, &e), 0, "%s", e.msg);
	cr_expect_eq(mode_of("store"), 0700);
}

Test(image_store, is_made_only_if_asked_for)
{
	auto_image_store struct image_store s = IMAGE_STORE_CLOSED;
	struct err e = { 0 };

	cr_expect_eq(image_store_open(dir_at("none"), false, &s, &e), -ENOENT);
	cr_expect_not(dir_has("none"));
	cr_assert_eq(mkdirat(dir_fd, "none", 0700), 0);
	cr_expect_eq(image_store_open(dir_at("none"), false, &s, &e), -ENOENT, "%s", e.msg);
	cr_assert_eq(image_store_open(dir_at("a/b/c"), true, &s, &e), 0, "%s", e.msg);
}

Test(image_store, of_another_is_refused)
{
	auto_image_store struct image_store s = IMAGE_STORE_CLOSED;
	struct err e = { 0 };

	need_root();
	cr_assert_eq(fchownat(dir_fd, "store", 1000, 1000, 0), 0);
	cr_expect_eq(image_store_open(dir_at("store"), true, &s, &e), -EPERM);
	cr_expect(strstr(e.msg, "it belongs to uid 1000, not to 0"), "%s", e.msg);
}

Test(image_store, path)
{
	auto_buf struct buf path = { 0 };

	need_root();
	cr_assert_eq(image_store_path(NULL, &path, NULL), 0);
	cr_expect_str_eq(path.text, "/var/lib/hull");
	buf_clear(&path);
	cr_assert_eq(image_store_path("/x", &path, NULL), 0);
	cr_expect_str_eq(path.text, "/x");
}

static void user_path(void *arg UNUSED)
{
	static const struct {
		const char *data, *home, *path;
	} rows[] = {
		{ "/d", "/h", "/d/hull" },
		{ NULL, "/h", "/h/.local/share/hull" },
		{ "d", "/h", "/h/.local/share/hull" },
		{ "", "", NULL },
	};

	become_user(1000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf path = { 0 };
		struct err e = { 0 };
		int r;

		unsetenv("XDG_DATA_HOME");
		if (rows[i].data)
			setenv("XDG_DATA_HOME", rows[i].data, 1);
		setenv("HOME", rows[i].home, 1);
		r = image_store_path(NULL, &path, &e);
		CHILD_ASSERT((r == 0) == (rows[i].path != NULL), "%zu: %s", i, e.msg);
		if (r == 0)
			CHILD_STR_EQ(path.text, rows[i].path);
	}
}

Test(image_store, path_of_a_user)
{
	need_root();
	expect_child(user_path, NULL);
}

/* Blobs. */

Test(image_store, blob_is_stored_whole)
{
	struct digest d, abc = parsed(ABC);
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	cr_expect_not(image_store_has(&store, &abc, -1));
	cr_assert_eq(image_store_add(&store, "abc", 3, &d, &e), 0, "%s", e.msg);
	cr_expect_str_eq(d.text, ABC);
	cr_expect_eq(mode_of(in_store("blobs", &d)), 0400);
	cr_expect(image_store_has(&store, &abc, -1));
	cr_expect(image_store_has(&store, &abc, 3));
	cr_expect_not(image_store_has(&store, &abc, 4));
	cr_assert_eq(image_store_read(&store, &d, &text, &e), 0, "%s", e.msg);
	cr_expect_str_eq(text.text, "abc");
	cr_assert_eq(image_store_add(&store, "abc", 3, &d, &e), 0, "%s", e.msg);
	cr_expect_eq(staged(), 0);
}

Test(image_store, blob_that_is_something_else_is_refused)
{
	static const struct {
		const char *digest, *text;
		int64_t size;
		int error;
		const char *message;
	} rows[] = {
		{ ABC, "abd", 3, EBADMSG,
		  "store blob " ABC ": its content has the digest sha256:a52d" },
		{ ABC, "abd", -1, EBADMSG, "its content has the digest" },
		{ ABC, "ab", 3, EBADMSG, "store blob " ABC ": it ended after 2 bytes of 3" },
		{ ABC, "abcd", 3, EFBIG,
		  "store blob " ABC ": more than the 3 bytes it should have" },
		{ NULL, "abcd", 3, EFBIG, "store blob (new): more than the 3 bytes" },
		{ NULL, "ab", 3, EBADMSG, "it ended after 2 bytes of 3" },
		{ ABC, "abc", 2, EFBIG, "more than the 2 bytes it should have" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct digest d = rows[i].digest ? parsed(rows[i].digest) : (struct digest){ "" };
		auto_image_blob struct image_blob b = { .store = NULL };
		struct err e = { 0 };
		int r;

		cr_assert_eq(image_blob_begin(&store, rows[i].digest ? &d : NULL, rows[i].size, &b,
					      &e),
			     0);
		r = image_blob_write(&b, rows[i].text, strlen(rows[i].text), &e);
		if (r == 0)
			r = image_blob_commit(&b, NULL, NULL, &e);
		cr_expect_eq(r, -rows[i].error, "row %zu", i);
		cr_expect(strstr(e.msg, rows[i].message), "row %zu: %s", i, e.msg);
		image_blob_abandon(&b);
		cr_expect_not(dir_has(in_store("blobs", &(struct digest){ ABC })));
	}
	cr_expect_eq(staged(), 0);
}

Test(image_store, blob_of_a_stream)
{
	struct digest d, expected = digest_of(DIGEST_SHA512, "abc", 3);
	uint64_t size = 0;
	struct err e = { 0 };
	int fd;

	dir_file("file", "abc");
	fd = openat(dir_fd, "file", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(image_store_add_fd(&store, fd, NULL, -1, &d, &size, &e), 0, "%s", e.msg);
	cr_expect_str_eq(d.text, ABC);
	cr_expect_eq(size, 3);
	lseek(fd, 0, SEEK_SET);
	cr_assert_eq(image_store_add_fd(&store, fd, &expected, 3, &d, &size, &e), 0, "%s", e.msg);
	cr_expect(image_store_has(&store, &expected, 3));
	/* It is there: nothing need be read. */
	cr_assert_eq(image_store_add_fd(&store, -1, &expected, 3, &d, &size, &e), 0, "%s", e.msg);
	close(fd);
}

static void break_blob(const struct digest *d, const char *text)
{
	cr_assert_eq(unlinkat(dir_fd, in_store("blobs", d), 0), 0);
	dir_file(in_store("blobs", d), text);
}

Test(image_store, damaged_blob_is_seen)
{
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };
	struct digest d;

	cr_assert_eq(image_store_add(&store, "abc", 3, &d, &e), 0);
	break_blob(&d, "abd");
	cr_expect_eq(image_store_read(&store, &d, &text, &e), -EBADMSG);
	cr_expect(strstr(e.msg, "its content is damaged"), "%s", e.msg);
	/* A wrong size is seen by who stores it again. */
	break_blob(&d, "ab");
	cr_assert_eq(image_store_add(&store, "abc", 3, &d, &e), 0, "%s", e.msg);
	buf_clear(&text);
	cr_expect_eq(image_store_read(&store, &d, &text, &e), 0, "%s", e.msg);
	cr_expect_eq(staged(), 0);
	cr_expect_eq(image_store_read(&store, &(struct digest){ "sha256:0" }, &text, &e), -ENOENT);
}

/* Eight processes at once make the same things. */
static void same_work(void *arg)
{
	auto_image_store struct image_store s = IMAGE_STORE_CLOSED;
	auto_fd int use = -1;
	struct err e = { 0 };
	struct made m;

	CHILD_ASSERT(image_store_open(arg, true, &s, &e) == 0, "%s", e.msg);
	for (int i = 0; i < 20; i++) {
		char word[16];

		use = image_store_use(&s, &e);
		CHILD_ASSERT(use >= 0, "%s", e.msg);
		snprintf(word, sizeof(word), "w%d", i);
		CHILD_ASSERT(try_make_image(&s, word, 2, &m, &e) == 0, "%s", e.msg);
		CHILD_ASSERT(try_make_layer(&s, &m.diff_ids[0], &e) == 0, "%s", e.msg);
		CHILD_ASSERT(try_make_layer(&s, &m.diff_ids[1], &e) == 0, "%s", e.msg);
		CHILD_ASSERT(image_store_tag(&s, DEBIAN "1", &m.manifest, NULL, &e) == 0, "%s",
			     e.msg);
		close_fd(&use);
	}
}

Test(image_store, parallel_writers_are_harmless)
{
	int reports[8];
	pid_t pids[8];
	auto_arena struct arena a = { 0 };
	struct image_records list;
	struct err e = { 0 };

	for (int i = 0; i < 8; i++)
		pids[i] = child_start(same_work, (void *)dir_at("store"), &reports[i]);
	for (int i = 0; i < 8; i++) {
		char text[1024] = "";
		int status;

		waitpid(pids[i], &status, 0);
		cr_expect_leq(read(reports[i], text, sizeof(text) - 1), 0, "%s", text);
		cr_expect_eq(status, 0);
		close(reports[i]);
	}
	cr_expect_eq(staged(), 0);
	cr_assert_eq(image_store_list(&store, &a, &list, &e), 0, "%s", e.msg);
	cr_expect_eq(list.n, 20);
	cr_expect_str_eq(list.at[0].name, DEBIAN "1");
	cr_expect_eq(image_store_check(&store, false, 0, NULL, NULL, &e), 0, "%s", e.msg);
}

/* Layers. */

static bool layer_has_file(const struct digest *diff_id)
{
	auto_fd int fd = image_layer_open(&store, diff_id, NULL);
	struct stat st;

	return fd >= 0 && fstatat(fd, "etc/file", &st, 0) == 0 && st.st_size == 4;
}

Test(image_store, layer_is_there_when_it_is_whole)
{
	struct digest d = parsed(ABC), other = digest_of(DIGEST_SHA256, "", 0);
	struct image_layer l = { .store = NULL };
	struct err e = { 0 };

	cr_expect_eq(image_layer_open(&store, &d, &e), -ENOENT);
	cr_expect_str_eq(e.msg, "layer " ABC " is not unpacked");
	cr_assert_eq(image_layer_begin(&store, &d, &l, &e), 0, "%s", e.msg);
	cr_expect_not(l.present);
	cr_assert_eq(mkdirat(l.fs, "etc", 0755), 0);
	cr_expect_eq(image_layer_open(&store, &d, &e), -ENOENT);
	cr_expect_eq(staged(), 1);
	image_layer_abandon(&l);
	cr_expect_eq(staged(), 0);
	cr_assert_eq(image_layer_begin(&store, &d, &l, &e), 0, "%s", e.msg);
	cr_expect_eq(image_layer_commit(&l, &other, &e), -EBADMSG);
	cr_expect(strstr(e.msg, "store layer " ABC ": its content has the digest sha256:e3b0"),
		  "%s", e.msg);
	cr_expect_eq(staged(), 0);
	cr_assert_eq(try_make_layer(&store, &d, &e), 0, "%s", e.msg);
	cr_expect(layer_has_file(&d));
	cr_expect_eq(mode_of(in_store("layers", &d)), 0700);
	cr_assert_eq(image_layer_begin(&store, &d, &l, &e), 0, "%s", e.msg);
	cr_expect(l.present);
	cr_expect_eq(l.fs, -1);
	cr_expect_eq(image_layer_commit(&l, &d, &e), 0);
}

/* Another process unpacks it, having said so, for a while. */
static pid_t begin_elsewhere(const struct digest *d, bool commit)
{
	struct image_layer l = { .store = NULL };
	struct err e = { 0 };
	int pair[2];
	char byte;
	pid_t child;

	cr_assert_eq(pipe(pair), 0);
	child = fork();
	if (child == 0) {
		bool begun = image_layer_begin(&store, d, &l, &e) == 0 && !l.present;

		(void)!write(pair[1], "", 1);
		usleep(300 * 1000);
		if (begun && commit)
			begun = mkdirat(l.fs, "etc", 0755) == 0 &&
				image_layer_commit(&l, d, &e) == 0;
		_exit(begun ? 0 : 1); /* without commit: as if it had been killed */
	}
	cr_assert_eq(read(pair[0], &byte, 1), 1);
	close(pair[0]);
	close(pair[1]);
	return child;
}

Test(image_store, the_second_maker_of_a_layer_waits_for_the_first)
{
	struct digest d = parsed(ABC), other = digest_of(DIGEST_SHA256, "", 0);
	struct image_layer l = { .store = NULL };
	struct err e = { 0 };
	int status;
	pid_t child = begin_elsewhere(&d, true);

	cr_assert_eq(image_layer_begin(&store, &other, &l, &e), 0, "%s", e.msg);
	cr_expect_eq(image_layer_open(&store, &d, &e), -ENOENT, "another layer's maker waits not");
	image_layer_abandon(&l);
	cr_assert_eq(image_layer_begin(&store, &d, &l, &e), 0, "%s", e.msg);
	cr_expect(l.present);
	image_layer_abandon(&l);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0);
	cr_expect_eq(staged(), 0);
}

Test(image_store, what_a_killed_maker_of_a_layer_did_is_done_again)
{
	struct digest d = parsed(ABC);
	struct image_layer l = { .store = NULL };
	struct err e = { 0 };
	pid_t child = begin_elsewhere(&d, false);

	cr_assert_eq(image_layer_begin(&store, &d, &l, &e), 0, "%s", e.msg);
	cr_expect_not(l.present);
	cr_expect_eq(image_layer_commit(&l, &d, &e), 0, "%s", e.msg);
	cr_assert_eq(waitpid(child, NULL, 0), child);
}

static void other_boot(const struct digest *d)
{
	char name[300];

	snprintf(name, sizeof(name), "%s/boot", in_store("layers", d));
	dir_file(name, "00000000-0000-0000-0000-000000000000\n");
}

Test(image_store, layer_of_an_earlier_boot_that_was_not_synced_is_made_again)
{
	struct digest d = parsed(ABC), synced = digest_of(DIGEST_SHA256, "", 0);
	char name[300];
	struct err e = { 0 };

	cr_assert_eq(try_make_layer(&store, &synced, &e), 0, "%s", e.msg);
	snprintf(name, sizeof(name), "%s/boot", in_store("layers", &synced));
	cr_expect(dir_has(name));
	cr_assert_eq(image_layers_sync(&store, &e), 0, "%s", e.msg);
	cr_expect_not(dir_has(name));
	cr_expect(layer_has_file(&synced));

	cr_assert_eq(try_make_layer(&store, &d, &e), 0, "%s", e.msg);
	other_boot(&d);
	cr_expect_eq(image_layer_open(&store, &d, &e), -ENOENT, "%s", e.msg);
	cr_assert_eq(image_layers_sync(&store, &e), 0, "%s", e.msg);
	cr_expect_eq(image_layer_open(&store, &d, &e), -ENOENT, "sync trusts none of another boot");
	snprintf(name, sizeof(name), "%s/fs/stale", in_store("layers", &d));
	dir_file(name, "");
	cr_assert_eq(try_make_layer(&store, &d, &e), 0, "%s", e.msg);
	cr_expect(layer_has_file(&d));
	cr_expect_not(dir_has(name));
	cr_expect_eq(staged(), 0);
}

/* Names. */

static const char *listed(void)
{
	static struct buf text;
	auto_arena struct arena a = { 0 };
	struct image_records list;
	struct err e = { 0 };

	buf_clear(&text);
	buf_str(&text, "");
	cr_assert_eq(image_store_list(&store, &a, &list, &e), 0, "%s", e.msg);
	for (size_t i = 0; i < list.n; i++)
		buf_printf(&text, "%s%s=%s", i ? " " : "", list.at[i].name ? list.at[i].name : "-",
			   digest_shorten(&list.at[i].manifest.digest).text);
	return text.text;
}

#define EXPECT_LIST(...)                                               \
	do {                                                           \
		char expected_[2000];                                  \
		snprintf(expected_, sizeof(expected_), __VA_ARGS__);   \
		cr_expect_str_eq(listed(), expected_, "%s", listed()); \
	} while (0)
#define SHORT(m) digest_shorten(&(m).manifest.digest).text

Test(image_store, names_move_and_images_stay)
{
	auto_arena struct arena a = { 0 };
	struct strings names = { NULL, 0 };
	struct made one, two;
	struct err e = { 0 };

	EXPECT_LIST("%s", "");
	one = make_named(&store, "one", DEBIAN "1");
	EXPECT_LIST(DEBIAN "1=%s", SHORT(one));
	one = make_named(&store, "one", DEBIAN "1");
	EXPECT_LIST(DEBIAN "1=%s", SHORT(one));
	two = make_named(&store, "two", DEBIAN "2");
	EXPECT_LIST(DEBIAN "1=%s " DEBIAN "2=%s", SHORT(one), SHORT(two));
	/* A name moves: who had it has another, or none from then on. */
	make_named(&store, "one", DEBIAN "2");
	EXPECT_LIST(DEBIAN "1=%s " DEBIAN "2=%s -=%s", SHORT(one), SHORT(one), SHORT(two));
	make_named(&store, "two", DEBIAN "2");
	EXPECT_LIST(DEBIAN "1=%s " DEBIAN "2=%s", SHORT(one), SHORT(two));
	/* Without a name. */
	cr_assert_eq(image_store_tag(&store, NULL, &one.manifest, NULL, &e), 0, "%s", e.msg);
	EXPECT_LIST(DEBIAN "1=%s " DEBIAN "2=%s", SHORT(one), SHORT(two));
	make_named(&store, "two", DEBIAN "1");
	EXPECT_LIST(DEBIAN "1=%s " DEBIAN "2=%s -=%s", SHORT(two), SHORT(two), SHORT(one));
	cr_expect_eq(image_store_prune(&store, &e), 1, "%s", e.msg);
	cr_expect_eq(image_store_prune(&store, &e), 0, "%s", e.msg);
	EXPECT_LIST(DEBIAN "1=%s " DEBIAN "2=%s", SHORT(two), SHORT(two));
	cr_assert_eq(image_store_untag(&store, DEBIAN "1", &e), 0, "%s", e.msg);
	EXPECT_LIST(DEBIAN "2=%s", SHORT(two));
	cr_expect_eq(image_store_untag(&store, DEBIAN "1", &e), -ENOENT);
	cr_expect_str_eq(e.msg, "there is no image " DEBIAN "1 here");
	make_named(&store, "two", DEBIAN "3");
	cr_assert_eq(image_store_remove(&store, &two.manifest.digest, &a, &names, &e), 0);
	cr_expect_eq(names.n, 2);
	cr_expect_str_eq(names.at[1], DEBIAN "3");
	EXPECT_LIST("%s", "");
	cr_expect_eq(image_store_remove(&store, &two.manifest.digest, &a, NULL, &e), -ENOENT);
	cr_expect_eq(staged(), 0);
}

Test(image_store, names_are_checked)
{
	static const struct {
		const char *name, *message;
	} rows[] = {
		{ "debian:1", "name an image debian:1: not a reference in full, like " DEBIAN "1" },
		{ "docker.io/library/debian", "it has neither a tag nor a digest" },
		{ "docker.io/debian:1", "not a reference in full" },
		{ "a//b", "a part of its path is empty" },
	};
	struct made m = make_image(&store, "one", 1);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };

		cr_expect_eq(image_store_tag(&store, rows[i].name, &m.manifest, NULL, &e), -EINVAL);
		cr_expect(strstr(e.msg, rows[i].message), "%s", e.msg);
	}
}

Test(image_store, what_is_not_whole_gets_no_name)
{
	struct made m = make_image(&store, "one", 2);
	struct image_descriptor d = m.manifest;
	struct err e = { 0 };

	d.media_type = MEDIA_OCI_INDEX;
	cr_expect_eq(image_store_tag(&store, DEBIAN "1", &d, NULL, &e), -EINVAL);
	cr_expect(strstr(e.msg, "is not an image manifest"), "%s", e.msg);
	d = m.manifest;
	d.size++;
	cr_expect_eq(image_store_tag(&store, DEBIAN "1", &d, NULL, &e), -ENOENT);
	cr_expect(strstr(e.msg, "its manifest of"), "%s", e.msg);
	cr_assert_eq(unlinkat(dir_fd, in_store("blobs", &m.blobs[1]), 0), 0);
	cr_expect_eq(image_store_tag(&store, DEBIAN "1", &m.manifest, NULL, &e), -ENOENT);
	cr_expect(strstr(e.msg, "the blob of layer 2, sha256:"), "%s", e.msg);
	cr_assert_eq(unlinkat(dir_fd, in_store("blobs", &m.id), 0), 0);
	cr_expect_eq(image_store_tag(&store, DEBIAN "1", &m.manifest, NULL, &e), -ENOENT);
	cr_expect(strstr(e.msg, "open blob sha256:"), "%s", e.msg);
	EXPECT_LIST("%s", "");
}

Test(image_store, image_is_loaded)
{
	struct made m = make_named(&store, "one", DEBIAN "1");
	auto_image struct image i = { .size = 0 };
	struct err e = { 0 };

	cr_assert_eq(image_load(&store, &m.manifest.digest, &i, &e), 0, "%s", e.msg);
	cr_expect_str_eq(i.id.text, m.id.text);
	cr_expect_eq(i.config.rootfs.diff_ids.n, 2);
	cr_expect_str_eq(i.config.run.cmd.at[0], "sh");
	cr_expect_eq(i.size, 2 * strlen("layer 0 of one, packed"));
}

Test(image_store, what_a_person_means)
{
	struct made debian = make_named(&store, "debian", DEBIAN "latest");
	struct made twelve = make_named(&store, "12", DEBIAN "12");
	struct made local = make_named(&store, "local", "localhost/mine:latest");
	struct made team = make_named(&store, "team", "quay.io/team/tool:1");
	struct made both1 = make_named(&store, "both1", "quay.io/x/both:latest");
	struct made both2 = make_named(&store, "both2", "ghcr.io/y/both:latest");
	struct digest index = digest_of(DIGEST_SHA256, "index", 5);
	char texts[8][300];
	struct err e = { 0 };

	cr_assert_eq(image_store_tag(&store, DEBIAN "12", &twelve.manifest, &index, &e), 0);
	snprintf(texts[0], 300, "debian@%s", debian.manifest.digest.text);
	snprintf(texts[1], 300, "debian:any@%s", index.text);
	snprintf(texts[2], 300, "%.12s", digest_hex(&local.id));
	snprintf(texts[3], 300, "%.20s", local.id.text);
	snprintf(texts[4], 300, "%s", digest_hex(&local.id));
	snprintf(texts[5], 300, "%.12s", digest_hex(&team.manifest.digest));
	snprintf(texts[6], 300, "other@%s", team.manifest.digest.text);
	snprintf(texts[7], 300, "debian@%s", both1.id.text);
	(void)both2;
	const struct {
		const char *text;
		const struct made *image;
		int error;
		const char *message;
	} rows[] = {
		{ "debian", &debian, 0, NULL },
		{ "debian:latest", &debian, 0, NULL },
		{ "debian:12", &twelve, 0, NULL },
		{ "docker.io/debian:12", &twelve, 0, NULL },
		{ "library/debian:12", &twelve, 0, NULL },
		{ "mine", &local, 0, NULL },
		{ "localhost/mine", &local, 0, NULL },
		{ "tool:1", &team, 0, NULL },
		{ "team/tool:1", &team, 0, NULL },
		{ "quay.io/x/both", &both1, 0, NULL },
		{ texts[0], &debian, 0, NULL },
		{ texts[1], &twelve, 0, NULL },
		{ texts[2], &local, 0, NULL },
		{ texts[3], &local, 0, NULL },
		{ texts[4], &local, 0, NULL },
		{ texts[5], &team, 0, NULL },
		{ texts[6], &team, 0, NULL },
		{ texts[7], NULL, -ENOENT, "there is no image docker.io/library/debian@sha256:" },
		{ "both", NULL, -EEXIST,
		  "image \"both\" is ambiguous: ghcr.io/y/both:latest or "
		  "quay.io/x/both:latest" },
		{ "tool", NULL, -ENOENT, "there is no image docker.io/library/tool:latest here" },
		{ "ool:1", NULL, -ENOENT, "there is no image docker.io/library/ool:1 here" },
		{ "docker.io/tool:1", NULL, -ENOENT,
		  "there is no image docker.io/library/tool:1 here" },
		{ "localhost/debian", NULL, -ENOENT,
		  "there is no image localhost/debian:latest here" },
		{ "sha256:ffffffffffffffffffff", NULL, -ENOENT,
		  "there is no image with the id sha256:ffffffffffffffffffff here" },
		{ "", NULL, -EINVAL, "the image name is empty" },
		{ "A B", NULL, -EINVAL, "image name \"A B\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct image_record r;
		int got;

		e = (struct err){ 0 };
		got = image_store_resolve(&store, rows[i].text, &a, &r, &e);
		cr_expect_eq(got, rows[i].error, "%s: %s", rows[i].text, e.msg);
		if (got == 0)
			cr_expect_str_eq(r.manifest.digest.text,
					 rows[i].image->manifest.digest.text, "%s", rows[i].text);
		else
			cr_expect(rows[i].message && strstr(e.msg, rows[i].message), "%s: %s",
				  rows[i].text, e.msg);
	}
}

/* Pins and gc. */

static struct image_gc collect(void)
{
	struct image_gc counts = { 0 };
	struct err e = { 0 };

	cr_assert_eq(image_store_gc(&store, 0, &counts, &e), 0, "%s", e.msg);
	return counts;
}

Test(image_store, gc_keeps_what_names_and_pins_lead_to)
{
	struct made one = make_named(&store, "one", DEBIAN "1"),
		    two = make_named(&store, "two", DEBIAN "2");
	auto_arena struct arena a = { 0 };
	struct image_pins pins;
	struct image_gc gc;
	struct err e = { 0 };

	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(try_make_layer(&store, &one.diff_ids[i], &e), 0, "%s", e.msg);
		cr_assert_eq(try_make_layer(&store, &two.diff_ids[i], &e), 0, "%s", e.msg);
	}
	dir_file("store/staging/left/over", "x");
	gc = collect();
	cr_expect(gc.blobs == 0 && gc.layers == 0 && gc.staged == 1);
	cr_assert_eq(image_store_pin(&store, "box", &two.manifest.digest, &e), 0, "%s", e.msg);
	cr_assert_eq(image_store_pin(&store, "box", &one.manifest.digest, &e), 0, "%s", e.msg);
	cr_assert_eq(image_store_pins(&store, &a, &pins, &e), 0, "%s", e.msg);
	cr_assert_eq(pins.n, 1);
	cr_expect_str_eq(pins.at[0].name, "box");
	cr_expect_str_eq(pins.at[0].manifest.text, one.manifest.digest.text);
	cr_expect_eq(image_store_pin(&store, "../x", &one.manifest.digest, &e), -EINVAL);
	cr_assert_eq(image_store_untag(&store, DEBIAN "1", &e), 0);
	cr_assert_eq(image_store_untag(&store, DEBIAN "2", &e), 0);
	gc = collect();
	cr_expect(gc.blobs == 4 && gc.layers == 2 && gc.staged == 0, "%lu %lu", gc.blobs,
		  gc.layers);
	cr_expect_gt(gc.bytes, 0);
	cr_expect(layer_has_file(&one.diff_ids[1]));
	cr_expect_not(dir_has(in_store("layers", &two.diff_ids[1])));
	cr_expect(dir_has(in_store("blobs", &one.blobs[0])));
	cr_expect_not(dir_has(in_store("blobs", &two.manifest.digest)));
	cr_assert_eq(image_store_unpin(&store, "box", &e), 0);
	cr_assert_eq(image_store_unpin(&store, "box", &e), 0);
	gc = collect();
	cr_expect(gc.blobs == 4 && gc.layers == 2);
	cr_expect_eq(staged(), 0);
}

Test(image_store, layers_that_images_share_stay)
{
	struct made m = make_named(&store, "one", DEBIAN "1");
	struct err e = { 0 };

	cr_assert_eq(try_make_layer(&store, &m.diff_ids[0], &e), 0);
	make_named(&store, "one", DEBIAN "2");
	cr_assert_eq(image_store_untag(&store, DEBIAN "1", &e), 0);
	collect();
	cr_expect(layer_has_file(&m.diff_ids[0]));
}

Test(image_store, gc_waits_for_users)
{
	auto_fd int use = image_store_use(&store, NULL), again = image_store_use(&store, NULL);
	struct image_gc counts;
	struct err e = { 0 };

	cr_assert(use >= 0 && again >= 0);
	cr_expect_eq(image_store_gc(&store, 20, &counts, &e), -EBUSY);
	cr_expect_str_eq(e.msg, "the image store is in use by another command");
	close_fd(&use);
	cr_expect_eq(image_store_gc(&store, 0, &counts, &e), -EBUSY);
	close_fd(&again);
	cr_expect_eq(image_store_gc(&store, 0, &counts, &e), 0);
}

Test(image_store, gc_removes_nothing_when_it_cannot_read_all)
{
	struct made one = make_named(&store, "one", DEBIAN "1");
	struct made lost = make_image(&store, "two", 1);
	struct image_gc counts;
	struct err e = { 0 };

	break_blob(&one.id, "{}");
	cr_expect_eq(image_store_gc(&store, 0, &counts, &e), -EBADMSG);
	cr_expect(strstr(e.msg, "nothing is removed, as " DEBIAN "1 can't be read"), "%s", e.msg);
	cr_expect(dir_has(in_store("blobs", &lost.id)));
}

/* check */

static unsigned problems[8], mended_problems;
static char last_problem[600];

static void count(const struct image_problem *p, void *ctx UNUSED)
{
	problems[p->kind]++;
	mended_problems += p->mended;
	snprintf(last_problem, sizeof(last_problem), "%s", p->what);
}

static int check(bool mend)
{
	struct err e = { 0 };
	int r;

	memset(problems, 0, sizeof(problems));
	mended_problems = 0;
	r = image_store_check(&store, mend, 0, count, NULL, &e);
	cr_assert_geq(r, 0, "%s", e.msg);
	return r;
}

Test(image_store, check_finds_nothing_in_a_whole_store)
{
	struct made m = make_named(&store, "one", DEBIAN "1");
	struct err e = { 0 };

	cr_assert_eq(try_make_layer(&store, &m.diff_ids[0], &e), 0);
	cr_assert_eq(image_store_pin(&store, "box", &m.manifest.digest, &e), 0);
	cr_expect_eq(check(false), 0, "%s", last_problem);
	cr_expect_eq(check(true), 0, "%s", last_problem);
}

/* Everything wrong at once: each is told, mended, and then gone. */
Test(image_store, check_mends)
{
	struct made one = make_named(&store, "one", DEBIAN "1"),
		    two = make_named(&store, "two", DEBIAN "2");
	struct made pinned = make_image(&store, "pinned", 1);
	struct err e = { 0 };

	cr_assert_eq(try_make_layer(&store, &two.diff_ids[0], &e), 0);
	cr_assert_eq(try_make_layer(&store, &one.diff_ids[0], &e), 0);
	break_blob(&one.blobs[0], "layer 0 of ONE, packed");
	other_boot(&two.diff_ids[0]);
	cr_assert_eq(image_store_pin(&store, "box", &pinned.manifest.digest, &e), 0);
	cr_assert_eq(unlinkat(dir_fd, in_store("blobs", &pinned.manifest.digest), 0), 0);
	dir_file("store/pins/odd", "");
	dir_file("store/staging/left/over", "x");
	cr_assert_eq(unlinkat(dir_fd, "store/oci-layout", 0), 0);

	cr_expect_eq(check(false), 5, "%s", last_problem);
	cr_expect_eq(mended_problems, 0);
	/* The damaged blob is there with its size, and counts as one problem until it is removed. */
	cr_expect(problems[IMAGE_PROBLEM_BLOB] == 1 && problems[IMAGE_PROBLEM_LAYER] == 1 &&
		  problems[IMAGE_PROBLEM_PIN] == 2 && problems[IMAGE_PROBLEM_INDEX] == 1);
	/* A container whose image is not here keeps its pin until that is pulled again or it is gone. */
	cr_expect_eq(check(true), 1, "%s", last_problem);
	cr_expect_eq(mended_problems, 6);
	cr_expect_eq(problems[IMAGE_PROBLEM_ENTRY], 1);
	cr_expect_eq(problems[IMAGE_PROBLEM_STAGING], 1);
	EXPECT_LIST(DEBIAN "2=%s", SHORT(two));
	cr_expect(layer_has_file(&one.diff_ids[0]));
	cr_expect_eq(image_layer_open(&store, &two.diff_ids[0], NULL), -ENOENT);
	cr_expect_eq(check(true), 1);
	cr_expect_eq(mended_problems, 0);
	cr_assert_eq(image_store_unpin(&store, "box", &e), 0);
	cr_expect_eq(check(true), 0);
	collect();
	cr_expect_eq(check(false), 0);
}

/* A running container's layers are not taken for rubbish when a document of its image is lost. */
Test(image_store, what_a_container_needs_stays_without_its_image)
{
	struct made m = make_named(&store, "one", DEBIAN "1");
	struct image_gc counts;
	struct err e = { 0 };

	cr_assert_eq(try_make_layer(&store, &m.diff_ids[0], &e), 0);
	cr_assert_eq(image_store_pin(&store, "box", &m.manifest.digest, &e), 0);
	break_blob(&m.id, "{}");
	/* The blob, the entry, and the pin, which is told of and stays. */
	cr_expect_eq(check(true), 1, "%s", last_problem);
	cr_expect(problems[IMAGE_PROBLEM_BLOB] == 1 && problems[IMAGE_PROBLEM_ENTRY] == 1 &&
		  problems[IMAGE_PROBLEM_PIN] == 1);
	cr_expect(strstr(last_problem, "container box needs image sha256:"), "%s", last_problem);
	cr_expect(strstr(last_problem, "; pull it again, or remove the container"), "%s", last_problem);
	cr_expect_eq(image_store_gc(&store, 0, &counts, &e), 0, "%s", e.msg);
	cr_expect(layer_has_file(&m.diff_ids[0]));
	/* Whole again. */
	make_named(&store, "one", DEBIAN "1");
	cr_expect_eq(check(false), 0, "%s", last_problem);
	/* Without the container it goes. */
	cr_assert_eq(image_store_untag(&store, DEBIAN "1", &e), 0);
	cr_assert_eq(image_store_unpin(&store, "box", &e), 0);
	collect();
	cr_expect_eq(image_layer_open(&store, &m.diff_ids[0], NULL), -ENOENT);
}

Test(image_store, check_leaves_alone_what_is_not_ours)
{
	dir_file("store/blobs/sha256/README", "x");
	dir_file("store/layers/sha256/x/y", "x");
	cr_expect_eq(check(true), 2);
	cr_expect_eq(problems[IMAGE_PROBLEM_FOREIGN], 2);
	collect();
	cr_expect(dir_has("store/blobs/sha256/README"));
	cr_expect(dir_has("store/layers/sha256/x/y"));
}

Test(image_store, an_index_that_was_lost_is_made_again)
{
	static const char *const damages[] = { NULL, "{", "{\"schemaVersion\":2}", "" };

	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		struct made one = make_named(&store, "one", DEBIAN "1");
		struct image_gc counts;
		struct err e = { 0 };

		cr_assert_eq(unlinkat(dir_fd, "store/index.json", 0), 0);
		if (damages[i])
			dir_file("store/index.json", damages[i]);
		image_store_close(&store);
		cr_assert_eq(image_store_open(dir_at("store"), true, &store, &e), 0, "%s", e.msg);
		cr_expect_lt(image_store_gc(&store, 0, &counts, &e), 0, "nothing may be removed");
		cr_expect(strstr(e.msg, "hull fsck --repair mends this: "), "%s", e.msg);
		cr_expect_eq(check(false), 1, "%s", last_problem);
		cr_expect_eq(check(true), 0, "%s", last_problem);
		EXPECT_LIST("-=%s", SHORT(one));
		cr_expect_eq(check(false), 0);
	}
}
