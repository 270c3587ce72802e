/* SPDX-License-Identifier: Apache-2.0 */
/* io_uring by its system calls alone: one ring, one request at a time. */
#pragma once

#include <linux/io_uring.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define URING_OP_SOCKET 45 /* newer than some headers */

struct uring {
	int fd;
	unsigned int flags;
	struct io_uring_params p;
	uint8_t *sq, *cq;
	struct io_uring_sqe *sqes;
};

static inline unsigned int *uring_at(uint8_t *ring, uint32_t off)
{
	return (unsigned int *)(ring + off);
}

static inline int uring_open(struct uring *u, unsigned int flags)
{
	memset(u, 0, sizeof(*u));
	u->p.flags = u->flags = flags;
	u->p.sq_thread_idle = 1000;
	u->fd = (int)syscall(SYS_io_uring_setup, 8, &u->p);
	if (u->fd < 0)
		return -1;
	u->sq = mmap(NULL, u->p.sq_off.array + 8 * sizeof(unsigned int), PROT_READ | PROT_WRITE,
		     MAP_SHARED, u->fd, IORING_OFF_SQ_RING);
	u->cq = mmap(NULL, u->p.cq_off.cqes + u->p.cq_entries * sizeof(struct io_uring_cqe),
		     PROT_READ | PROT_WRITE, MAP_SHARED, u->fd, IORING_OFF_CQ_RING);
	u->sqes = mmap(NULL, 8 * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED,
		       u->fd, IORING_OFF_SQES);
	return u->sq == MAP_FAILED || u->cq == MAP_FAILED || u->sqes == MAP_FAILED ? -1 : 0;
}

/* Submits one request and waits for its result. */
static inline int uring_do(struct uring *u, const struct io_uring_sqe *sqe)
{
	unsigned int *tail = uring_at(u->sq, u->p.sq_off.tail);
	unsigned int *head = uring_at(u->cq, u->p.cq_off.head);
	unsigned int at = *tail & (u->p.sq_entries - 1);
	unsigned int flags = IORING_ENTER_GETEVENTS, submit = 1;
	struct io_uring_cqe *cqe;

	u->sqes[at] = *sqe;
	uring_at(u->sq, u->p.sq_off.array)[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (u->flags & IORING_SETUP_SQPOLL) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (*uring_at(u->sq, u->p.sq_off.flags) & IORING_SQ_NEED_WAKEUP)
			flags |= IORING_ENTER_SQ_WAKEUP;
	}
	if (syscall(SYS_io_uring_enter, u->fd, submit, 1, flags, NULL, 0) < 0)
		return -1;
	if (__atomic_load_n(uring_at(u->cq, u->p.cq_off.tail), __ATOMIC_ACQUIRE) == *head)
		return -1;
	cqe = (struct io_uring_cqe *)(u->cq + u->p.cq_off.cqes);
	cqe += *head & (u->p.cq_entries - 1);
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return cqe->res;
}
