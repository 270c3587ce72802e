/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SSH says in clear text: the identification (RFC 4253 4.2) and the lists of KEXINIT (7.1),
 * from which HASSH (client) and HASSHServer are made. Slices of the input.
 */
#pragma once

#include "base/cursor.h"

#define PK_SSH_HASSH_TEXT 33
#define PK_SSH_ID_MAX     255   /* bytes of the identification, CR LF included (RFC 4253 4.2) */
#define PK_SSH_BEFORE_MAX 4096  /* bytes of lines that a server may send before it */
#define PK_SSH_PACKET_MAX 35000 /* RFC 4253 6.1 */

enum pk_ssh_why {
	PK_SSH_OK,
	PK_SSH_SHORT, /* the input ends before it */
	PK_SSH_NONE,  /* there is none: another message comes */
	PK_SSH_LONG,  /* identification or packet beyond the limits of RFC 4253 */
	PK_SSH_MALFORMED,
	PK_SSH_WHYS
};

/* Order of the lists in KEXINIT. */
enum pk_ssh_list {
	PK_SSH_KEX,
	PK_SSH_HOST_KEY,
	PK_SSH_ENC_CLIENT, /* client to server */
	PK_SSH_ENC_SERVER,
	PK_SSH_MAC_CLIENT,
	PK_SSH_MAC_SERVER,
	PK_SSH_COMP_CLIENT,
	PK_SSH_COMP_SERVER,
	PK_SSH_LANG_CLIENT,
	PK_SSH_LANG_SERVER,
	PK_SSH_LISTS
};

struct pk_ssh {
	uint8_t id_why;  /* enum pk_ssh_why */
	uint8_t kex_why; /* enum pk_ssh_why */
	uint16_t lines_before;
	bool bare_lf;             /* the identification ended without CR */
	bool kex_follows;         /* first_kex_packet_follows */
	struct pk_slice id;       /* "SSH-2.0-OpenSSH_9.2p1 Debian-2", without its end */
	struct pk_slice version;  /* "2.0"; 1.99 and 1.x are what they are */
	struct pk_slice software; /* "OpenSSH_9.2p1" */
	struct pk_slice comment;
	struct pk_slice list[PK_SSH_LISTS]; /* names with commas between them */
};

/*
 * The stream of one direction from its start on: identification, then KEXINIT; or from KEXINIT on.
 * 0: what was found is in ret, and id_why, kex_why say what was not; text that may end with an
 * identification yet is as much. -EBADMSG: not SSH; ret untouched.
 */
int pk_ssh_decode(struct pk_ssh *ret, const void *data, size_t len);

/*
 * MD5 over "kex;encryption;mac;compression" of the sender's own direction, as 32 hex digits: HASSH
 * for a client's KEXINIT, HASSHServer for a server's. -ENODATA: no KEXINIT was decoded; -ENOTSUP:
 * the library does not do MD5.
 */
int pk_ssh_hassh(const struct pk_ssh *s, bool server, char ret_hex[PK_SSH_HASSH_TEXT]);

/* Cheap: an identification, or the start of one. */
bool pk_ssh_is(const void *data, size_t len);
const char *pk_ssh_why_name(uint8_t why);
