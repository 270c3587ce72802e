/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `picket hub run`: from the stream to the database and standard output, in the foreground. While
 * the servers are away it waits ever longer, at most half a minute; the stream keeps what comes.
 */
#include "hub.h"

#include "base/cleanup.h"
#include "base/notify.h"
#include "conf/conf.h"
#include "hub/db.h"
#include "hub/feed.h"
#include "hub/hub.h"
#include "outcome.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEAP_KEPT   (4 << 20) /* SQLite takes and gives 64 KiB for each statement that writes */
#define TRIM_MS     60000
#define BACKOFF_MS  500
#define BACKOFF_MAX 30000
#define LOOK_MS     100

static volatile sig_atomic_t ended;

static void end(int sig)
{
	(void)sig;
	ended = 1;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void print_table(const char *lines, size_t len, struct pk_table *t)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { 0 };

	while (len) {
		const char *stop = memchr(lines, '\n', len);
		size_t n = stop ? (size_t)(stop - lines) + 1 : len;
		json_t *o = json_loadb(lines, n, 0, NULL);

		if (o)
			pk_table_row(t, &out, o);
		json_decref(o);
		lines += n;
		len -= n;
	}
	pk_outcome_flush(&out);
}

static void on_found(void *arg, const char *lines, size_t len)
{
	struct pk_table *t = arg;

	if (t->format == PK_FORMAT_TABLE)
		print_table(lines, len, t);
	else
		(void)fwrite(lines, 1, len, stdout);
	(void)fflush(stdout); /* who does not read them finds them in the database */
}

static void name_of_host(char name[HOST_NAME_MAX + 1])
{
	if (gethostname(name, HOST_NAME_MAX + 1) < 0)
		strcpy(name, "hub");
	name[HOST_NAME_MAX] = '\0';
}

int pk_hub_init(const struct pk_command *self, int argc, char **argv)
{
	struct pk_hub_wish w = { .config = PK_HUB_CONF, .replicas = 3, .days = 30 };
	_cleanup_(pk_conf_freep) struct pk_conf *conf = NULL;
	char host[HOST_NAME_MAX + 1], why[256];
	int r = pk_hub_options(self, argc, argv, &w);

	if (r || optind < argc)
		return r == 1 ? 0 : pk_command_misused(self);
	conf = pk_hub_conf(&w);
	if (!conf)
		return 1;
	name_of_host(host);
	r = pk_hub_feed_make(conf, host, w.replicas, w.days, why, sizeof(why));
	if (r < 0)
		fprintf(stderr, "picket: %s\n", why);
	else
		printf("stream %s takes picket.*.*.alerts\n", conf->nats_stream);
	return r < 0 ? 1 : 0;
}

static void rest(unsigned ms)
{
	for (unsigned i = 0; i < ms && !ended; i += LOOK_MS)
		usleep(LOOK_MS * 1000);
}

/* Until it fails or is ended. */
static int feed(struct pk_hub *hub, struct pk_hub_feed *f, char *why, size_t size)
{
	int64_t trimmed = 0;
	int r = 0;

	while (!ended && r >= 0) {
		r = pk_hub_feed_take(f, hub, why, size);
		if (r < 0 || now_ms() - trimmed < TRIM_MS)
			continue;
		trimmed = now_ms();
		r = pk_hub_trim(hub, trimmed);
		if (r < 0)
			snprintf(why, size, "%s", pk_hub_why(hub));
	}
	return r;
}

/* From the stream to the database, until one of them fails; *ret_began: both were there. */
static int work(struct pk_hub *hub, const struct pk_conf *conf, bool *ret_began, char *why,
		size_t size)
{
	char host[HOST_NAME_MAX + 1];
	struct pk_hub_feed *f = NULL;
	int r = pk_hub_ready(hub);

	if (r < 0) {
		snprintf(why, size, "%s", pk_hub_why(hub));
		return r;
	}
	name_of_host(host);
	r = pk_hub_feed_open(conf, host, &f, why, size);
	if (!r) {
		fprintf(stderr, "picket hub: takes alerts of tenant %s from stream %s\n",
			conf->nats_tenant, conf->nats_stream);
		*ret_began = true;
		r = feed(hub, f, why, size);
	}
	pk_hub_feed_close(f);
	return r;
}

/* Only what another try may mend is tried again before it worked once. */
static bool is_hopeless(int r)
{
	return r != -ENOTCONN && r != -EBUSY;
}

static int run(struct pk_hub *hub, const struct pk_conf *conf)
{
	char why[PK_HUB_WHY_MAX] = "", last[PK_HUB_WHY_MAX] = "";
	unsigned backoff = BACKOFF_MS;
	int r = pk_hub_ready(hub);

	if (r < 0 && is_hopeless(r)) {
		pk_outcome_say(pk_hub_why(hub));
		return 1;
	}
	while (!ended) {
		bool began = false;

		r = work(hub, conf, &began, why, sizeof(why));
		if (ended || r >= 0)
			break;
		if (began) {
			backoff = BACKOFF_MS;
			last[0] = '\0';
		}
		if (strcmp(last, why) != 0)
			fprintf(stderr, "picket hub: %s; trying again\n", why);
		strcpy(last, why);
		rest(backoff);
		backoff = backoff * 2 > BACKOFF_MAX ? BACKOFF_MAX : backoff * 2;
	}
	return 0;
}

static void catch_signals(void)
{
	const struct sigaction a = { .sa_handler = end };

	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGINT, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int pk_hub_run(const struct pk_command *self, int argc, char **argv)
{
	struct pk_hub_wish w = { .config = PK_HUB_CONF, .format = PK_FORMAT_JSON };
	_cleanup_(pk_conf_freep) struct pk_conf *conf = NULL;
	struct pk_table table;
	struct pk_hub_opts o = { .now_ms = now_ms(), .found = on_found, .arg = &table };
	struct pk_hub *hub = NULL;
	int r = pk_hub_options(self, argc, argv, &w);

	if (r || optind < argc || w.format == PK_FORMAT_CSV)
		return r == 1 ? 0 : pk_command_misused(self);
	conf = pk_hub_conf(&w);
	if (!conf)
		return 1;
	pk_table_init(&table, pk_hub_columns, pk_hub_columns_n, w.format);
	o.conf = conf;
	o.where = conf->hub_db;
	r = pk_hub_open(&o, &hub);
	if (r < 0) {
		pk_outcome_say(strerror(-r));
		return 1;
	}
	catch_signals();
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT); /* else the heap's end moves each time */
	(void)pk_notify("READY=1");                 /* nobody may have asked */
	r = run(hub, conf);
	pk_hub_close(hub);
	return r;
}
