/* SPDX-License-Identifier: Apache-2.0 */
/* What the service manager hears, on sockets with a path and without. */
#include "base/notify.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

static void heard(const char *name, size_t len, bool abstract)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char got[64] = "";

	memcpy(sun.sun_path, name, len);
	if (abstract)
		sun.sun_path[0] = 0;
	assert_int_equal(bind(fd, (struct sockaddr *)&sun,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(pk_notify("READY=1"), 0);
	assert_int_equal(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 7);
	assert_string_equal(got, "READY=1");
}

static void both_kinds_of_socket(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/pk-notify-%d", getpid());
	heard(path, strlen(path), false);
	unlink(path);
	snprintf(path, sizeof(path), "@pk-notify-%d", getpid());
	heard(path, strlen(path), true);
}

static void nobody_asked(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(pk_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(pk_notify("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	assert_int_equal(pk_notify("READY=1"), -ENOENT);
}

static void the_watchdog_is_ours_only(void **state)
{
	char pid[16];

	(void)state;
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(pk_notify_watchdog_ns(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(pk_notify_watchdog_ns(), 30000000000ULL);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(pk_notify_watchdog_ns(), 0);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(pk_notify_watchdog_ns(), 30000000000ULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_kinds_of_socket),
		cmocka_unit_test(nobody_asked),
		cmocka_unit_test(the_watchdog_is_ours_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
