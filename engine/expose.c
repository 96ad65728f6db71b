#include "engine/expose.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "network/port.h"

enum { PUBLISHED_MAX = 1024 }; /* by --publish-all: each is a socket or a rule of its own */

/* A port of a container, without any of the host. */
static int parse(const char *text, struct port *ret)
{
	struct err ignored;

	return strpbrk(text, ":[") ? -EINVAL : port_parse(text, ret, &ignored);
}

int expose_check(const struct strings *exposed, struct err *e)
{
	struct port port;

	for (size_t i = 0; i < exposed->n; i++)
		if (parse(exposed->at[i], &port) < 0)
			return err_set(
				e, EINVAL,
				"--expose %s: expected PORT[-PORT][/tcp|udp|sctp], with ports "
				"from 1 to 65535",
				json_quote(exposed->at[i]).text);
	return 0;
}

static bool has_text(const struct strings *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i], text) == 0)
			return true;
	return false;
}

static int find_exposed(const struct expose_wish *w, struct arena *a, struct strings *ret,
			struct err *e)
{
	size_t of_image = w->image ? w->image->n : 0;

	*ret = (struct strings){ arena_array(a, of_image + w->exposed->n + 1, sizeof(*ret->at)),
				 0 };
	for (size_t i = 0; i < of_image + w->exposed->n; i++) {
		const char *text =
			i < of_image ? w->image->at[i].name : w->exposed->at[i - of_image];
		struct port port;

		if (parse(text, &port) < 0) {
			if (w->publish_all)
				return err_set(
					e, EINVAL,
					"--publish-all: the image exposes %s, which is no port",
					json_quote(text).text);
			continue;
		}
		text = port_text(&port).text;
		if (!has_text(ret, text))
			ret->at[ret->n++] = arena_strdup(a, text);
	}
	return 0;
}

static bool is_published(const struct strings *published, const struct port *port)
{
	for (size_t i = 0; i < published->n; i++) {
		struct port other;
		struct err ignored;

		if (port_parse(published->at[i], &other, &ignored) == 0 &&
		    other.protocol == port->protocol && port->container >= other.container &&
		    port->container - other.container < other.count)
			return true;
	}
	return false;
}

static int publish_range(const char *text, struct arena *a, struct strings *published, size_t max,
			 struct err *e)
{
	struct port port;

	TRY(port_parse(text, &port, e));
	for (unsigned left = port.count; left > 0; left--, port.container++) {
		struct port one = port;

		one.count = 1;
		if (is_published(published, &one))
			continue;
		if (published->n == max)
			return err_set(e, E2BIG, "--publish-all: more than %d ports are exposed",
				       PUBLISHED_MAX);
		published->at[published->n++] = arena_strdup(a, port_text(&one).text);
	}
	return 0;
}

int expose_plan(const struct expose_wish *w, struct arena *a, struct strings *ret_exposed,
		struct strings *ret_published, struct err *e)
{
	struct strings exposed, published = *w->published;
	size_t max = published.n + PUBLISHED_MAX;

	TRY(find_exposed(w, a, &exposed, e));
	if (w->publish_all) {
		published.at = arena_array(a, max, sizeof(*published.at));
		if (published.n)
			memcpy(published.at, w->published->at, published.n * sizeof(*published.at));
		for (size_t i = 0; i < exposed.n; i++)
			TRY(publish_range(exposed.at[i], a, &published, max, e));
	}
	*ret_exposed = exposed;
	*ret_published = published;
	return 0;
}
