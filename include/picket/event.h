/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Apache-2.0 */
/*
 * Every record that the kernel side sends to the agent, and the two building blocks that records
 * and maps share (addresses, process identity). Compiles as C, as C++ and for BPF.
 *
 * Rules: fixed-width members only, explicit padding, sizes asserted, type numbers never reused.
 * Addresses are 16 bytes in network byte order, IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
 * Times are CLOCK_BOOTTIME nanoseconds. Records are zeroed before they are filled.
 */
#ifndef PICKET_EVENT_H
#define PICKET_EVENT_H

#include <linux/types.h>

#ifdef __cplusplus
#define PK_ASSERT(cond, msg) static_assert(cond, msg)
#else
#define PK_ASSERT(cond, msg) _Static_assert(cond, msg)
#endif

/* Number of this contract; a change of any layout in event.h or map.h raises it. */
#define PK_ABI 9

#define PK_COMM_LEN 16

enum pk_event_type {
	PK_EV_EXEC = 1,
	PK_EV_FORK = 2,
	PK_EV_EXIT = 3,
	PK_EV_ACT = 4,
	PK_EV_SOCK = 5,
	PK_EV_FLOW = 6,
	PK_EV_VERDICT = 7, /* struct pk_verdict of block.h */
	PK_EV_SAMPLE = 8,
	PK_EV_QUERY = 12, /* struct pk_query of block.h */
};

/* pk_hdr.flags */
#define PK_EVF_TRUNCATED 0x1 /* some variable part did not fit */
#define PK_EVF_SNAPSHOT  0x2 /* state found at start-up, not something that just happened */
#define PK_EVF_COMPAT    0x4 /* made by a 32-bit system call */

/* Head of every record. seq counts per CPU and per ring: a gap is a measured loss. */
struct pk_hdr {
	__u64 ts;    /* boottime ns */
	__u32 size;  /* bytes of the whole record, this head included */
	__u16 type;  /* enum pk_event_type */
	__u16 flags; /* PK_EVF_* */
	__u32 cpu;
	__u32 seq;
};
PK_ASSERT(sizeof(struct pk_hdr) == 24, "wire");

/* A process for good: a pid may come back, (tgid, start) does not. tgid 0: none or unknown. */
struct pk_proc_id {
	__u64 start_ns; /* start_boottime of the thread group leader */
	__u32 tgid;     /* in the initial pid namespace */
	__u32 uid;      /* effective uid at the time of the event, in the initial user namespace */
};
PK_ASSERT(sizeof(struct pk_proc_id) == 16, "wire");

#define PK_TASK_KTHREAD   0x1
#define PK_TASK_IO_WORKER 0x2 /* io_uring worker or SQPOLL thread of the process */

/* Who did it, as the kernel knew it at that moment. */
struct pk_task {
	struct pk_proc_id id;
	__u64 cgroup; /* id in the cgroup v2 hierarchy */
	__u64 netns;  /* net namespace cookie */
	__u32 tid;
	__u32 netns_inum; /* what /proc/PID/ns/net shows */
	__u32 mntns_inum;
	__u32 pidns_inum;
	__u32 flags;            /* PK_TASK_* */
	__u32 pid_in_ns;        /* tgid as seen inside its own pid namespace */
	char comm[PK_COMM_LEN]; /* a label only: any process can set it */
};
PK_ASSERT(sizeof(struct pk_task) == 72, "wire");

/* pk_exec.exec_flags */
#define PK_EXEC_MEMFD   0x01
#define PK_EXEC_DELETED 0x02 /* link count 0 */
#define PK_EXEC_SCRIPT  0x04 /* the kernel started an interpreter: see interp */
#define PK_EXEC_SETID   0x08 /* euid or egid changed by the file */
#define PK_EXEC_SHM     0x10 /* on a tmpfs */
#define PK_EXEC_OVERLAY 0x20 /* on an overlay file system */

/* pk_exec.stdio: what a standard stream is when the program starts. */
enum pk_stdio {
	PK_STDIO_NONE = 0, /* closed, or of a process that was found running */
	PK_STDIO_FILE = 1,
	PK_STDIO_PIPE = 2, /* a named one, too */
	PK_STDIO_TTY = 3,
	PK_STDIO_DEVICE = 4, /* /dev/null and others */
	PK_STDIO_INET = 5,   /* socket of IPv4 or IPv6 */
	PK_STDIO_SOCKET = 6, /* any other socket */
};

#define PK_PATH_LEN      1024
#define PK_CWD_LEN       512
#define PK_NAME_LEN      256
#define PK_ARGV_LEN      1024
#define PK_ARGV_TAIL_LEN 256

/*
 * A program was started (or was found running: PK_EVF_SNAPSHOT).
 * path and cwd are components, innermost first, each ended by NUL ("curl\0bin\0usr\0"), relative to
 * the root of the process' mount namespace; the agent turns them round. argv is the start of the
 * NUL-separated argument area, argv_tail its last bytes when it is longer than argv.
 */
struct pk_exec {
	struct pk_hdr hdr;
	struct pk_task task;
	struct pk_proc_id parent;
	__u64 exe_ino;
	__u32 exe_dev; /* kernel dev_t: major << 20 | minor */
	__u32 exe_mode;
	__u32 exe_uid;              /* owner of the file */
	__u32 exec_flags;           /* PK_EXEC_* */
	__u32 uid, gid, euid, egid; /* initial user namespace */
	__u32 loginuid, sessionid;  /* 0xffffffff: unset */
	__u64 cap_effective, cap_permitted;
	__u32 path_len, cwd_len, filename_len, interp_len; /* bytes used in the arrays below */
	__u32 argv_len, argv_tail_len;
	__u32 argv_total; /* bytes of the whole argument area */
	__u32 old_tid; /* the thread that called exec: not tgid when it was no leader; 0: unknown */
	__u64 exe_ctime_s; /* of the file, wall clock: written, moved or made executable; 0: unknown
			    */
	__u64 stdio_cookie; /* of the first standard stream that is PK_STDIO_INET; 0: none, unknown
			     */
	__u8 stdio[3];      /* enum pk_stdio of stdin, stdout, stderr */
	__u8 pad[5];
	char filename[PK_NAME_LEN]; /* as given to execve, NUL ended */
	char interp[PK_NAME_LEN];   /* interpreter, NUL ended */
	char path[PK_PATH_LEN];
	char cwd[PK_CWD_LEN];
	char argv_tail[PK_ARGV_TAIL_LEN];
	char argv[PK_ARGV_LEN];
};
PK_ASSERT(sizeof(struct pk_exec) % 8 == 0, "wire");

/* A new process (threads are not reported). */
struct pk_fork {
	struct pk_hdr hdr;
	struct pk_task task; /* the parent */
	struct pk_proc_id child;
};
PK_ASSERT(sizeof(struct pk_fork) == 112, "wire");

/* The last thread of a process ended. */
struct pk_exit {
	struct pk_hdr hdr;
	struct pk_task task;
	__s32 code; /* as wait(2) gives it */
	__u32 pad;
};
PK_ASSERT(sizeof(struct pk_exit) == 104, "wire");

/* The acts that matter to a network sensor; arg[] is explained beside each. */
enum pk_act_kind {
	/* A socket became fd arg[0] (0, 1 or 2); arg[1] its cookie or 0, arg[2] its family. */
	PK_ACT_STDIO_SOCKET = 1,
	PK_ACT_MEMFD = 2,    /* arg[0] flags; ret the fd */
	PK_ACT_PTRACE = 3,   /* arg[0] request; target */
	PK_ACT_VM_WRITE = 4, /* process_vm_writev; target */
	PK_ACT_MODULE = 5,   /* init_module, finit_module */
	PK_ACT_BPF = 6, /* arg[0] command; element access, queries and test runs are not reported */
	PK_ACT_MOUNT = 7,   /* arg[3] flags */
	PK_ACT_SETNS = 8,   /* arg[1] nstype */
	PK_ACT_UNSHARE = 9, /* arg[0] flags */
	PK_ACT_PIVOT_ROOT = 10,
	PK_ACT_UID_ZERO =
		11, /* effective uid became 0; arg[0] the uid before (if known, else -1) */
	PK_ACT_IO_URING = 12, /* ring made: arg[0] flags, arg[1] sq entries */
	/*
	 * First use by this process of opcode arg[0] (IORING_OP_*) that works on sockets;
	 * IORING_OP_SOCKET: each, with family, type and protocol in arg[1..3].
	 */
	PK_ACT_IO_URING_SOCKET = 13,
	PK_ACT_RAW_SOCKET = 14,    /* arg[0] family, arg[1] type, arg[2] protocol */
	PK_ACT_PACKET_SOCKET = 15, /* AF_PACKET: arg[1] type, arg[2] protocol */
	PK_ACT_XDP_SOCKET = 16,    /* AF_XDP socket made */
	PK_ACT_QDISC_BYPASS = 17, /* PACKET_QDISC_BYPASS asked for: sends round tc; arg[0] cookie */
	PK_ACT_XDP_UMEM = 18,     /* AF_XDP being made ready: sends round tc; arg[0] cookie */
	PK_ACT_KILL = 19, /* SIGKILL, SIGSTOP or SIGTERM (arg[0]) to target, another process */
	PK_ACT_MAX
};

struct pk_act {
	struct pk_hdr hdr;
	struct pk_task task;
	struct pk_proc_id target; /* of ptrace, process_vm_writev and kill */
	__u32 kind;               /* enum pk_act_kind */
	__s32 ret;                /* result of the call */
	__u64 arg[4]; /* scalars only: read where the caller can not change them any more */
};
PK_ASSERT(sizeof(struct pk_act) == 152, "wire");

/*
 * Who owns a socket: stored with the socket, cloned to accepted children, copied into flows.
 * The creator made the socket (or its listener); the user last connected, accepted or sent with it.
 */
#define PK_OWNER_KERNEL   0x1 /* a socket of the kernel itself */
#define PK_OWNER_ACCEPTED 0x2
#define PK_OWNER_SNAPSHOT 0x4 /* found open at start */
#define PK_OWNER_IO_URING 0x8 /* last used through io_uring */

struct pk_owner {
	struct pk_proc_id creator;
	struct pk_proc_id user;
	__u64 cookie;  /* socket cookie, 0: no socket known */
	__u64 cgroup;  /* of the user */
	__u16 flags;   /* PK_OWNER_* */
	__u8 gen;      /* raised with each change of user; 0 never */
	__u8 comm_len; /* 0: no comm */
	char comm[12]; /* first bytes of the user's comm, not NUL ended when full */
};
PK_ASSERT(sizeof(struct pk_owner) == 64, "one cache line");

enum pk_sock_op {
	PK_SOCK_CREATE = 1,
	PK_SOCK_BIND = 2,
	PK_SOCK_LISTEN = 3,
	PK_SOCK_CONNECT = 4,     /* asked for; the local port may not be known yet */
	PK_SOCK_ESTABLISHED = 5, /* active side */
	PK_SOCK_ACCEPT = 6,      /* passive side is established */
	PK_SOCK_USER = 7,        /* another process began to use it */
	PK_SOCK_CLOSE = 8,
};

struct pk_sock {
	struct pk_hdr hdr;
	struct pk_task task; /* zero when it happened in softirq */
	struct pk_owner owner;
	__u64 netns; /* cookie of the socket's net namespace */
	__u8 laddr[16], raddr[16];
	__be16 lport, rport; /* as on the wire */
	__u16 family;        /* AF_INET, AF_INET6 */
	__u8 l4;             /* IPPROTO_* */
	__u8 op;             /* enum pk_sock_op */
};
PK_ASSERT(sizeof(struct pk_sock) == 208, "wire");

/*
 * One conversation on one interface: both directions share the key. End 0 is the lower of
 * (address, port) compared as big-endian numbers; direction d is the packets sent by end d.
 */
struct pk_flow_key {
	__u8 addr[2][16];
	__be16 port[2]; /* as on the wire; ICMP: both hold the identifier of echo, else 0 */
	__u32 ifindex;
	__u64 netns;   /* cookie */
	__u16 proto;   /* IPPROTO_*; ARP: 0x0806 with addr = sender and target protocol address */
	__u16 vlan[2]; /* 802.1Q/802.1ad VLAN ids, outer first, 0: none */
	__u8 encap;    /* enum pk_encap: what this inner packet was carried in */
	__u8 depth;    /* 0 outer, 1 inner */
	__u32 vni;     /* VXLAN or GENEVE network id, GRE key */
	__u32 pad;
};
PK_ASSERT(sizeof(struct pk_flow_key) == 64, "one cache line");

enum pk_encap {
	PK_ENCAP_NONE = 0,
	PK_ENCAP_VXLAN = 1,
	PK_ENCAP_GENEVE = 2,
	PK_ENCAP_GRE = 3,
	PK_ENCAP_IPIP = 4,   /* IPv4 in IPv4 or IPv6 */
	PK_ENCAP_SIXIN4 = 5, /* IPv6 in IPv4 or IPv6 */
};

/*
 * pk_flow_dir.started: how far a direction is and, above, what is to be done with each of its
 * packets. Nothing is to be done and the flow is no longer half-open: exactly PK_DIR_OPEN.
 */
#define PK_DIR_SEEN   0x01 /* it had a packet */
#define PK_DIR_OPEN   0x03 /* and the flow is no longer half-open */
#define PK_DIR_SAMPLE 0x04 /* its next payload is looked at */
#define PK_DIR_KEEP   0x08 /* the headers of its next packet are kept */
#define PK_DIR_RECORD 0x10 /* its packets go to whoever records, whole */
#define PK_DIR_CUT    0x20 /* its packets are dropped */

/* pk_flow_dir.where: which hook counts this direction */
#define PK_AT_INGRESS 1
#define PK_AT_EGRESS  2

#define PK_ICMP_KNOWN 0x10000u /* of the first packet: it names the conversation */

struct pk_flow_dir {
	__u64 packets;
	__u64 bytes;             /* whole frames as on the wire, without FCS */
	__u64 first_ns, last_ns; /* boottime; last_ns to one tick of the kernel (1 to 10 ms) */
	union {
		__u32 turn; /* the next ones at once: one comparison finds the ordinary packet */
		struct {
			__u8 tcp_flags; /* union of the TCP flags byte */
			__u8 started;   /* PK_DIR_* */
			__u8 pad[2];
		};
	};
	__u32 retransmits; /* TCP segments with data at or below what was already sent */
	__u32 tcp_next;  /* highest sequence number seen + 1; ICMP: PK_ICMP_KNOWN | type << 8 | code
			  */
	__u32 owner_gen; /* of what own[] holds: socket cookie << 8 | pk_owner.gen; 0: none */
	__u32 fragments; /* packets that were fragments */
	__u8 where;      /* PK_AT_* */
	__u8 ttl;        /* of the first packet */
	__u8 dscp;
	__u8 looked_at;          /* packets with payload that PK_DIR_SAMPLE saw; stops at 255 */
	union {                  /* the kernel's own */
		__u64 ending_ns; /* of dir[0]: since when the flow is dying */
		/*
		 * Of dir[1], for both directions. TCP: where the stream begins while its content is
		 * not known, then the sequence number where sampling ends. ICMP: second of the last
		 * sample.
		 */
		__u32 sample_at[2];
	};
};
PK_ASSERT(sizeof(struct pk_flow_dir) == 64, "one cache line");

/* pk_flow_meta.state */
#define PK_FLOW_HALF_OPEN 0x01 /* seen one way, or a TCP handshake that is not complete */
#define PK_FLOW_FIN0      0x02
#define PK_FLOW_FIN1      0x04
#define PK_FLOW_RST       0x08
#define PK_FLOW_MIDSTREAM 0x10 /* TCP without a SYN seen */

struct pk_flow_meta {
	__u64 id; /* never the same twice on this host since boot */
	__u64 start_ns;
	__u64 syn_ns; /* first SYN, 0: none */
	__u64 synack_ns;
	__u64 reported_ns;      /* last successful report, 0: never */
	__u64 reported_packets; /* both directions, at the last report */
	__u32 rtt_us;           /* SYN to the ACK that ends the handshake; 0: not seen */
	__u32 state;            /* PK_FLOW_* */
	__u32 reports;
	__u8 initiator; /* end that opened the conversation, by SYN or else by first packet */
	__u8 app[2];    /* enum pk_app of each direction */
	__u8 pad;
};
PK_ASSERT(sizeof(struct pk_flow_meta) == 64, "one cache line");

struct pk_flow {
	struct pk_flow_key key;
	struct pk_flow_dir dir[2];
	struct pk_flow_meta meta;
	struct pk_owner own[2]; /* own[d]: the local socket that sends direction d */
};
PK_ASSERT(sizeof(struct pk_flow) == 384, "six cache lines");

/* pk_flow_report.why */
enum pk_report_why {
	PK_REPORT_START = 1,  /* first report; the flow may already have ended: see final */
	PK_REPORT_ACTIVE = 2, /* active timeout */
	PK_REPORT_END = 3,    /* TCP end */
	PK_REPORT_IDLE = 4,   /* idle timeout */
	PK_REPORT_STOP = 5,   /* the sensor stops, or a capture ended */
};

/*
 * What a packet carries, told by its first payload bytes or else by its port. Bit n of
 * pk_knobs.sample_off keeps the payload of application n in the kernel.
 */
enum pk_app {
	PK_APP_NONE = 0,  /* nothing that we name: never sampled */
	PK_APP_SHORT = 1, /* a TCP stream that began with too few bytes to tell */
	PK_APP_DNS = 2,   /* UDP and TCP 53, mDNS 5353, LLMNR 5355 */
	PK_APP_TLS = 3,   /* a handshake record */
	PK_APP_QUIC = 4,  /* long header of version 1 or 2 */
	PK_APP_HTTP = 5,  /* HTTP/1: request or status line */
	PK_APP_SSH = 6,
	PK_APP_TEXT = 7, /* first lines of SMTP, FTP, POP3, IMAP, IRC, Stratum */
	PK_APP_DHCP = 8,
	PK_APP_ARP = 9,
	PK_APP_ICMP = 10, /* echo; ICMPv6: also advertisements of routers */
	PK_APP_MAX
};

/* pk_sample.why */
#define PK_SAMPLE_PAYLOAD 0x1 /* to be decoded: payload is in data */
#define PK_SAMPLE_KEEP    0x2 /* one of the first packets of its flow: its headers are kept */
#define PK_SAMPLE_RECORD  0x4 /* somebody records this flow: all of the frame */

#define PK_SAMPLE_DATA_MAX 65536

/*
 * One packet of a flow, from the start of its frame on. data is cut at data_len: behind the
 * headers, behind what its application is sampled for, or behind the largest record. hdr.size is
 * the size of this struct and data_len, rounded up to 8; what the ring has behind it is not part of
 * the record. A packet that is sampled and recorded comes twice, once in each ring.
 */
struct pk_sample {
	struct pk_hdr hdr;
	struct pk_flow_key key; /* as in the flow: normalised */
	__u64 flow;             /* pk_flow_meta.id */
	__u32 slot;             /* of the flow */
	__u32 frame_len;        /* bytes of the frame on the wire; GSO and GRO: of the whole */
	__u32 data_len;         /* bytes of data */
	__u32 l3_off;           /* in data: IP or ARP header of this layer */
	__u32 payload_off;      /* in data, may be beyond its end: payload of TCP, UDP, ICMP */
	__u32 payload_len;      /* on the wire, behind payload_off */
	__u32 seq;              /* TCP: sequence number of the first payload byte */
	__u32 number;           /* pk_flow_dir.looked_at, this one included */
	__u8 why;               /* PK_SAMPLE_* */
	__u8 app;               /* enum pk_app */
	__u8 dir;               /* end of the key that sent it */
	__u8 initiator;         /* end that opened the flow */
	__u8 where;             /* PK_AT_* */
	__u8 tcp_flags;
	__u8 raw;  /* 1: data begins with the IP header, there is no Ethernet header */
	__u8 frag; /* 1: first fragment of its datagram */
		   /* data follows */
};
PK_ASSERT(sizeof(struct pk_sample) == 136, "wire");

/* Counters are totals since the flow began, never deltas: a report may be lost or seen twice. */
struct pk_flow_report {
	struct pk_hdr hdr;
	__u32 why;   /* enum pk_report_why */
	__u32 final; /* 1: the kernel forgot this flow */
	struct pk_flow flow;
};
PK_ASSERT(sizeof(struct pk_flow_report) == 416, "wire");

#endif
