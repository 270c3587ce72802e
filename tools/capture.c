/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads capture files with libpcap (gzip by zlib) and gives every packet an Ethernet header, so
 * that one kernel program takes them all. What is not IP over a link header known here has no
 * frame. It looks no further than the link header.
 */
#include "capture.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define TYPE_IP4 0x0800
#define TYPE_IP6 0x86dd

struct pk_capture {
	pcap_t *pcap;
	FILE *file; /* libpcap's */
	int fd;     /* of the file itself, for the position; owned by file or gz */
	uint64_t size;
	bool gzip;
	char error[PCAP_ERRBUF_SIZE];
	char link[64];
	uint8_t frame[PK_CAPTURE_FRAME];
};

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static int head(struct pk_link_head *h, uint32_t skip, uint16_t type)
{
	*h = (struct pk_link_head){ .skip = skip, .type = type };
	return 0;
}

static int parse_raw(const uint8_t *d, size_t len, struct pk_link_head *h)
{
	if (len < 1)
		return -ENODATA;
	return head(h, 0, d[0] >> 4 == 4 ? TYPE_IP4 : d[0] >> 4 == 6 ? TYPE_IP6 : 0);
}

/* BSD loopback: the address family, in the byte order of the machine that captured or (LOOP) big.
 */
static int parse_null(const uint8_t *d, size_t len, struct pk_link_head *h)
{
	uint32_t family;

	if (len < 4)
		return -ENODATA;
	family = (uint32_t)be16(d) << 16 | be16(d + 2);
	if (family > 0xffff)
		family = (uint32_t)d[3] << 24 | d[2] << 16 | d[1] << 8 | d[0];
	if (family == 2)
		return head(h, 4, TYPE_IP4);
	/* Linux, NetBSD and OpenBSD, FreeBSD, macOS */
	if (family == 10 || family == 24 || family == 28 || family == 30)
		return head(h, 4, TYPE_IP6);
	return head(h, 4, 0);
}

static uint16_t ppp_type(uint16_t protocol)
{
	return protocol == 0x21 ? TYPE_IP4 : protocol == 0x57 ? TYPE_IP6 : 0;
}

/* RFC 1661, 1662: address and control may be left out, the protocol's first byte too. */
static int parse_ppp(const uint8_t *d, size_t len, struct pk_link_head *h)
{
	uint32_t at = len >= 2 && d[0] == 0xff && d[1] == 0x03 ? 2 : 0;

	if (len < at + 1)
		return -ENODATA;
	if (d[at] & 1)
		return head(h, at + 1, ppp_type(d[at]));
	if (len < at + 2)
		return -ENODATA;
	return head(h, at + 2, ppp_type(be16(d + at)));
}

/* Cisco HDLC; address 0xff with control 0x03 means PPP. */
static int parse_hdlc(const uint8_t *d, size_t len, struct pk_link_head *h)
{
	if (len < 4)
		return -ENODATA;
	if (d[0] == 0xff && d[1] == 0x03)
		return parse_ppp(d, len, h);
	return head(h, 4, be16(d + 2));
}

/* RFC 2427: two bytes of address, then the network layer's identifier. */
static int parse_frelay(const uint8_t *d, size_t len, struct pk_link_head *h)
{
	if (len < 4)
		return -ENODATA;
	if (d[1] & 1 && d[2] == 0x03 && d[3] == 0xcc)
		return head(h, 4, TYPE_IP4);
	if (d[1] & 1 && d[2] == 0x03 && d[3] == 0x8e)
		return head(h, 4, TYPE_IP6);
	return head(h, 4, d[1] & 1 && be16(d + 2) >= 0x600 ? be16(d + 2) : 0); /* Cisco's way */
}

/* Below 0x600 the field is not an EtherType. */
static int parse_typed(const uint8_t *d, size_t len, uint32_t at, uint32_t skip,
		       struct pk_link_head *h)
{
	uint16_t type;

	if (len < skip)
		return -ENODATA;
	type = be16(d + at);
	return head(h, skip, type >= 0x600 ? type : 0);
}

int pk_link_parse(int dlt, const uint8_t *d, size_t len, struct pk_link_head *h)
{
	switch (dlt) {
	case DLT_EN10MB:
		*h = (struct pk_link_head){ .ether = true };
		return len < PK_ETHER_LEN ? -ENODATA : 0;
	case DLT_RAW:
#ifdef DLT_IPV4
	case DLT_IPV4:
	case DLT_IPV6:
#endif
		return parse_raw(d, len, h);
	case DLT_NULL:
	case DLT_LOOP:
		return parse_null(d, len, h);
	case DLT_LINUX_SLL:
		return parse_typed(d, len, 14, 16, h);
#ifdef DLT_LINUX_SLL2
	case DLT_LINUX_SLL2:
		return parse_typed(d, len, 0, 20, h);
#endif
	case DLT_PPP:
		return parse_ppp(d, len, h);
	case DLT_PPP_SERIAL:
	case DLT_C_HDLC:
		return parse_hdlc(d, len, h);
	case DLT_FRELAY:
		return parse_frelay(d, len, h);
	default:
		return -ENOTSUP;
	}
}

static ssize_t gzip_read(void *cookie, char *buf, size_t len)
{
	int n = gzread(cookie, buf, (unsigned)len), error = Z_OK;

	if (n == 0)
		(void)gzerror(cookie, &error); /* the text says no more than the number */
	if (n >= 0 && error == Z_OK)
		return n;
	errno = error == Z_BUF_ERROR ? ENODATA : EIO; /* it ends too early, or is no gzip */
	return -1;
}

static int gzip_close(void *cookie)
{
	return gzclose_r(cookie) == Z_OK ? 0 : EOF;
}

static FILE *gzip_open(int fd)
{
	cookie_io_functions_t io = { .read = gzip_read, .close = gzip_close };
	gzFile gz = gzdopen(fd, "rb");
	FILE *f = gz ? fopencookie(gz, "r", io) : NULL;

	if (gz && !f)
		gzclose_r(gz);
	return f;
}

/* libpcap's stream on the file; the descriptor belongs to it then. */
static int open_file(struct pk_capture *c, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	uint8_t magic[2] = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode)) {
		c->size = (uint64_t)st.st_size;
		c->gzip = pread(fd, magic, 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
	}
	c->file = c->gzip ? gzip_open(fd) : fdopen(fd, "r");
	if (!c->file)
		return -ENOMEM;
	c->fd = PK_TAKE_FD(fd);
	return 0;
}

int pk_capture_open(const char *path, struct pk_capture **ret_capture)
{
	struct pk_capture *c = calloc(1, sizeof(*c));
	const char *name;
	int r, dlt;

	if (!c)
		return -ENOMEM;
	*ret_capture = c;
	r = open_file(c, path);
	if (r < 0) {
		snprintf(c->error, sizeof(c->error), "%s", strerror(-r));
		return r;
	}
	c->pcap = pcap_fopen_offline_with_tstamp_precision(c->file, PCAP_TSTAMP_PRECISION_NANO,
							   c->error);
	if (!c->pcap)
		return -EBADMSG;
	dlt = pcap_datalink(c->pcap);
	name = pcap_datalink_val_to_name(dlt);
	if (name)
		snprintf(c->link, sizeof(c->link), "%s", name);
	else
		snprintf(c->link, sizeof(c->link), "DLT %d", dlt);
	return 0;
}

void pk_capture_free(struct pk_capture *c)
{
	if (!c)
		return;
	if (c->pcap)
		pcap_close(c->pcap); /* closes the file too */
	else if (c->file)
		fclose(c->file);
	free(c);
}

void pk_capture_freep(struct pk_capture **c)
{
	pk_capture_free(*c);
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The frame is what came, or an Ethernet header and what followed the link header. */
static void make_frame(struct pk_capture *c, const uint8_t *data, uint32_t len,
		       const struct pk_link_head *h, struct pk_frame *f)
{
	if (h->ether) {
		f->data = data;
		f->len = least(len, PK_CAPTURE_FRAME);
		f->frame_bytes = f->wire_bytes;
		return;
	}
	f->len = least(len - h->skip, PK_CAPTURE_FRAME - PK_ETHER_LEN);
	memset(c->frame, 0, PK_ETHER_LEN);
	c->frame[12] = (uint8_t)(h->type >> 8);
	c->frame[13] = (uint8_t)h->type;
	memcpy(c->frame + PK_ETHER_LEN, data + h->skip, f->len);
	f->len += PK_ETHER_LEN;
	f->data = c->frame;
	f->frame_bytes = f->wire_bytes - h->skip + PK_ETHER_LEN;
}

int pk_capture_next(struct pk_capture *c, struct pk_frame *ret_frame)
{
	struct pk_frame f = { 0 };
	struct pcap_pkthdr *p;
	struct pk_link_head h;
	const u_char *data;
	int r;

	r = pcap_next_ex(c->pcap, &p, &data);
	if (r == PCAP_ERROR_BREAK)
		return 0;
	if (r != 1) {
		snprintf(c->error, sizeof(c->error), "%s", pcap_geterr(c->pcap));
		return -EBADMSG;
	}
	f.ts_ns = (uint64_t)p->ts.tv_sec * 1000000000 + (uint64_t)p->ts.tv_usec;
	f.wire_bytes = p->len > p->caplen ? p->len : p->caplen;
	f.skip = pk_link_parse(pcap_datalink(c->pcap), data, p->caplen, &h);
	if (!f.skip)
		make_frame(c, data, p->caplen, &h, &f);
	*ret_frame = f;
	return 1;
}

const char *pk_capture_error(const struct pk_capture *c)
{
	return c->error;
}

const char *pk_capture_link(const struct pk_capture *c)
{
	return c->link;
}

uint64_t pk_capture_size(const struct pk_capture *c)
{
	return c->size;
}

double pk_capture_share(const struct pk_capture *c)
{
	off_t at = c->size ? lseek(c->fd, 0, SEEK_CUR) : 0;

	return c->size && at > 0 ? (double)at / (double)c->size : 0;
}

bool pk_capture_is_gzip(const struct pk_capture *c)
{
	return c->gzip;
}
