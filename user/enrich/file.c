/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libelf reads the head of a file from a private copy: nothing can change below it (a mapped file
 * that is cut short kills its reader), and no length in the file is beyond what was copied.
 */
#include "enrich/file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define NOTE_BYTES_MAX 16384
#define UPX_AREA       1024 /* UPX puts its mark right behind the headers */

static void elf_endp(Elf **e)
{
	if (*e)
		elf_end(*e);
}

/* Forgets the section table, which lies at the end of the file; true if there was none. */
static bool drop_sections(char *head)
{
	uint64_t off = 0;
	uint16_t n = 0;

	if (head[EI_CLASS] == ELFCLASS64) {
		Elf64_Ehdr *h = (void *)head;

		off = h->e_shoff;
		n = h->e_shnum;
		h->e_shoff = h->e_shnum = h->e_shstrndx = 0;
	} else {
		Elf32_Ehdr *h = (void *)head;

		off = h->e_shoff;
		n = h->e_shnum;
		h->e_shoff = h->e_shnum = h->e_shstrndx = 0;
	}
	return off == 0 || n == 0;
}

static void read_build_id(const char *desc, size_t len, struct pk_file *f)
{
	if (f->build_id[0] || !len || len > sizeof(f->build_id) / 2)
		return;
	for (size_t i = 0; i < len; i++)
		snprintf(f->build_id + 2 * i, 3, "%02x", (unsigned char)desc[i]);
}

static void read_notes(Elf *elf, const GElf_Phdr *ph, size_t len, struct pk_file *f)
{
	size_t off = 0, next, name, desc;
	Elf_Data *data;
	GElf_Nhdr note;

	if (ph->p_filesz > NOTE_BYTES_MAX || ph->p_offset > len ||
	    ph->p_filesz > len - ph->p_offset)
		return;
	data = elf_getdata_rawchunk(elf, ph->p_offset, ph->p_filesz,
				    ph->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	while (data && (next = gelf_getnote(data, off, &note, &name, &desc)) > off) {
		const char *base = data->d_buf;

		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
		    memcmp(base + name, "GNU", sizeof("GNU")) == 0)
			read_build_id(base + desc, note.n_descsz, f);
		off = next;
	}
}

static void read_segments(Elf *elf, size_t len, struct pk_file *f)
{
	size_t n = 0;

	if (elf_getphdrnum(elf, &n) < 0)
		return;
	f->is_static = n > 0;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, i, &ph))
			return;
		if (ph.p_type == PT_INTERP)
			f->is_static = false;
		else if (ph.p_type == PT_NOTE)
			read_notes(elf, &ph, len, f);
		else if (ph.p_type == PT_LOAD && (ph.p_flags & PF_W) && (ph.p_flags & PF_X))
			f->write_exec = true;
	}
}

int pk_file_parse(const void *head, size_t len, struct pk_file *ret_file)
{
	_cleanup_(elf_endp) Elf *elf = NULL;
	_cleanup_free_ char *copy = NULL;
	struct pk_file f = { 0 };

	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOSYS;
	if (len > PK_FILE_HEAD_BYTES)
		len = PK_FILE_HEAD_BYTES;
	if (len < sizeof(Elf64_Ehdr) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	copy = malloc(len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, head, len);
	f.upx = memmem(copy, len < UPX_AREA ? len : UPX_AREA, "UPX!", 4) != NULL;
	f.no_sections = drop_sections(copy);
	elf = elf_memory(copy, len);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		return -ENOEXEC;
	read_segments(elf, len, &f);
	*ret_file = f;
	return 0;
}

int pk_file_read(const char *path, uint32_t dev, uint64_t ino, struct pk_file *ret_file)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *head = malloc(PK_FILE_HEAD_BYTES);
	size_t len = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0 || !head)
		return fd < 0 ? -errno : -ENOMEM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_ino != ino || major(st.st_dev) != dev >> 20 ||
	    minor(st.st_dev) != (dev & 0xfffff))
		return -ESTALE;
	while (len < PK_FILE_HEAD_BYTES &&
	       (n = pread(fd, head + len, PK_FILE_HEAD_BYTES - len, len)) > 0)
		len += n;
	return pk_file_parse(head, len, ret_file);
}
