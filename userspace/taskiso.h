/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What a signal handler can ask about a loss of isolation. C and C++.
 *
 * All of it is async-signal-safe: it reads its arguments and constants, calls nothing,
 * and makes no system call, so it may run in the handler of the chosen signal, also
 * when that is isolated again.
 */
#ifndef TASKISO_H
#define TASKISO_H

#include <signal.h>
#include <stddef.h>

#include <linux/task_isolation.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * taskiso_is_loss - did the kernel send this signal for a loss of isolation?
 * @info: the handler's second argument, or what sigwaitinfo() gave
 *
 * No other process can forge it: it cannot send a positive code.
 */
static inline int taskiso_is_loss(const siginfo_t *info)
{
	return info->si_code == TASK_ISOLATION_LOSS;
}

/**
 * taskiso_cause - why isolation was lost
 * @info: of a loss
 *
 * Return: enum task_isolation_cause.
 */
static inline unsigned int taskiso_cause(const siginfo_t *info)
{
	return (unsigned int)info->si_errno;
}

/**
 * taskiso_sender - who caused it
 * @info: of a loss
 *
 * Return: the thread, in this process's pid namespace; 0 when it was no task, is gone, or
 * may not be known to this user.
 */
static inline pid_t taskiso_sender(const siginfo_t *info)
{
	return info->si_pid;
}

/**
 * taskiso_cause_name - a cause in one word
 * @cause: enum task_isolation_cause
 *
 * Return: a constant, never NULL; "unknown" for a number of a newer kernel.
 */
static inline const char *taskiso_cause_name(unsigned int cause)
{
	switch (cause) {
	case TASK_ISOLATION_CAUSE_NONE:		return "none";
	case TASK_ISOLATION_CAUSE_SYSCALL:	return "syscall";
	case TASK_ISOLATION_CAUSE_PAGE_FAULT:	return "page fault";
	case TASK_ISOLATION_CAUSE_TRAP:		return "trap";
	case TASK_ISOLATION_CAUSE_TICK:		return "tick";
	case TASK_ISOLATION_CAUSE_TIMER:	return "timer";
	case TASK_ISOLATION_CAUSE_IPI:		return "ipi";
	case TASK_ISOLATION_CAUSE_RESCHEDULE:	return "reschedule";
	case TASK_ISOLATION_CAUSE_IRQ_WORK:	return "irq_work";
	case TASK_ISOLATION_CAUSE_TLB_FLUSH:	return "tlb flush";
	case TASK_ISOLATION_CAUSE_IRQ:		return "irq";
	case TASK_ISOLATION_CAUSE_WORK:		return "work";
	case TASK_ISOLATION_CAUSE_PREEMPTED:	return "preempted";
	case TASK_ISOLATION_CAUSE_NMI:		return "nmi";
	case TASK_ISOLATION_CAUSE_MACHINE_CHECK: return "machine check";
	case TASK_ISOLATION_CAUSE_SIGNAL:	return "signal";
	case TASK_ISOLATION_CAUSE_STOP:		return "stop";
	case TASK_ISOLATION_CAUSE_PTRACE:	return "ptrace";
	case TASK_ISOLATION_CAUSE_FREEZER:	return "freezer";
	case TASK_ISOLATION_CAUSE_AFFINITY:	return "affinity";
	case TASK_ISOLATION_CAUSE_CPUSET:	return "cpuset";
	case TASK_ISOLATION_CAUSE_HOTPLUG:	return "hotplug";
	case TASK_ISOLATION_CAUSE_RELEASE:	return "release";
	case TASK_ISOLATION_CAUSE_NOT_QUIET:	return "not quiet";
	}
	return "unknown";
}

/**
 * taskiso_still_quiet - has nothing interrupted since?
 * @page: of the own CPU, from mmap() of /dev/task_isolation
 * @stay: what @page->stay was when the program entered
 *
 * One load. Also for a monitor on another CPU, which does not disturb by it.
 */
static inline int taskiso_still_quiet(const struct task_isolation_page *page, __u64 stay)
{
	return *(const volatile __u64 *)&page->stay == stay &&
	       stay % TASK_ISOLATION_STAY_STEP == TASK_ISOLATION_ISOLATED;
}

#ifdef __cplusplus
}
#endif

#endif /* TASKISO_H */
