/* SPDX-License-Identifier: Apache-2.0 */
/* Files with any names, comments and frames: libpcap reads every packet back as it was. Blocks that
 * others wrote: read without a step outside. Packets of any sizes in a ring: what is kept is whole.
 * fuzz-links: user/capture/pcapng.c user/capture/ring.c user/base/buf.c user/base/escape.c */
#include "capture/pcapng.h"

#include "base/buf.h"
#include "capture/ring.h"

#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	size_t left;
};

/* The next text, up to a NUL or its 300th byte. */
static char *take_text(struct input *in)
{
	size_t n = strnlen((const char *)in->at, in->left < 300 ? in->left : 300);
	char *s = strndup((const char *)in->at, n);

	n += n < in->left;
	in->at += n;
	in->left -= n;
	return s;
}

static uint32_t take_number(struct input *in, uint32_t below)
{
	uint16_t v = 0;
	size_t n = in->left < sizeof(v) ? in->left : sizeof(v);

	memcpy(&v, in->at, n);
	in->at += n;
	in->left -= n;
	return v % below;
}

static void check_blocks(const struct pk_buf *b)
{
	uint32_t type, len, end;

	for (size_t at = 0; at < b->len; at += len) {
		if (!pk_pcapng_block(b->data + at, b->len - at, &type, &len) || len > b->len - at)
			abort();
		memcpy(&end, b->data + at + len - 4, 4);
		if (end != len)
			abort();
	}
}

static void read_back(const struct pk_buf *b, const uint8_t *frame, uint32_t len, uint32_t wire,
		      unsigned packets)
{
	char error[PCAP_ERRBUF_SIZE];
	FILE *f = fmemopen(b->data, b->len, "r");
	pcap_t *p = f ? pcap_fopen_offline(f, error) : NULL;
	struct pcap_pkthdr *h;
	const u_char *got;

	if (!p)
		abort();
	for (unsigned i = 0; i < packets; i++)
		if (pcap_next_ex(p, &h, &got) != 1 || h->caplen != len || h->len != wire ||
		    memcmp(got, frame, len) != 0)
			abort();
	if (pcap_next_ex(p, &h, &got) != PCAP_ERROR_BREAK)
		abort();
	pcap_close(p);
}

static void write_file(struct input *in)
{
	char *name = take_text(in), *description = take_text(in), *filter = take_text(in),
	     *comment = take_text(in);
	uint32_t more = take_number(in, 100);
	struct pk_pcapng_section section = { .hardware = comment, .application = name };
	struct pk_pcapng_iface iface = { .name = name,
					 .description = description,
					 .filter = filter,
					 .linktype = PK_LINKTYPE_ETHERNET };
	struct pk_pcapng_packet p = { .comment = comment, .dropped = more, .way = more % 3 };
	struct pk_pcapng_stats stats = { .comment = comment, .dropped = more };
	struct pk_buf b = { 0 };

	p.data = in->at;
	p.len = (uint32_t)(in->left < 65536 ? in->left : 65536);
	p.wire_len = p.len + more;
	pk_pcapng_section(&b, &section);
	pk_pcapng_iface(&b, &iface);
	pk_pcapng_packet(&b, &p);
	p.comment = NULL;
	pk_pcapng_packet(&b, &p);
	pk_pcapng_stats(&b, &stats);
	if (b.error)
		abort();
	check_blocks(&b);
	read_back(&b, in->at, p.len, p.wire_len, 2);
	pk_buf_done(&b);
	free(name);
	free(description);
	free(filter);
	free(comment);
}

/* Each block from memory of its own size, so that a step behind it is seen. */
static void read_blocks(struct input *in)
{
	uint32_t type, len;

	while (pk_pcapng_block(in->at, in->left, &type, &len) && len <= in->left) {
		uint8_t *own = malloc(len);
		struct pk_pcapng_seen seen;
		const char *text;
		size_t n = 0;

		memcpy(own, in->at, len);
		if (pk_pcapng_read_packet(own, len, &seen) && seen.len > len)
			abort();
		text = pk_pcapng_read_comment(own, len, &n);
		if (text && (text < (char *)own || text + n > (char *)own + len))
			abort();
		free(own);
		in->at += len;
		in->left -= len;
	}
}

static void fill_ring(struct input *in)
{
	static _Alignas(8) uint8_t mem[sizeof(struct pk_sample) + 65536];
	struct pk_sample *s = (void *)mem;
	struct pk_packet_ring *r = pk_packet_ring_new(4096 + take_number(in, 4096));
	struct pk_packet_counts n;
	uint64_t last = PK_PACKET_NONE, kept = 0, at, want;

	*s = (struct pk_sample){ 0 };
	while (in->left) {
		s->data_len = take_number(in, in->left % 3 ? 300 : 9000);
		s->hdr.ts++;
		memset(s + 1, (int)s->hdr.ts, s->data_len);
		at = pk_packet_ring_add(r, s, last);
		last = at ? at : last;
	}
	pk_packet_ring_counts(r, &n);
	for (at = PK_PACKET_NONE, want = n.oldest_ns; (at = pk_packet_ring_next(r, at)); kept++) {
		const struct pk_sample *k = pk_packet_ring_at(r, at);

		if (k->hdr.ts < want ||
		    (k->data_len && *(const uint8_t *)(k + 1) != (uint8_t)k->hdr.ts))
			abort();
		want = k->hdr.ts + 1;
	}
	if (kept != n.packets || n.taken != kept + n.gone || n.bytes > n.max)
		abort();
	for (at = last; at; at = pk_packet_ring_before(r, at))
		kept -= pk_packet_ring_at(r, at) != NULL;
	if (kept)
		abort();
	pk_packet_ring_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data + 1, size - 1 };

	if (!size)
		return 0;
	if (data[0] % 3 == 0)
		write_file(&in);
	else if (data[0] % 3 == 1)
		read_blocks(&in);
	else
		fill_ring(&in);
	return 0;
}
