/* SPDX-License-Identifier: Apache-2.0 */
/* Small ELF files made here, and the test program itself. */
#include "enrich/file.h"

#include "base/cleanup.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

struct elf {
	Elf64_Ehdr e;
	Elf64_Phdr p[3];
	struct {
		Elf64_Nhdr h;
		char name[4];
		unsigned char desc[20];
	} note;
	char rest[64];
};

static struct elf make(void)
{
	struct elf f = { 0 };

	memcpy(f.e.e_ident, ELFMAG, SELFMAG);
	f.e.e_ident[EI_CLASS] = ELFCLASS64;
	f.e.e_ident[EI_DATA] = ELFDATA2LSB;
	f.e.e_ident[EI_VERSION] = EV_CURRENT;
	f.e.e_type = ET_EXEC;
	f.e.e_machine = EM_X86_64;
	f.e.e_version = EV_CURRENT;
	f.e.e_ehsize = sizeof(f.e);
	f.e.e_phoff = sizeof(f.e);
	f.e.e_phentsize = sizeof(f.p[0]);
	f.e.e_phnum = 3;
	f.e.e_shoff = 1 << 20; /* beyond what is read, as usual */
	f.e.e_shnum = 30;
	f.p[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X };
	f.p[1] = (Elf64_Phdr){ .p_type = PT_NOTE,
			       .p_align = 4,
			       .p_offset = offsetof(struct elf, note),
			       .p_filesz = sizeof(f.note) };
	f.p[2] = (Elf64_Phdr){ .p_type = PT_INTERP };
	f.note.h = (Elf64_Nhdr){ .n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID };
	memcpy(f.note.name, "GNU", 4);
	for (int i = 0; i < 20; i++)
		f.note.desc[i] = 0xa0 + i;
	return f;
}

static void test_usual(void **state)
{
	struct elf e = make();
	struct pk_file f;

	(void)state;
	assert_int_equal(pk_file_parse(&e, sizeof(e), &f), 0);
	assert_string_equal(f.build_id, "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3");
	assert_false(f.is_static || f.no_sections || f.upx || f.write_exec);
}

static void test_unusual(void **state)
{
	struct elf e = make();
	struct pk_file f;

	(void)state;
	e.p[0].p_flags |= PF_W;
	e.p[2].p_type = PT_NULL;
	e.e.e_shoff = 0;
	memcpy(e.rest + 10, "UPX!", 4);
	assert_int_equal(pk_file_parse(&e, sizeof(e), &f), 0);
	assert_true(f.is_static && f.no_sections && f.upx && f.write_exec);
}

static void test_lies(void **state)
{
	struct elf e = make();
	struct pk_file f;

	(void)state;
	e.note.h.n_descsz = 0xffffffff;
	assert_int_equal(pk_file_parse(&e, sizeof(e), &f), 0);
	assert_string_equal(f.build_id, "");
	e = make();
	e.p[1].p_filesz = UINT64_MAX;
	e.p[1].p_offset = 8;
	assert_int_equal(pk_file_parse(&e, sizeof(e), &f), 0);
	assert_string_equal(f.build_id, "");
	e = make();
	e.note.h.n_type = 1;
	assert_int_equal(pk_file_parse(&e, sizeof(e), &f), 0);
	assert_string_equal(f.build_id, "");
	for (size_t len = 0; len < sizeof(e); len++) /* cut anywhere: no crash */
		(void)pk_file_parse(&e, len, &f);
	assert_int_equal(pk_file_parse("#!/bin/sh\n", 10, &f), -ENOEXEC);
	memset(&e, 0, sizeof(e));
	assert_int_equal(pk_file_parse(&e, sizeof(e), &f), -ENOEXEC);
}

static void test_own_program(void **state)
{
	struct pk_file f;
	struct stat st;
	uint32_t dev;

	(void)state;
	assert_int_equal(stat("/proc/self/exe", &st), 0);
	dev = major(st.st_dev) << 20 | minor(st.st_dev);
	assert_int_equal(pk_file_read("/proc/self/exe", dev, st.st_ino, &f), 0);
	assert_false(f.is_static || f.upx || f.no_sections);
	assert_int_equal(pk_file_read("/proc/self/exe", dev, st.st_ino + 1, &f), -ESTALE);
	assert_int_equal(pk_file_read("/proc/self/exe", dev + 1, st.st_ino, &f), -ESTALE);
	assert_int_equal(pk_file_read("/", dev, st.st_ino, &f), -ESTALE);
	assert_int_equal(pk_file_read("/nonexistent", dev, st.st_ino, &f), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual),
		cmocka_unit_test(test_unusual),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_own_program),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
