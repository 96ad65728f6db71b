#include "microvm/saved.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MAGIC = 8, HEAD = MAGIC + 4 + 4 + 8, PART_HEAD = 8, END = 8 };

_Static_assert(sizeof(SAVED_MAGIC) == MAGIC + 1, "the magic's bytes");

static const char *const kinds[SAVED_KINDS] = {
	[SAVED_MACHINE] = "the machine", [SAVED_CPU] = "processor",       [SAVED_DEVICE] = "device",
	[SAVED_FILES] = "the files",     [SAVED_CHANNEL] = "the channel",
};

static uint64_t checksum(const uint8_t *bytes, size_t size)
{
	const uint64_t polynomial = 0xc96c5795d7870f42;
	uint64_t table[256], sum = ~UINT64_C(0);

	for (uint64_t i = 0; i < ARRAY_LEN(table); i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? polynomial : 0);
	}
	for (size_t i = 0; i < size; i++)
		sum = table[(uint8_t)sum ^ bytes[i]] ^ sum >> 8;
	return ~sum;
}

/* ---- to bytes */

void saved_put(struct saved_out *o, const void *bytes, size_t size)
{
	assert(o->part);
	if (size > SAVED_MAX || o->bytes.len + size > SAVED_MAX)
		o->over = true;
	else if (size)
		buf_add(&o->bytes, bytes, size);
}

void saved_put_u32(struct saved_out *o, uint32_t value)
{
	saved_put(o, &value, sizeof(value));
}

void saved_put_u64(struct saved_out *o, uint64_t value)
{
	saved_put(o, &value, sizeof(value));
}

void saved_put_counted(struct saved_out *o, const void *bytes, size_t size)
{
	saved_put_u32(o, (uint32_t)size); /* cut only where the whole is refused */
	saved_put(o, bytes, size);
}

static void end_part(struct saved_out *o)
{
	uint32_t size = (uint32_t)(o->bytes.len - o->part - PART_HEAD);

	if (o->part)
		memcpy(o->bytes.text + o->part + 4, &size, sizeof(size));
}

void saved_begin(struct saved_out *o, enum saved_kind kind, uint16_t number)
{
	const uint16_t name[] = { (uint16_t)kind, number };
	static const uint8_t none[HEAD];

	assert(o->parts < SAVED_PARTS);
	if (!o->part)
		buf_add(&o->bytes, none, sizeof(none));
	end_part(o);
	o->part = o->bytes.len;
	o->parts++;
	saved_put(o, name, sizeof(name));
	saved_put_u32(o, 0);
}

void saved_seal(void *bytes, size_t size)
{
	uint64_t sum = checksum(bytes, size - END);

	memcpy((uint8_t *)bytes + size - END, &sum, sizeof(sum));
}

int saved_finish(struct saved_out *o, struct err *e)
{
	const uint32_t version = SAVED_VERSION;
	uint64_t size = o->bytes.len + END;

	assert(o->part);
	if (o->over)
		return err_set(e, EFBIG,
			       "the state of the microVM is larger than %d bytes: its guest knows "
			       "too many files",
			       SAVED_MAX);
	end_part(o);
	memcpy(o->bytes.text, SAVED_MAGIC, MAGIC);
	memcpy(o->bytes.text + MAGIC, &version, sizeof(version));
	memcpy(o->bytes.text + MAGIC + 4, &o->parts, sizeof(o->parts));
	memcpy(o->bytes.text + MAGIC + 8, &size, sizeof(size));
	buf_add(&o->bytes, &size, END);
	saved_seal(o->bytes.text, o->bytes.len);
	return 0;
}

void saved_out_done(struct saved_out *o)
{
	buf_done(&o->bytes);
	*o = (struct saved_out){ 0 };
}

void saved_put_fields(struct saved_out *o, const struct saved_field *rows, size_t n,
		      const void *from)
{
	for (size_t i = 0; i < n; i++)
		saved_put(o, (const uint8_t *)from + rows[i].at, rows[i].size);
}

/* ---- from bytes */

static int check_head(const uint8_t *bytes, size_t size, uint32_t *ret_parts, struct err *e)
{
	uint32_t version;
	uint64_t whole, sum;

	if (size < HEAD + END || memcmp(bytes, SAVED_MAGIC, MAGIC) != 0)
		return err_set(e, EPROTO, "the state of the microVM: this is no such file");
	memcpy(&version, bytes + MAGIC, sizeof(version));
	memcpy(ret_parts, bytes + MAGIC + 4, sizeof(*ret_parts));
	memcpy(&whole, bytes + MAGIC + 8, sizeof(whole));
	if (version != SAVED_VERSION)
		return err_set(e, ENOTSUP,
			       "the state of the microVM is of version %u, and this hull reads "
			       "version %d",
			       version, SAVED_VERSION);
	if (whole != size)
		return err_set(e, EPROTO,
			       "the state of the microVM is of %zu bytes, and says %llu: it is not "
			       "whole",
			       size, (unsigned long long)whole);
	memcpy(&sum, bytes + size - END, sizeof(sum));
	if (sum != checksum(bytes, size - END))
		return err_set(e, EPROTO,
			       "the state of the microVM is damaged: its checksum is another");
	return 0;
}

static const struct saved_place *find(const struct saved *s, uint16_t kind, uint16_t number)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->parts[i].kind == kind && s->parts[i].number == number)
			return &s->parts[i];
	return NULL;
}

/* Who makes such a checksum may have written anything beneath it. */
static int find_parts(const uint8_t *at, const uint8_t *end, uint32_t parts, struct saved *s,
		      struct err *e)
{
	if (parts > SAVED_PARTS)
		return err_set(e, EPROTO, "the state of the microVM: %u parts, and %d are the most",
			       parts, SAVED_PARTS);
	for (s->n = 0; s->n < parts; s->n++) {
		struct saved_place p;

		if ((size_t)(end - at) < PART_HEAD)
			return err_set(e, EPROTO,
				       "the state of the microVM: part %zu of %u is missing", s->n,
				       parts);
		memcpy(&p.kind, at, sizeof(p.kind));
		memcpy(&p.number, at + 2, sizeof(p.number));
		memcpy(&p.size, at + 4, sizeof(p.size));
		p.at = at + PART_HEAD;
		if (p.size > (size_t)(end - p.at))
			return err_set(e, EPROTO,
				       "the state of the microVM: part %zu of %u is longer than "
				       "the file",
				       s->n, parts);
		if (p.kind == 0 || p.kind >= SAVED_KINDS)
			return err_set(e, EPROTO,
				       "the state of the microVM: part %zu of %u is of an unknown "
				       "kind, %u",
				       s->n, parts, p.kind);
		if (find(s, p.kind, p.number))
			return err_set(e, EPROTO,
				       "the state of the microVM: part %zu of %u is there twice",
				       s->n, parts);
		s->parts[s->n] = p;
		at = p.at + p.size;
	}
	if (at != end)
		return err_set(e, EPROTO,
			       "the state of the microVM: something is behind its parts");
	return 0;
}

int saved_open(const void *bytes, size_t size, struct saved *ret, struct err *e)
{
	uint32_t parts;

	ret->n = 0;
	if (size > SAVED_MAX)
		return err_set(e, EFBIG, "the state of the microVM is larger than %d bytes",
			       SAVED_MAX);
	TRY(check_head(bytes, size, &parts, e));
	return find_parts((const uint8_t *)bytes + HEAD, (const uint8_t *)bytes + size - END, parts,
			  ret, e);
}

size_t saved_count(const struct saved *s, enum saved_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->parts[i].kind == kind;
	return n;
}

int saved_part(const struct saved *s, enum saved_kind kind, uint16_t number, struct saved_in *ret,
	       struct err *e)
{
	const struct saved_place *p = find(s, (uint16_t)kind, number);

	*ret = (struct saved_in){ .kind = (uint16_t)kind, .number = number };
	if (!p)
		return saved_refuse(ret, e, "it is missing");
	ret->at = p->at;
	ret->end = p->at + p->size;
	return 0;
}

static const uint8_t *take(struct saved_in *in, size_t size)
{
	const uint8_t *at = in->at;

	if (in->bad || size > (size_t)(in->end - in->at)) {
		in->bad = true;
		return NULL;
	}
	in->at += size;
	return at;
}

void saved_take(struct saved_in *in, void *ret, size_t size)
{
	const uint8_t *at = take(in, size);

	if (!size)
		return;
	if (at)
		memcpy(ret, at, size);
	else
		memset(ret, 0, size);
}

uint32_t saved_u32(struct saved_in *in)
{
	uint32_t value;

	saved_take(in, &value, sizeof(value));
	return value;
}

uint64_t saved_u64(struct saved_in *in)
{
	uint64_t value;

	saved_take(in, &value, sizeof(value));
	return value;
}

const uint8_t *saved_counted(struct saved_in *in, size_t max, size_t *ret_size)
{
	uint32_t size = saved_u32(in);
	const uint8_t *at;

	if (size > max)
		in->bad = true;
	at = take(in, size);
	*ret_size = at ? size : 0;
	return at;
}

void saved_text(struct saved_in *in, char *ret, size_t size)
{
	size_t n;
	const uint8_t *at = saved_counted(in, size - 1, &n);

	if (n && memchr(at, '\0', n)) {
		in->bad = true;
		n = 0;
	}
	if (n)
		memcpy(ret, at, n);
	ret[n] = '\0';
}

void saved_take_fields(struct saved_in *in, const struct saved_field *rows, size_t n, void *to)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t *at = (uint8_t *)to + rows[i].at;

		saved_take(in, at, rows[i].size);
		for (size_t k = 0; rows[i].truth && k < rows[i].size; k++)
			if (at[k] > 1) {
				at[k] = 0;
				in->bad = true;
			}
	}
}

int saved_end(const struct saved_in *in, struct err *e)
{
	if (in->bad)
		return saved_refuse(in, e, "it is too short, or not what it should be");
	if (in->at != in->end)
		return saved_refuse(in, e, "it is %zu bytes too long", (size_t)(in->end - in->at));
	return 0;
}

int(saved_refuse)(const struct saved_in *in, struct err *e, const char *fmt, ...)
{
	bool many = in->kind == SAVED_CPU || in->kind == SAVED_DEVICE;
	char words[256], number[16] = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	if (many)
		snprintf(number, sizeof(number), " %u", in->number);
	return err_set(e, EPROTO, "the state of the microVM: %s%s: %s", kinds[in->kind], number,
		       words);
}
