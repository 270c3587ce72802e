/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fleet on one machine, for fleet.sh: agents with the real API server, lists, signatures, the
 * gate and the process that pulls, each in processes of its own; only the kernel's maps are heap.
 * Usage: fleet DIR FIRST COUNT [weak], until it is killed. Agent i listens on port 20000 + i of
 * 127.0.0.1 with DIR/web.crt, believes DIR/keys.d and keeps its versions in DIR/state/i. weak: its
 * memory has room for a few thousand entries. With DIR/nats/servers it takes the list "drop" from
 * these.
 */
#define SERVED_BODY (64 << 20)
#include "../unit/api/served.h"

#include "agent_pull.h"
#include "agent_sign.h"
#include "gate/gate.h"
#include "probe/channel.h"
#include "pull/pull.h"

#include <fcntl.h>
#include <sys/stat.h>

#define PORT 20000

static const char *dir;
static int number;
static int gate_fd, pull_fd = -1; /* the core's ends */

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fleet: agent %d: %s: %s\n", number, what, strerror(errno));
	exit(1);
}

static const char *path(const char *name)
{
	static char p[8][256];
	static unsigned n;
	char *to = p[n++ % 8];

	snprintf(to, sizeof(p[0]), "%s/%s", dir, name);
	return to;
}

static void set(struct pk_conf *c, const char *key, const char *value)
{
	must(pk_conf_set(c, key, value, NULL) == 0, key);
}

static void configure(struct pk_conf *c)
{
	char servers[256] = "", listen[32];
	FILE *f = fopen(path("nats/servers"), "re");

	snprintf(listen, sizeof(listen), "127.0.0.1:%d", PORT + number);
	set(c, "gate.listen", listen);
	set(c, "gate.cert", path("web.crt"));
	set(c, "gate.key", path("web.key"));
	set(c, "gate.ca", path("ca.crt"));
	set(c, "gate.crl", path("ca.crl"));
	set(c, "sign.keys", path("keys.d"));
	if (!f)
		return;
	must(fgets(servers, sizeof(servers), f), "nats/servers");
	servers[strcspn(servers, "\n")] = '\0';
	(void)fclose(f);
	set(c, "nats.servers", servers);
	set(c, "nats.host", "web1");
	set(c, "nats.ca", path("nats/ca.pem"));
	set(c, "nats.cert", path("nats/web1.pem"));
	set(c, "nats.key", path("nats/web1.key"));
	set(c, "pull.ca", path("nats/ca.pem"));
	set(c, "pull.lists", "drop=nats");
}

/* In the core, before it serves. */
static void sign_lists(struct pk_pipeline *p)
{
	const struct pk_conf *conf = pk_pipeline_view(p)->conf;
	struct pk_agent_sign *sign;
	struct pk_agent_pull *pull;
	char state[32];
	int fd;

	configure((struct pk_conf *)conf);
	snprintf(state, sizeof(state), "state/%d", number);
	must(mkdir(path(state), 0700) == 0 || errno == EEXIST, "state");
	fd = open(path(state), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0, "state");
	errno = -pk_agent_sign_new(conf, fd, p, &sign);
	must(!errno, "signatures");
	errno = pull_fd < 0 ? 0 : -pk_agent_pull_new(conf, p, &pull);
	must(!errno, "pulled lists");
}

static void join(struct pk_api *api)
{
	must(pk_api_gate(api, gate_fd) == 0, "gate");
	must(pull_fd < 0 || pk_api_pull(api, pull_fd) == 0, "pull");
}

/* As the broker hands certificates over. */
static void send_files(int fd, const char *const names[4])
{
	const struct pk_msg_head m = { PK_MSG_WARD_FILES, sizeof(m) };
	int fds[4];
	size_t n = 0;

	for (; n < 4 && names[n]; n++) {
		fds[n] = open(path(names[n]), O_RDONLY | O_CLOEXEC);
		must(fds[n] >= 0, names[n]);
	}
	must(pk_chan_send_fds(fd, &m, fds, n, 1000) == 0, "certificates");
	while (n)
		pk_closep(&fds[--n]);
}

/* A process beside the core; the core's end of their channel. files stays open in the core. */
static int spawn(const char *const names[4],
		 int (*run)(const struct pk_conf *c, int core, int files))
{
	int core[2], files[2];
	pid_t pid;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, core) == 0 &&
		     socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, files) ==
			     0,
	     "sockets");
	pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		struct pk_conf *c = pk_conf_new();

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		configure(c);
		close(core[0]);
		close(files[0]);
		_exit(run(c, core[1], files[1]) < 0);
	}
	close(core[1]);
	close(files[1]);
	send_files(files[0], names);
	return core[0];
}

static int run_gate(const struct pk_conf *c, int core, int files)
{
	struct pk_gate_opts o = { .conf = c, .core_fd = core, .files_fd = files };

	return pk_gate_listen(c->gate_listen, &o.listen_fd) < 0 ? -errno : pk_gate_run(&o);
}

static int run_pull(const struct pk_conf *c, int core, int files)
{
	struct pk_pull_opts o = { .conf = c, .core_fd = core, .files_fd = files };

	return pk_pull_run(&o);
}

static void agent_of(bool weak)
{
	char sock[32];
	int fd;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(sock, sizeof(sock), "sock/%d", number);
	errno = -pk_api_listen(path(sock), (gid_t)-1, &fd);
	must(!errno, sock);
	gate_fd =
		spawn((const char *const[4]){ "web.crt", "web.key", "ca.crt", "ca.crl" }, run_gate);
	if (access(path("nats/servers"), R_OK) == 0)
		pull_fd = spawn((const char *const[4]){ "nats/ca.pem" }, run_pull);
	host.chunks_max = weak ? 1 : 0;
	feed_more = sign_lists;
	serve_more = join;
	serve(fd);
}

int main(int argc, char **argv)
{
	int first = argc > 2 ? atoi(argv[2]) : 0, count = argc > 3 ? atoi(argv[3]) : 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (count < 1) {
		fprintf(stderr, "usage: fleet DIR FIRST COUNT [weak]\n");
		return 2;
	}
	dir = argv[1];
	for (number = first; number < first + count; number++) {
		pid_t pid = fork();

		must(pid >= 0, "fork");
		if (!pid)
			agent_of(argc > 4);
	}
	printf("%d agents\n", count);
	fflush(stdout);
	(void)pause();
	return 0; /* they die with it */
}
