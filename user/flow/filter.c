/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins words into a filter: and, or (left to right, as tcpdump binds them), not, parentheses. What
 * words mean is in filter_word.c (ours) and filter_pcap.c (tcpdump's).
 */
#include "flow/filter.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "flow/filter_pcap.h"
#include "flow/filter_word.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX 32
#define NODES_MAX PK_TOKENS_MAX

enum node_type { NODE_PCAP, NODE_WORD, NODE_NOT, NODE_AND, NODE_OR };

struct node {
	enum node_type type;
	uint32_t a, b; /* nodes */
	struct pk_pcap *pcap;
	struct pk_word_use *word;
};

struct pk_filter {
	struct node *node;
	uint32_t n, root;
	unsigned needs;
	bool all;
};

struct parse {
	struct pk_filter *f;
	struct pk_token *t;
	size_t at;
	int depth;
	struct pk_pcap_context context;
	struct pk_filter_error *e;
};

static int parse_expr(struct parse *p, uint32_t *ret);

static int node_new(struct parse *p, enum node_type type, uint32_t a, uint32_t b, uint32_t *ret)
{
	if (p->f->n >= NODES_MAX)
		return pk_filter_fail(p->e, p->t[p->at].at, "the filter is too long");
	p->f->node[p->f->n] = (struct node){ .type = type, .a = a, .b = b };
	*ret = p->f->n++;
	return 0;
}

static int parse_word(struct parse *p, uint32_t *ret)
{
	struct pk_word_use use;
	uint32_t i = 0;
	int r = pk_word_parse(p->t, &p->at, &use, p->e);

	if (r < 0)
		return r;
	r = node_new(p, NODE_WORD, 0, 0, &i);
	if (r < 0)
		return r;
	p->f->node[i].word = malloc(sizeof(use));
	if (!p->f->node[i].word)
		return pk_filter_fail(p->e, p->t[p->at].at, "out of memory");
	*p->f->node[i].word = use;
	p->f->needs |= use.word->needs;
	*ret = i;
	return 0;
}

static int parse_pcap(struct parse *p, uint32_t *ret)
{
	struct pk_pcap *pcap = NULL;
	uint32_t i = 0;
	int r = node_new(p, NODE_PCAP, 0, 0, &i);

	if (r < 0)
		return r;
	r = pk_pcap_parse(p->t, &p->at, &p->context, &pcap, p->e);
	if (r < 0)
		return r;
	p->f->node[i].pcap = pcap;
	*ret = i;
	return 0;
}

static int parse_parens(struct parse *p, uint32_t *ret)
{
	size_t open = p->t[p->at].at;
	int r;

	p->at++;
	r = parse_expr(p, ret);
	if (r < 0)
		return r;
	if (p->t[p->at].type != PK_TOK_CLOSE)
		return p->t[p->at].type == PK_TOK_END
			       ? pk_filter_fail(p->e, open, "this parenthesis is never closed")
			       : pk_filter_fail(p->e, p->t[p->at].at, "expected and, or, )");
	p->at++;
	return 0;
}

static int parse_term(struct parse *p, uint32_t *ret)
{
	const struct pk_token *t = &p->t[p->at];
	uint32_t inner;
	int r;

	if (t->type == PK_TOK_OPEN)
		return parse_parens(p, ret);
	if (pk_token_is(t, "not") || pk_token_is(t, "!")) {
		p->at++;
		if (++p->depth > DEPTH_MAX)
			return pk_filter_fail(p->e, t->at, "nested too deep");
		r = parse_term(p, &inner);
		p->depth--;
		return r < 0 ? r : node_new(p, NODE_NOT, inner, 0, ret);
	}
	if (t->type == PK_TOK_CLOSE)
		return pk_filter_fail(p->e, t->at, "expected a word before )");
	if (pk_token_is(t, "and") || pk_token_is(t, "or") || pk_token_is(t, "&&") ||
	    pk_token_is(t, "||"))
		return pk_filter_fail(p->e, t->at, "expected a word before %s", t->text);
	return pk_word_find(t) ? parse_word(p, ret) : parse_pcap(p, ret);
}

static int parse_expr(struct parse *p, uint32_t *ret)
{
	uint32_t left, right;
	int r;

	if (++p->depth > DEPTH_MAX)
		return pk_filter_fail(p->e, p->t[p->at].at, "nested too deep");
	r = parse_term(p, &left);
	while (r == 0) {
		bool is_and = pk_token_is(&p->t[p->at], "and") || pk_token_is(&p->t[p->at], "&&");
		bool is_or = pk_token_is(&p->t[p->at], "or") || pk_token_is(&p->t[p->at], "||");

		if (!is_and && !is_or)
			break;
		p->at++;
		r = parse_term(p, &right);
		if (r == 0)
			r = node_new(p, is_and ? NODE_AND : NODE_OR, left, right, &left);
	}
	p->depth--;
	if (r == 0)
		*ret = left;
	return r;
}

static int parse_all(struct parse *p)
{
	int r = parse_expr(p, &p->f->root);

	if (r < 0)
		return r;
	if (p->t[p->at].type == PK_TOK_CLOSE)
		return pk_filter_fail(p->e, p->t[p->at].at, "no parenthesis is open here");
	if (p->t[p->at].type != PK_TOK_END)
		return pk_filter_fail(p->e, p->t[p->at].at, "expected and, or, or the end");
	return 0;
}

void pk_filter_free(struct pk_filter *f)
{
	if (!f)
		return;
	for (uint32_t i = 0; i < f->n; i++) {
		pk_pcap_free(f->node[i].pcap);
		free(f->node[i].word);
	}
	free(f->node);
	free(f);
}

void pk_filter_freep(struct pk_filter **f)
{
	pk_filter_free(*f);
}

int pk_filter_new(const char *text, struct pk_filter **ret_filter, struct pk_filter_error *e)
{
	_cleanup_(pk_filter_freep) struct pk_filter *f = calloc(1, sizeof(*f));
	_cleanup_free_ struct pk_token *t = malloc(PK_TOKENS_MAX * sizeof(*t));
	_cleanup_free_ struct parse *p = calloc(1, sizeof(*p));
	size_t n;
	int r;

	*e = (struct pk_filter_error){ 0 };
	if (!f || !t || !p)
		return pk_filter_fail(e, 0, "out of memory");
	r = pk_filter_lex(text, t, &n, e);
	if (r < 0)
		return r;
	f->all = n == 0;
	f->node = calloc(n ? n : 1, sizeof(*f->node)); /* no token makes two nodes */
	if (!f->node)
		return pk_filter_fail(e, 0, "out of memory");
	*p = (struct parse){ .f = f, .t = t, .e = e };
	r = f->all ? 0 : parse_all(p);
	if (r < 0)
		return r;
	*ret_filter = PK_TAKE(f);
	return 0;
}

unsigned pk_filter_needs(const struct pk_filter *f)
{
	return f ? f->needs : 0;
}

struct match {
	const struct pk_filter *f;
	const struct pk_filter_subject *s;
	uint8_t packet[PK_PACKET_MAX] __attribute__((aligned(8)));
	size_t len;
	bool made;
};

static bool match_node(struct match *m, uint32_t i)
{
	const struct node *n = &m->f->node[i];

	switch (n->type) {
	case NODE_PCAP:
		if (!m->made && m->s->flow)
			m->len = pk_pcap_packet(m->s->flow, m->packet);
		m->made = true;
		return pk_pcap_match(n->pcap, m->packet, m->len);
	case NODE_WORD:
		return n->word->word->match(n->word, m->s);
	case NODE_NOT:
		return !match_node(m, n->a);
	case NODE_AND:
		return match_node(m, n->a) && match_node(m, n->b);
	case NODE_OR:
		return match_node(m, n->a) || match_node(m, n->b);
	}
	return false;
}

bool pk_filter_match(const struct pk_filter *f, const struct pk_filter_subject *s)
{
	struct match m;

	if (!f || f->all)
		return true;
	m.f = f;
	m.s = s;
	m.len = 0;
	m.made = false;
	return match_node(&m, f->root);
}

void pk_filter_explain(struct pk_buf *out, const char *text, const struct pk_filter_error *e)
{
	struct pk_buf before = { 0 };
	size_t n = strnlen(text, PK_FILTER_MAX), at = e->offset < n ? e->offset : n;

	pk_escape_text(out, text, n);
	pk_buf_char(out, '\n');
	pk_escape_text(&before, text, at);
	for (size_t i = 0; i < before.len; i++) /* one column a character, not a byte */
		if (((unsigned char)before.data[i] & 0xc0) != 0x80)
			pk_buf_char(out, ' ');
	pk_buf_char(out, '^');
	pk_buf_done(&before);
}
