/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a filter: it is taken or refused with a place inside the text, and what is taken can
 * be asked about any flow.
 */
/*
 * fuzz-links: user/flow/filter.c user/flow/filter_lex.c user/flow/filter_pcap.c
 * fuzz-links: user/flow/filter_word.c user/flow/local.c
 * fuzz-links: user/base/ip.c user/base/buf.c user/base/escape.c
 */
#include "flow/filter.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first bytes are the flow, the rest the filter. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pk_flow flow = { 0 };
	struct pk_filter_subject s = { .flow = &flow, .iface = "eth0", .netns = "", .procs = 1 };
	size_t n = size < 48 ? size : 48;
	char text[PK_FILTER_MAX + 64];
	struct pk_filter_error e;
	struct pk_filter *f = NULL;
	struct pk_buf out = { 0 };

	memcpy(&flow, data, n);
	flow.key.proto = n > 36 ? data[36] : 6;
	s.proc[0] = (struct pk_filter_proc){ 1,    2,      "name", "/usr/bin/name",
					     NULL, "user", "web",  "abcdef" };
	data += n;
	size -= n;
	if (size >= sizeof(text))
		size = sizeof(text) - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	if (pk_filter_new(text, &f, &e) < 0) {
		if (e.offset > strlen(text) || !e.text[0] || f)
			abort();
		pk_filter_explain(&out, text, &e);
		pk_buf_done(&out);
		return 0;
	}
	(void)pk_filter_match(f, &s); /* either is right: it must only come back */
	s.flow = NULL;
	s.procs = 0;
	(void)pk_filter_match(f, &s);
	pk_filter_free(f);
	return 0;
}
