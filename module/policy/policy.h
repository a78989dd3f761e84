/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The border between the shell (C, kernel headers) and a policy (C++, none).
 *
 * Purpose: the shell gathers facts, asks the policy, and carries out what the
 * verdict says; the policy decides.  Everything that crosses is plain data of
 * fixed width, laid out alike on both sides (asserted at the end).
 *
 * Context: every callback is pure. It does not sleep, lock, allocate or keep
 * state, and is called under RCU, from task context with preemption possibly
 * off, by any number of CPUs at once.
 *
 * Invariants: struct policy_operations only ever grows at its end; every
 * callback is optional, and the neutral answer that stands in for a missing
 * one is written beside it. The shell zeroes each verdict before the call.
 */
#ifndef TASK_ISOLATION_POLICY_H
#define TASK_ISOLATION_POLICY_H

#if defined(__KERNEL__) && !defined(__cplusplus)
#include <linux/types.h>
#else
typedef __UINT8_TYPE__ u8;
typedef __UINT32_TYPE__ u32;
typedef __INT32_TYPE__ s32;
typedef __UINT64_TYPE__ u64;
typedef __INT64_TYPE__ s64;
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define POLICY_ABI_VERSION	1
#define POLICY_NAME_LEN		32

struct module;

/* ---- modes and task states ------------------------------------------ */

enum policy_mode {
	POLICY_MODE_STRICT	= 0,	/* loss: SIGKILL */
	POLICY_MODE_SIGNAL	= 1,	/* loss: the chosen signal */
	POLICY_MODE_PERSISTENT	= 2,	/* interruptions are counted */
	POLICY_MODE_ONESHOT	= 3,	/* the first interruption ends it silently */
	POLICY_MODES		= 4,
};

/* Task states are enum task_isolation_state of the uapi header. */

/* ---- prctl dispatch -------------------------------------------------- */

enum policy_call {
	POLICY_CALL_NOT_OURS	= 0,	/* the kernel answers EINVAL */
	POLICY_CALL_RETURN	= 1,	/* result: value or -errno */
	POLICY_CALL_ENTER	= 2,	/* flags are good: mode, signal, nowait */
	POLICY_CALL_LEAVE	= 3,
	POLICY_CALL_INFO	= 4,	/* copy info to arg2, arg3 bytes */
};

struct policy_call_facts {
	u32 option;		/* argument 1 of prctl */
	u32 state;		/* of the caller */
	u64 arg2;
	u64 arg3;
	u64 arg4;
	u64 arg5;
	u64 flags;		/* the caller's flags, 0 when off */
};

struct policy_call_verdict {
	u32 call;		/* enum policy_call */
	u32 mode;		/* ENTER: enum policy_mode */
	u32 signal;		/* ENTER: what a loss sends, 0 none */
	u32 nowait;		/* ENTER: 1 = refuse instead of waiting */
	s64 result;		/* RETURN */
};

/* ---- may the caller enter (2.7, everything before the wait) ---------- */

struct policy_admit_facts {
	u32 mode;		/* enum policy_mode */
	u32 allow;		/* enum policy_allow: the administrator's word */
	u32 privileged;		/* CAP_SYS_NICE in the initial namespace */
	u32 in_group;		/* in the group of allow gid=N */
	u32 switched_off;	/* booted with notaskisolation */
	u32 released;		/* release holds the door closed */
	u32 affinity;		/* CPUs the caller may run on */
	s32 cpu;		/* the one, when affinity is 1 */
	u32 listed;		/* cpu is a task-isolation CPU */
	u32 nohz_full;		/* cpu is nohz_full and nohz_full runs */
	u32 out_of_balancing;	/* cpu is domain isolated */
	u32 clock_stable;	/* sched_clock does not hold the tick */
	u32 deadline;		/* caller is SCHED_DEADLINE */
	u32 other_owner;	/* cpu is owned by another task */
	s32 other_owner_pid;	/* 0: not to be told to the caller */
	u32 allocated;		/* the shell has the memory for an owner */
	u32 traced;		/* caller is being traced */
	u32 tick_dependency;	/* TICK_DEP_MASK_* that hold the tick for good */
};

enum policy_allow {
	POLICY_ALLOW_PRIVILEGED	= 0,
	POLICY_ALLOW_GROUP	= 1,
	POLICY_ALLOW_ANY	= 2,
};

enum policy_refusal {
	POLICY_REFUSAL_NONE		= 0,
	POLICY_REFUSAL_SWITCHED_OFF	= 1,
	POLICY_REFUSAL_RELEASED		= 2,
	POLICY_REFUSAL_NOT_ALLOWED	= 3,
	POLICY_REFUSAL_AFFINITY		= 4,
	POLICY_REFUSAL_NOT_LISTED	= 5,
	POLICY_REFUSAL_NOT_NOHZ_FULL	= 6,
	POLICY_REFUSAL_BALANCED		= 7,
	POLICY_REFUSAL_CLOCK		= 8,
	POLICY_REFUSAL_DEADLINE		= 9,
	POLICY_REFUSAL_OWNED		= 10,
	POLICY_REFUSAL_MEMORY		= 11,
	POLICY_REFUSAL_TRACED		= 12,
	POLICY_REFUSAL_TICK		= 13,	/* a dependency that stays */
	POLICY_REFUSAL_TASK		= 14,	/* another runnable task */
	POLICY_REFUSAL_TIMER		= 15,	/* a timer due too late to wait for */
	POLICY_REFUSAL_TIMEOUT		= 16,	/* not quiet within the limit */
	POLICY_REFUSAL_SIGNAL		= 17,	/* a handler runs (EINTR) */
	POLICY_REFUSAL_NEVER		= 18,	/* this policy never says ready */
	POLICY_REFUSAL_FLAGS		= 19,	/* in_the_way->address: the flags */
};

struct policy_admit_verdict {
	s32 error;		/* 0 or -errno */
	u32 refusal;		/* enum policy_refusal, NONE when error is 0 */
	/* What the core carries with the owner while it is isolated: */
	u32 need;		/* TASK_ISOLATION_UNMET_* that must not hold */
	u32 count_syscalls;	/* 1: the core counts and executes system calls
				 * itself, without asking judge() */
};

/* ---- the CPU is not quiet: what now (5.1 to 5.4, 3.8, 3.12) ---------- */

enum policy_phase {
	POLICY_PHASE_CALL	= 0,	/* inside prctl */
	POLICY_PHASE_EXIT	= 1,	/* on the way to user space */
};

struct policy_quiet_facts {
	u32 unmet;		/* TASK_ISOLATION_UNMET_* that hold now */
	u32 need;		/* what admit() asked for */
	u32 mode;		/* enum policy_mode */
	u32 state;		/* enum task_isolation_state */
	u32 phase;		/* enum policy_phase */
	u32 nowait;
	u32 may_wait;		/* 0: after a foreign entry, never wait (3.3) */
	u32 tick_dependency;	/* TICK_DEP_MASK_* that hold the tick now */
	u32 quiesced;		/* times QUIESCE ran since this wait began */
	u32 traced;		/* caller is being traced */
	u64 waited_ns;		/* since this wait began */
	u64 limit_ns;		/* timeout_ms; 0 = as NOWAIT */
	u64 timer_ns;		/* until the armed event, ~0 when none */
};

enum policy_quiet {
	POLICY_QUIET_GO		= 0,	/* quiet: (re)try the final test */
	POLICY_QUIET_QUIESCE	= 1,	/* drain, fold, flush, then test again */
	POLICY_QUIET_YIELD	= 2,	/* let other tasks run, then test again */
	POLICY_QUIET_RCU	= 3,	/* sleep until own RCU callbacks are done */
	POLICY_QUIET_TIMER	= 4,	/* sleep until the armed event fired */
	POLICY_QUIET_TICK	= 5,	/* make the tick look again, then test */
	POLICY_QUIET_LATE	= 6,	/* return late (persistent) */
	POLICY_QUIET_OFF	= 7,	/* refuse: error; or silent end (one-shot) */
	POLICY_QUIET_LOSS	= 8,	/* a loss: cause NOT_QUIET, signal */
};

struct policy_quiet_verdict {
	u32 quiet;		/* enum policy_quiet */
	s32 error;		/* OFF while entering: -errno of the call */
	u32 refusal;		/* OFF while entering: enum policy_refusal */
};

/* ---- an interruption (part 3) ---------------------------------------- */

enum policy_event_kind {
	POLICY_EVENT_SYSCALL	= 0,	/* own */
	POLICY_EVENT_FAULT	= 1,	/* own: fault or trap without a signal */
	POLICY_EVENT_INTERFERENCE = 2,	/* foreign */
	POLICY_EVENT_DELIVERY	= 3,	/* signal, ptrace, affinity, ... (3.4) */
	POLICY_EVENT_PASSING	= 4,	/* stop, freezer, livepatch, ... (3.5) */
	POLICY_EVENT_NMI	= 5,	/* with its self-interrupt (3.6) */
	POLICY_EVENT_ABSORBED	= 6,	/* sent before the task was isolated */
	POLICY_EVENT_EXEC	= 7,	/* execve got past the point of no return */
	POLICY_EVENT_EXIT	= 8,	/* the task ends */
	POLICY_EVENTS		= 9,
};

/* The system calls a policy may want to tell apart, native and compat. */
enum policy_syscall {
	POLICY_SYSCALL_OTHER	= 0,
	POLICY_SYSCALL_PRCTL	= 1,	/* argument: its first argument */
	POLICY_SYSCALL_EXIT	= 2,
	POLICY_SYSCALL_EXIT_GROUP = 3,
	POLICY_SYSCALL_RT_SIGRETURN = 4,
	POLICY_SYSCALL_SIGRETURN = 5,
};

struct policy_cause {
	u32 cause;		/* enum task_isolation_cause */
	s32 detail;
	u64 address;
	char name[64];		/* function, interrupt, task; "" if not known */
};

struct policy_event {
	u32 kind;		/* enum policy_event_kind */
	u32 mode;		/* enum policy_mode */
	u32 state;		/* enum task_isolation_state, before the event */
	u32 signal;		/* what a loss sends in POLICY_MODE_SIGNAL */
	u32 syscall;		/* SYSCALL: enum policy_syscall */
	u32 privileged_exec;	/* EXEC: set-user-ID or file capabilities */
	u32 counted;		/* 1: it came with an entry that was counted */
	u32 own;		/* DELIVERY: 1 = the entry was the task's own fault */
	u64 argument;		/* SYSCALL: first argument */
	struct policy_cause cause;
};

/* What a verdict adds to; a policy sets at most one. */
enum policy_count {
	POLICY_COUNT_NONE	= 0,
	POLICY_COUNT_OWN	= 1,
	POLICY_COUNT_FOREIGN	= 2,
	POLICY_COUNT_ABSORBED	= 3,
};

struct policy_verdict {
	u32 execute;		/* SYSCALL: 1 = let it run */
	u32 state;		/* enum task_isolation_state, after the event */
	u32 count;		/* enum policy_count */
	u32 record;		/* 1: this is the last loss now */
	u32 signal;		/* send this, 0 none, 9 SIGKILL */
	u32 log;		/* 1: "mode lost due to", 2: "interrupted by" (debug) */
	u32 may_wait;		/* quiescing again may wait up to timeout_ms */
};

/* ---- texts ------------------------------------------------------------ */

struct policy_task {
	s32 pid;
	u32 reserved;
	char comm[16];		/* as the task set it; not escaped */
};

/* ---- the table -------------------------------------------------------- */

/**
 * struct policy_operations - what a policy module registers
 * @abi_version: POLICY_ABI_VERSION; another value is refused
 * @size: sizeof(struct policy_operations) when the policy was built
 * @owner: THIS_MODULE of the policy; the shell pins it while it serves
 * @name: what the file "policy" shows and takes
 * @prctl: dispatch of a prctl option. Neutral: POLICY_CALL_NOT_OURS
 * @admit: may the caller enter. Neutral: refuse with EINVAL
 * @quiet: the CPU is not quiet. Neutral: OFF with EAGAIN
 * @judge: an interruption. Neutral: count it, stay isolated
 * @cause_text: 6.10. Returns the length written, NUL excluded. Neutral: ""
 * @loss_line: 6.9 log line without newline, for log 1 or 2. Neutral: ""
 * @refusal_text: 2.9 what is in the way and the cure. Neutral: ""
 * @state_text: one word for a task state. Neutral: ""
 * @parse_cpulist: text of len bytes into a bitmap of nbits bits (long words);
 *	0 or -errno as bitmap_parselist() answers. Neutral: -EINVAL
 * @format_cpulist: cpulist form of a bitmap. Neutral: ""
 * @parse_number: text of len bytes into a number of at most max; 0 or -errno
 *	as kstrtouint() answers, -EINVAL above max. Neutral: -EINVAL
 * @parse_allow: text of len bytes into enum policy_allow and the group that
 *	belongs to it; 0 or -errno. Neutral: -EINVAL
 * @allow_text: the text that parse_allow() reads. Neutral: ""
 *
 * All text callbacks write at most size bytes including the NUL.
 */
struct policy_operations {
	u32 abi_version;
	u32 size;
	struct module *owner;
	const char *name;

	void (*prctl)(const struct policy_call_facts *facts,
		      struct policy_call_verdict *verdict);
	void (*admit)(const struct policy_admit_facts *facts,
		      struct policy_admit_verdict *verdict);
	void (*quiet)(const struct policy_quiet_facts *facts,
		      struct policy_quiet_verdict *verdict);
	void (*judge)(const struct policy_event *event,
		      struct policy_verdict *verdict);

	u32 (*cause_text)(const struct policy_cause *cause, char *text, u32 size);
	u32 (*loss_line)(const struct policy_task *task, const struct policy_cause *cause,
			 u32 log, char *text, u32 size);
	u32 (*refusal_text)(const struct policy_admit_facts *facts, u32 refusal, u32 unmet,
			    const struct policy_cause *in_the_way, char *text, u32 size);
	u32 (*state_text)(u32 state, char *text, u32 size);
	s32 (*parse_cpulist)(const char *text, u32 len, unsigned long *bits, u32 nbits);
	u32 (*format_cpulist)(const unsigned long *bits, u32 nbits, char *text, u32 size);
	s32 (*parse_number)(const char *text, u32 len, u32 max, u32 *value);
	s32 (*parse_allow)(const char *text, u32 len, u32 *allow, u32 *group);
	u32 (*allow_text)(u32 allow, u32 group, char *text, u32 size);
};

/* Exported by the shell. Context: module init and exit, may sleep. */
int task_isolation_register_policy(const struct policy_operations *policy);
void task_isolation_unregister_policy(const struct policy_operations *policy);

#ifdef __cplusplus
}
#define POLICY_ASSERT static_assert
#else
#define POLICY_ASSERT _Static_assert
#endif

POLICY_ASSERT(sizeof(struct policy_call_facts) == 48, "border layout");
POLICY_ASSERT(sizeof(struct policy_call_verdict) == 24, "border layout");
POLICY_ASSERT(sizeof(struct policy_admit_facts) == 72, "border layout");
POLICY_ASSERT(sizeof(struct policy_admit_verdict) == 16, "border layout");
POLICY_ASSERT(sizeof(struct policy_quiet_facts) == 64, "border layout");
POLICY_ASSERT(sizeof(struct policy_quiet_verdict) == 12, "border layout");
POLICY_ASSERT(sizeof(struct policy_cause) == 80, "border layout");
POLICY_ASSERT(sizeof(struct policy_event) == 120, "border layout");
POLICY_ASSERT(sizeof(struct policy_verdict) == 28, "border layout");

#endif /* TASK_ISOLATION_POLICY_H */
