/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/syscalls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

static unsigned int count(const uint8_t table[PK_SYS_MAX])
{
	unsigned int n = 0;

	for (int i = 0; i < PK_SYS_MAX; i++)
		n += table[i] != PK_SYS_NONE;
	return n;
}

static void test_native(void **state)
{
	uint8_t t[PK_SYS_MAX] = { 0 };

	(void)state;
	pk_syscalls_native(t);
	assert_int_equal(t[SYS_ptrace], PK_SYS_PTRACE);
	assert_int_equal(t[SYS_dup3], PK_SYS_DUP2);
	assert_int_equal(t[SYS_bpf], PK_SYS_BPF);
	assert_int_equal(t[SYS_move_mount], PK_SYS_MOVE_MOUNT);
	assert_int_equal(t[SYS_setresuid], PK_SYS_SETREUID);
	assert_int_equal(t[SYS_read], PK_SYS_NONE);
	assert_int_equal(t[SYS_write], PK_SYS_NONE);
	assert_true(count(t) >= 22);
}

static void test_compat(void **state)
{
	uint8_t t[PK_SYS_MAX] = { 0 };

	(void)state;
	pk_syscalls_compat(t);
#ifdef __x86_64__
	assert_int_equal(t[26], PK_SYS_PTRACE);
	assert_int_equal(t[63], PK_SYS_DUP2);
	assert_int_equal(t[102], PK_SYS_SOCKETCALL);
	assert_int_equal(t[356], PK_SYS_MEMFD);
	assert_int_equal(t[213], PK_SYS_SETUID); /* setuid32 */
	assert_int_equal(t[23], PK_SYS_SETUID);  /* of 16 bits */
	assert_int_equal(t[3], PK_SYS_NONE);     /* read */
#else
	assert_int_equal(count(t), 0);
#endif
}

static void test_other_entries_stay(void **state)
{
	uint8_t t[PK_SYS_MAX];

	(void)state;
	memset(t, 0xee, sizeof(t));
	pk_syscalls_native(t);
	assert_int_equal(t[SYS_read], 0xee);
	assert_int_equal(t[SYS_mount], PK_SYS_MOUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native),
		cmocka_unit_test(test_compat),
		cmocka_unit_test(test_other_entries_stay),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
