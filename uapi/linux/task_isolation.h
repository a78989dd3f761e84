/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Task isolation: the interface between a program and the kernel.
 *
 * A program bound to one task-isolation CPU calls
 * prctl(PR_SET_TASK_ISOLATION, flags).  The call returns when the CPU is
 * quiet; from then on every entry into the kernel on that CPU is caught,
 * named and told to the program the way the flags chose.
 *
 * Numbers, names and errno values are fixed.  Fields are only ever added at
 * the end of struct task_isolation_info.
 */
#ifndef _UAPI_LINUX_TASK_ISOLATION_H
#define _UAPI_LINUX_TASK_ISOLATION_H

#include <linux/types.h>

/*
 * prctl(PR_SET_TASK_ISOLATION, flags): enter, or leave with flags 0.
 * Only argument 2 is looked at.
 *
 * Returns 0, or -1 with errno: EINVAL flags, affinity or CPU; EPERM not
 * allowed to enter; EBUSY the CPU has another owner; ENOMEM; EAGAIN the CPU
 * cannot become quiet now; EINTR a signal handler ran while waiting.
 */
#define PR_SET_TASK_ISOLATION		48
#define PR_TASK_ISOLATION		PR_SET_TASK_ISOLATION

/* prctl(PR_GET_TASK_ISOLATION): the caller's flags, 0 when not isolated. */
#define PR_GET_TASK_ISOLATION		49

/*
 * prctl(PR_TASK_ISOLATION_INFO, ptr, size, 0, 0): fill
 * struct task_isolation_info; size is what the caller's structure has.
 *
 * Returns 0, or -1 with errno: EFAULT bad pointer; E2BIG size smaller than
 * TASK_ISOLATION_INFO_SIZE_VER0 or larger than a page; EINVAL arguments 4
 * and 5 are not 0.
 */
#define PR_TASK_ISOLATION_INFO		0x54495349

/* Flags of PR_SET_TASK_ISOLATION.  ENABLE alone: strict, loss is SIGKILL. */
#define PR_TASK_ISOLATION_ENABLE	(1U << 0)
/* With SET_SIG(0): persistent.  With a signal: no effect of its own. */
#define PR_TASK_ISOLATION_USERSIG	(1U << 1)
/* The first interruption ends isolation silently. */
#define PR_TASK_ISOLATION_ONESHOT	(1U << 2)
/* Refuse with EAGAIN at the first failed test instead of waiting. */
#define PR_TASK_ISOLATION_NOWAIT	(1U << 3)
/* A loss sends this signal instead of SIGKILL. */
#define PR_TASK_ISOLATION_SET_SIG(sig)	(((sig) & 0x7fU) << 8)
#define PR_TASK_ISOLATION_GET_SIG(bits)	(((bits) >> 8) & 0x7fU)
/* Persistent: interruptions are counted and the CPU made quiet again. */
#define PR_TASK_ISOLATION_NOSIG \
	(PR_TASK_ISOLATION_USERSIG | PR_TASK_ISOLATION_SET_SIG(0))

/* si_code of the signal that reports a loss; si_errno holds the cause. */
#define TASK_ISOLATION_LOSS		0x54

/* task_isolation_info.state and cpuN/task_isolation/state. */
enum task_isolation_state {
	TASK_ISOLATION_OFF		= 0,	/* not isolated */
	TASK_ISOLATION_ENTERING		= 1,	/* the CPU is being made quiet */
	TASK_ISOLATION_ISOLATED		= 2,	/* quiet; any entry is an interruption */
	TASK_ISOLATION_LATE		= 3,	/* did not become quiet in time */
	TASK_ISOLATION_LOST		= 4,	/* a loss ended isolation */
};

/* Why isolation ended, and si_errno of the signal that says so. */
enum task_isolation_cause {
	TASK_ISOLATION_CAUSE_NONE	= 0,
	TASK_ISOLATION_CAUSE_SYSCALL	= 1,	/* detail: number */
	TASK_ISOLATION_CAUSE_PAGE_FAULT	= 2,	/* address: of the access */
	TASK_ISOLATION_CAUSE_TRAP	= 3,	/* detail: vector */
	TASK_ISOLATION_CAUSE_TICK	= 4,	/* detail: tick dependency bits */
	TASK_ISOLATION_CAUSE_TIMER	= 5,	/* address: function, or 0 */
	TASK_ISOLATION_CAUSE_IPI	= 6,	/* address: function, or 0 */
	TASK_ISOLATION_CAUSE_RESCHEDULE	= 7,
	TASK_ISOLATION_CAUSE_IRQ_WORK	= 8,	/* address: function, or 0 */
	TASK_ISOLATION_CAUSE_TLB_FLUSH	= 9,
	TASK_ISOLATION_CAUSE_IRQ	= 10,	/* detail: number, or -1 */
	TASK_ISOLATION_CAUSE_WORK	= 11,	/* address: function */
	TASK_ISOLATION_CAUSE_PREEMPTED	= 12,	/* detail: pid of the other task */
	TASK_ISOLATION_CAUSE_NMI	= 13,
	TASK_ISOLATION_CAUSE_MACHINE_CHECK = 14,
	TASK_ISOLATION_CAUSE_SIGNAL	= 15,	/* detail: signal */
	TASK_ISOLATION_CAUSE_STOP	= 16,
	TASK_ISOLATION_CAUSE_PTRACE	= 17,
	TASK_ISOLATION_CAUSE_FREEZER	= 18,
	TASK_ISOLATION_CAUSE_AFFINITY	= 19,
	TASK_ISOLATION_CAUSE_CPUSET	= 20,
	TASK_ISOLATION_CAUSE_HOTPLUG	= 21,
	TASK_ISOLATION_CAUSE_RELEASE	= 22,
	TASK_ISOLATION_CAUSE_UNKNOWN	= 23,	/* detail: vector, address: IP */
	/* The CPU did not become quiet again in time; text names the condition. */
	TASK_ISOLATION_CAUSE_NOT_QUIET	= 24,	/* detail: task_isolation_unmet bits */
};

/*
 * What must hold for a CPU to be quiet; a refusal reports what did not, and
 * the serving policy says which of them it asks for.
 */
#define TASK_ISOLATION_UNMET_WORK	(1U << 0)	/* exit work pending */
#define TASK_ISOLATION_UNMET_CPU	(1U << 1)	/* affinity, CPU or list */
#define TASK_ISOLATION_UNMET_SOFTIRQ	(1U << 2)	/* softirq pending */
#define TASK_ISOLATION_UNMET_TASK	(1U << 3)	/* another runnable task */
#define TASK_ISOLATION_UNMET_TICK	(1U << 4)	/* tick runs */
#define TASK_ISOLATION_UNMET_TIMER	(1U << 5)	/* timer event armed */
#define TASK_ISOLATION_UNMET_BATCH	(1U << 6)	/* LRU, mlock, buffer-head batches */
#define TASK_ISOLATION_UNMET_VMSTAT	(1U << 7)	/* vmstat not folded */
#define TASK_ISOLATION_UNMET_IRQ_WORK	(1U << 8)	/* irq_work queued */
#define TASK_ISOLATION_UNMET_CALL	(1U << 9)	/* call-function work queued */
#define TASK_ISOLATION_UNMET_INTERRUPT	(1U << 10)	/* pending at the controller */
#define TASK_ISOLATION_UNMET_RCU	(1U << 11)	/* RCU callbacks of this CPU */
#define TASK_ISOLATION_UNMET_FAIR_SERVER (1U << 12)	/* fair server runs */

#define TASK_ISOLATION_TEXT_LEN		96
#define TASK_ISOLATION_COMM_LEN		16
#define TASK_ISOLATION_STACK_LEN	16

/**
 * struct task_isolation_sender - who sent an interruption
 * @cpu: where it was sent from, -1 when nobody is known to have sent it
 * @pid: the thread that did, in the reader's pid namespace; it may be gone. 0 for an
 *	interrupt handler, for one that this namespace does not know (any more), and for
 *	one that the reader may not know
 * @tgid: its process, likewise
 * @depth: how many of @stack are filled
 * @comm: its name, "" where @pid is 0 or the reader may not know
 * @stack: return addresses, innermost first; 0 where the reader may not know
 *	kernel addresses
 *
 * Who may know: the sender's own user, and CAP_PERFMON or CAP_SYS_ADMIN. Kernel
 * threads are nobody's secret. Stacks want that capability, and what
 * /proc/sys/kernel/kptr_restrict asks for.
 */
struct task_isolation_sender {
	__s32 cpu;
	__s32 pid;
	__s32 tgid;
	__u32 depth;
	char comm[TASK_ISOLATION_COMM_LEN];
	__u64 stack[TASK_ISOLATION_STACK_LEN];
};

/**
 * struct task_isolation_info - what the kernel knows of the caller
 * @size: bytes the kernel filled
 * @flags: as PR_GET_TASK_ISOLATION returns
 * @state: enum task_isolation_state
 * @cpu: the CPU of this or the last stay, -1 if there was none
 * @own: interruptions caused by the task's own instructions
 * @foreign: interruptions caused by anything else
 * @absorbed: interruptions sent before the task was isolated
 * @late: entries while the state was late
 * @refusal_errno: errno of the last refused entry, 0 if there was none
 * @refusal_unmet: TASK_ISOLATION_UNMET_* bits it saw
 * @loss_cause: enum task_isolation_cause of the last loss
 * @loss_detail: number that belongs to the cause
 * @loss_address: address that belongs to the cause
 * @refusal: text of the last refusal: what is in the way, and the cure
 * @loss: text of the last loss, as in the log
 * @unknown: interruptions of this stay whose cause is unknown
 * @loss_time_ns: when it was lost, CLOCK_MONOTONIC
 * @loss_sender: who sent what it was lost by
 */
struct task_isolation_info {
	__u32 size;
	__u32 flags;
	__u32 state;
	__s32 cpu;
	__u64 own;
	__u64 foreign;
	__u64 absorbed;
	__u64 late;
	__u32 refusal_errno;
	__u32 refusal_unmet;
	__u32 loss_cause;
	__s32 loss_detail;
	__u64 loss_address;
	char refusal[TASK_ISOLATION_TEXT_LEN];
	char loss[TASK_ISOLATION_TEXT_LEN];
	__u64 unknown;
	__u64 loss_time_ns;
	struct task_isolation_sender loss_sender;
};

#define TASK_ISOLATION_INFO_SIZE_VER0	264	/* up to loss */
#define TASK_ISOLATION_INFO_SIZE_VER1	440	/* up to loss_sender */

/* ---- /dev/task_isolation ----------------------------------------------- */

/* task_isolation_report.flags: what it was counted as, and what it did. */
#define TASK_ISOLATION_REPORT_OWN	(1U << 0)
#define TASK_ISOLATION_REPORT_FOREIGN	(1U << 1)
#define TASK_ISOLATION_REPORT_ABSORBED	(1U << 2)
#define TASK_ISOLATION_REPORT_LOSS	(1U << 3)	/* isolation ended */

/**
 * struct task_isolation_report - one interruption, as read() gives it
 * @size: of this structure, which only grows
 * @flags: TASK_ISOLATION_REPORT_*
 * @number: of this CPU's reports, from 0 on; a gap is what was dropped, or not for this reader
 * @dropped: reports of this CPU that this reader was too slow for, since the one before,
 *	whosever they were
 * @time_ns: when it was judged, CLOCK_MONOTONIC
 * @cpu: where
 * @pid: the owner's thread, in the reader's pid namespace, or 0
 * @tgid: its process, likewise
 * @cause: enum task_isolation_cause
 * @detail: number that belongs to the cause
 * @reserved: 0
 * @address: address that belongs to the cause; of a function as @sender.stack
 * @comm: the owner's name
 * @text: the cause in words, as in the log
 * @sender: who sent it
 *
 * System calls of persistent tasks are only counted, unless
 * /sys/kernel/task_isolation/debug is 1. A reader without CAP_PERFMON or
 * CAP_SYS_ADMIN gets reports of its own user's tasks, set-user-ID programs left out.
 */
struct task_isolation_report {
	__u32 size;
	__u32 flags;
	__u64 number;
	__u64 dropped;
	__u64 time_ns;
	__s32 cpu;
	__s32 pid;
	__s32 tgid;
	__u32 cause;
	__s32 detail;
	__u32 reserved;
	__u64 address;
	char comm[TASK_ISOLATION_COMM_LEN];
	char text[TASK_ISOLATION_TEXT_LEN];
	struct task_isolation_sender sender;
};

/*
 * ioctl(fd, TASK_ISOLATION_ONLY_CPU, &cpu): this reader gets reports of one CPU, or of
 * all with -1, as after open().  Returns 0, or -1 with errno: EFAULT bad pointer; EINVAL
 * no such CPU.  With <sys/ioctl.h>.
 */
#define TASK_ISOLATION_ONLY_CPU		_IOW(0xE7, 0x49, __s32)

/* The state is in what is below the number of the stay. */
#define TASK_ISOLATION_STAY_STEP	8ULL

/**
 * struct task_isolation_page - what mmap() shows of a CPU
 * @stay: enum task_isolation_state, plus a number that changes each time that the
 *	owner goes back to user space, times TASK_ISOLATION_STAY_STEP. One load tells:
 *	as long as it does not change, and says isolated, nothing has interrupted and
 *	come back; while an interruption lasts it still says what was before
 * @own: @foreign: @absorbed: @late: @unknown: counters of this stay's owner
 * @size: of this structure, which only grows
 * @cpu: which
 *
 * Read-only, at offset CPU * page size, one page long. The CPU writes it in its
 * stride; a monitor elsewhere does not disturb it. No owner, no names.
 */
struct task_isolation_page {
	__u64 stay;
	__u64 own;
	__u64 foreign;
	__u64 absorbed;
	__u64 late;
	__u64 unknown;
	__u32 size;
	__s32 cpu;
};

#endif /* _UAPI_LINUX_TASK_ISOLATION_H */
