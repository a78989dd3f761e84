/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The shell: gathers facts from the kernel, asks the policy, and does what the
 * verdict says. It decides nothing.
 *
 * Context: callbacks of the hooks come from task context with interrupts on
 * and may sleep; see struct task_isolation_ops.
 *
 * Locks, outer to inner: list_mutex (the list and who is on it), owners_lock
 * (which task owns which CPU). The policy is called under RCU only.
 */
#ifndef TASK_ISOLATION_SHELL_H
#define TASK_ISOLATION_SHELL_H

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "policy.h"

struct file;

#define LAST_LOSS_LEN	(TASK_COMM_LEN * 4 + 16 + TASK_ISOLATION_TEXT_LEN)

/**
 * struct reported - a report and what is asked before it is shown to somebody
 * @report: as the initial namespaces and the kernel see it
 * @cause: what its text is made of
 * @note: who sent it; all 0 when nobody is known to have
 * @uid: whose task was interrupted
 * @started: when that task started, by which it is told from another with its pid
 * @judged: when it was judged, CLOCK_BOOTTIME: who started later has no part in it
 */
struct reported {
	struct task_isolation_report report;
	struct policy_cause cause;
	struct task_isolation_note note;
	kuid_t uid;
	u64 started;
	u64 judged;
};

/**
 * struct last_loss - why the last stay ended
 * @cause: what the task may know of it
 * @text: the same in words
 * @note: who sent it; all 0 when nobody is known to have
 * @time_ns: when, CLOCK_MONOTONIC
 */
struct last_loss {
	struct policy_cause cause;
	char text[TASK_ISOLATION_TEXT_LEN];
	struct task_isolation_note note;
	u64 time_ns;
};

/**
 * struct owner - what the shell keeps for a task that entered at least once
 * @isolation: what the hooks see; must be first, the core frees it
 * @cookie: which load of this module made the record
 * @task: whom it belongs to
 * @flags: as PR_GET_TASK_ISOLATION returns; 0 when no owner
 * @mode: enum policy_mode
 * @signal: what a loss sends, 0 none
 * @nowait: refuse instead of waiting
 * @lost: the last stay ended with a loss
 * @again: it was an owner when this entering began, which has not ended yet
 * @before: what it goes back to when entering fails
 * @kept: of the stays before, the CPU's last owner's too, until user space is reached
 * @asked_cpus: which CPUs sched_setaffinity() had asked for, see delivery_asked_cpus()
 * @wait_start: when this wait for quiet began
 * @restarted: when the call was made to start again for task work, 0 if not
 * @restart_start: what @wait_start was then
 * @quiesced: what has been tried in it
 * @hurried: when RCU callbacks that a refused entry did not wait for were hurried
 * @admit: facts of the last entry, for the text of a refusal
 * @refusal_errno: @refusal_unmet: @refusal: why the last entry was refused
 * @unknown: interruptions of this stay whose cause is unknown
 * @last: why the last stay ended
 *
 * Only the task itself writes, under owners_lock where others read.
 */
struct owner {
	struct task_isolation isolation;
	u64 cookie;
	struct task_struct *task;
	u32 flags;
	u32 mode;
	u32 signal;
	bool nowait;
	bool lost;
	bool again;
	struct {
		u32 flags;
		u32 mode;
		u32 signal;
		u32 need;
		bool nowait;
		int cpu;
	} before;
	struct {
		bool lost;
		struct last_loss last;
		u64 counters[5];
		bool cpu_lost;
		char cpu_loss[LAST_LOSS_LEN];
	} kept;
	u32 asked_cpus;
	u64 wait_start;
	u64 restarted;
	u64 restart_start;
	u32 quiesced;
	u64 hurried;
	struct policy_admit_facts admit;
	u32 refusal_errno;
	u32 refusal_unmet;
	char refusal[TASK_ISOLATION_TEXT_LEN];
	u64 unknown;
	struct last_loss last;
};

/* What is kept of a CPU's last owner; under owners_lock. */
struct cpu_record {
	struct owner *owner;
	u64 own, foreign, absorbed, late, unknown;
	bool lost;
	char last_loss[LAST_LOSS_LEN];
};

extern struct mutex list_mutex;
extern spinlock_t owners_lock;
extern struct cpumask listed;		/* written under both locks */
DECLARE_PER_CPU(struct cpu_record, cpu_records);
extern bool released;

/* owner.c: who owns what */
void owner_init(void);
struct owner *current_owner(void);
long owner_prctl(int option, unsigned long arg2, unsigned long arg3,
		 unsigned long arg4, unsigned long arg5, struct task_isolation_reply *reply);
void owner_leave(struct owner *owner, const struct policy_cause *loss);
bool owner_forget(struct owner *owner);
void owner_mask(struct policy_cause *cause, const struct file *file, u64 since);
void owner_back(struct owner *owner);
void owner_refuse(struct owner *owner, int error, u32 refusal, u32 unmet,
		  const struct policy_cause *in_the_way);
void owner_ask_for_calls(void);
u32 owner_state(const struct owner *owner);
void owner_counters(const struct owner *owner, u64 counters[5]);

/* interruption.c: what happened to an owner */
bool interruption_syscall(struct task_isolation *isolation, struct pt_regs *regs, long nr);
void interruption_pending(struct task_isolation *isolation, struct pt_regs *regs,
			  unsigned long ti_work);
bool interruption_entry(struct task_isolation *isolation, struct pt_regs *regs, int signal);
void interruption_exec(struct task_isolation *isolation, bool privileged);
void interruption_exit(struct task_isolation *isolation, long code);
bool interruption_judge(struct owner *owner, struct policy_event *event,
			const struct task_isolation_note *note);
void interruption_ask(const struct owner *owner, struct policy_event *event,
		      struct policy_verdict *verdict);
bool interruption_own_fault(const struct task_isolation *isolation);
void interruption_count(struct owner *owner, const struct policy_event *event,
			const struct policy_verdict *verdict,
			const struct task_isolation_note *note);
void interruption_text(const struct policy_cause *cause, char text[TASK_ISOLATION_TEXT_LEN]);
void interruption_remember(struct owner *owner, const struct policy_cause *cause,
			   const struct task_isolation_note *note);
void interruption_record(struct owner *owner, const struct policy_cause *cause);

/* delivery.c: what came for the task itself */
u32 delivery_asked_cpus(void);
u32 delivery_displaced(const struct task_isolation *isolation);
bool delivery_find(const struct owner *owner, unsigned long ti_work, struct policy_event *event);
bool delivery_sender(const struct task_isolation *isolation, struct task_isolation_note *note);

/* release.c: the door */
int release_write(bool close);

/* quiet.c: the CPU is not quiet */
int quiet_wait(struct owner *owner);
void quiet_begin(struct owner *owner);
void quiet_restart(struct owner *owner);
void quiet_give_way(int cpu);
void quiet_unmet(struct task_isolation *isolation, struct pt_regs *regs, u32 unmet);

/* list.c: which CPUs */
int list_load(const char *text);
int list_write(const char *text, size_t length);
void list_clear(void);
bool list_out_of_balancing(int cpu);

/* log.c: one line per loss */
void log_begin(void);
void log_line(const char *text, bool debug);
void log_loss(struct task_struct *task, int cpu, const struct policy_cause *cause, u32 log,
	      const struct task_isolation_note *note);
void log_end(void);

/* reports.c: each interruption, for whoever reads */
int reports_prepare(int cpu);
void reports_free(void);
void report_interruption(const struct owner *owner, const struct policy_cause *cause,
			 const struct task_isolation_note *note, u32 flags);
void reports_reader_comes(void);
void reports_reader_goes(void);
u64 reports_head(int cpu);
bool reports_peek(int cpu, u64 *position, u64 *dropped, struct reported *reported);
bool report_mask(struct reported *reported, const struct file *file);
bool report_reader_knows_all(const struct file *file);
kuid_t report_reader_uid(const struct file *file);
void report_sender(const struct task_isolation_note *note, const struct file *file,
		   struct task_isolation_sender *sender);
pid_t report_sender_pid(const struct task_isolation_note *note);
bool report_address_is_users(u32 cause);

/* chardev.c: /dev/task_isolation */
int chardev_add(void);
void chardev_serve(void);
void chardev_remove(void);

/* files.c: sysfs */
extern unsigned int timeout_ms;
extern bool debug;
extern u64 admission;		/* enum policy_allow, the group in the upper half */
int files_add(void);
void files_remove(void);

/* policies.c: which policy serves */
const struct policy_operations *policy_serving(void);
bool policy_pin(void);
void policy_unpin(void);
int policy_choose(const char *name);
size_t policy_name(char *text, size_t size);

#endif /* TASK_ISOLATION_SHELL_H */
