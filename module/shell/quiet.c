// SPDX-License-Identifier: GPL-2.0
/*
 * Quiescence: the CPU is not quiet, the policy says what to do about it, this
 * does it, and the test is made again.
 *
 * Context: the task itself, interrupts on, inside prctl or its exit loop. It
 * sleeps for what has an end (RCU callbacks, a timer, other tasks), and the
 * limit of each sleep is armed on a housekeeping CPU: nothing is armed here.
 */
#include <linux/kallsyms.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/isolation.h>
#include <linux/sched/rt.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/tick.h>
#include <linux/workqueue.h>
#include <asm/syscall.h>

#include "shell.h"

/* ---- sleeping -------------------------------------------------------------- */

/*
 * What the sleeps of one wait need: one piece of memory for all of them, because
 * freeing some makes RCU callbacks in kernels that check memory, and the wait for
 * their end would never come to one. Whoever is done with it last frees it: an RCU
 * callback that was not waited for to its end may come long after the wait.
 */
struct nap {
	struct delayed_work limit;
	struct rcu_head callback;
	struct completion done;
	bool queued;		/* the callback; set by the sleeper, cleared by it */
	refcount_t users;
};

#define LOOK_UP_NS (10 * NSEC_PER_MSEC)
/* A call that starts again does so at once, or a signal handler ran in between. */
#define RESTART_NS (100 * NSEC_PER_MSEC)

static void nap_put(struct nap *nap)
{
	if (refcount_dec_and_test(&nap->users))
		kfree(nap);
}

static void look_up(struct work_struct *work)
{
	complete(&container_of(to_delayed_work(work), struct nap, limit)->done);
}

static void callbacks_done(struct rcu_head *head)
{
	struct nap *nap = container_of(head, struct nap, callback);

	smp_store_release(&nap->queued, false);
	complete(&nap->done);
	nap_put(nap);
}

static struct nap *make_nap(void)
{
	struct nap *nap = kzalloc(sizeof(*nap), GFP_KERNEL);

	if (!nap)
		return NULL;
	refcount_set(&nap->users, 1);
	init_completion(&nap->done);
	INIT_DELAYED_WORK(&nap->limit, look_up);
	return nap;
}

static void nap_end(struct nap *nap)
{
	if (nap)
		nap_put(nap);
}

/*
 * This CPU's callbacks are run in order, so this one comes last; and it is not lazy,
 * nor are those before it any more.
 */
static void queue_callback(struct nap *nap)
{
	nap->queued = true;
	refcount_inc(&nap->users);
	call_rcu_hurry(&nap->callback, callbacks_done);
}

/*
 * Who does not wait is refused because of callbacks that may be lazy, which is ten
 * seconds. See to it that a later try finds them done; not at each, for this is a
 * callback more.
 */
static void hurry_callbacks(struct owner *owner)
{
	u64 now = ktime_get_ns();
	struct nap *nap;

	if (owner->hurried && now - owner->hurried < NSEC_PER_SEC)
		return;
	nap = make_nap();
	if (!nap)
		return;
	owner->hurried = now;
	queue_callback(nap);
	nap_put(nap);
}

/* Exit work that only the way out can do. Signals and stops wake a sleeper themselves. */
static bool work_waits(void)
{
	return task_work_pending(current) || test_thread_flag(TIF_UPROBE) ||
	       test_thread_flag(TIF_PATCH_PENDING);
}

/*
 * Sleep until @ns from now, or with @callbacks until this CPU's RCU callbacks
 * of now are done; exit work ends it early. Other exit work than signals does
 * not wake a sleeper, who therefore looks up now and then. @of_wait: of the wait
 * that this sleep belongs to, NULL before its first.
 */
static void sleep_for(struct nap **of_wait, u64 ns, bool callbacks)
{
	struct nap *nap = *of_wait ?: make_nap();
	u64 end = ktime_get_ns() + ns;
	/* Any: which is nearest does not matter, and would need preemption off to be asked. */
	int housekeeping = cpumask_any_and(housekeeping_cpumask(HK_TYPE_TICK), cpu_online_mask);

	*of_wait = nap;
	if (!nap) {
		yield();
		return;
	}
	reinit_completion(&nap->done);
	if (callbacks && !smp_load_acquire(&nap->queued))
		queue_callback(nap);
	do {
		u64 now = ktime_get_ns();
		u64 left = end > now ? end - now : 0;

		queue_delayed_work_on(housekeeping, system_wq, &nap->limit,
				      nsecs_to_jiffies(min_t(u64, left, LOOK_UP_NS)) + 1);
		/*
		 * Not freezable: a frozen task must not be in here, where it would
		 * hold the module. The freezer wakes it as a signal does.
		 */
		wait_for_completion_state(&nap->done, TASK_INTERRUPTIBLE);
		if (callbacks && !READ_ONCE(nap->queued))
			break;
	} while (ktime_get_ns() < end && !READ_ONCE(released) && !signal_pending(current) &&
		 !work_waits());
	cancel_delayed_work_sync(&nap->limit);
}

/*
 * The CPU is going offline, and its hotplug thread is an ordinary task: one that
 * leaves isolation here sleeps until it has been moved away, for a second at most.
 */
void quiet_give_way(int cpu)
{
	struct nap *nap = NULL;

	for (int i = 0; i < 100 && raw_smp_processor_id() == cpu; i++) {
		if (!task_isolation_going_down(cpu) || signal_pending(current))
			break;
		sleep_for(&nap, LOOK_UP_NS, false);
	}
	nap_end(nap);
}

/* ---- asking ---------------------------------------------------------------- */

void quiet_begin(struct owner *owner)
{
	owner->wait_start = ktime_get_ns();
	owner->quiesced = 0;
}

/* The call starts again without a handler: its limit goes on. */
void quiet_restart(struct owner *owner)
{
	owner->restarted = ktime_get_ns();
	owner->restart_start = owner->wait_start;
}

/*
 * In the call. The way out of a restart may wait in its turn, for one limit more;
 * what comes later than that is another call.
 */
static void begin_or_go_on(struct owner *owner)
{
	u64 limit_ns = READ_ONCE(timeout_ms) * (u64)NSEC_PER_MSEC;

	quiet_begin(owner);
	if (owner->restarted && owner->wait_start - owner->restarted <= RESTART_NS + limit_ns)
		owner->wait_start = owner->restart_start;
	owner->restarted = 0;
}

/* What keeps the CPU from being quiet, for a refusal or as cause of a loss. */
static void find_in_the_way(u32 unmet, struct policy_cause *cause)
{
	void *function;
	pid_t pid;
	u64 in_ns;

	*cause = (struct policy_cause){
		.cause	= TASK_ISOLATION_CAUSE_NOT_QUIET,
		.detail	= unmet,
	};
	if ((unmet & TASK_ISOLATION_UNMET_TASK) && task_isolation_other_task(&pid, cause->name)) {
		cause->cause = TASK_ISOLATION_CAUSE_PREEMPTED;
		cause->detail = pid;
	} else if (unmet & TASK_ISOLATION_UNMET_TICK) {
		cause->cause = TASK_ISOLATION_CAUSE_TICK;
		cause->detail = task_isolation_tick_dependency();
	} else if ((unmet & TASK_ISOLATION_UNMET_TIMER) &&
		   task_isolation_next_timer(&in_ns, &function)) {
		cause->cause = TASK_ISOLATION_CAUSE_TIMER;
		cause->detail = 0;
		cause->address = (unsigned long)function;
		if (function)
			snprintf(cause->name, sizeof(cause->name), "%ps", function);
	}
}

/* The policy's word on @unmet; EAGAIN where it has none. */
static void ask(struct owner *owner, u32 unmet, u32 phase, bool entering,
		struct policy_quiet_verdict *verdict)
{
	const struct policy_operations *policy;
	struct policy_quiet_facts facts = {
		.unmet		 = unmet,
		.need		 = owner->isolation.need,
		.mode		 = owner->mode,
		.state		 = entering ? TASK_ISOLATION_ENTERING : TASK_ISOLATION_ISOLATED,
		.phase		 = phase,
		.nowait		 = owner->nowait,
		.may_wait	 = entering || owner->isolation.may_wait,
		.tick_dependency = task_isolation_tick_dependency(),
		.quiesced	 = owner->quiesced,
		.traced		 = current->ptrace != 0,
		.waited_ns	 = ktime_get_ns() - owner->wait_start,
		.limit_ns	 = READ_ONCE(timeout_ms) * (u64)NSEC_PER_MSEC,
		.timer_ns	 = U64_MAX,
	};
	void *function;

	task_isolation_next_timer(&facts.timer_ns, &function);
	*verdict = (struct policy_quiet_verdict){
		.quiet	= POLICY_QUIET_OFF,
		.error	= -EAGAIN,
	};
	guard(rcu)();
	policy = policy_serving();
	if (policy && policy->quiet) {
		memset(verdict, 0, sizeof(*verdict));
		policy->quiet(&facts, verdict);
	}
}

/* Do one step of waiting. False: @quiet is not one, but an end. */
static bool step(struct owner *owner, u32 quiet, struct nap **nap)
{
	u64 limit_ns = READ_ONCE(timeout_ms) * (u64)NSEC_PER_MSEC;
	u64 waited_ns = ktime_get_ns() - owner->wait_start;
	u64 left_ns = limit_ns > waited_ns ? limit_ns - waited_ns : 0;
	u64 in_ns = 0;
	void *function;

	owner->quiesced++;
	switch ((enum policy_quiet)quiet) {
	case POLICY_QUIET_GO:
		return true;
	case POLICY_QUIET_QUIESCE:
		task_isolation_quiesce();
		/* Interrupts are on: what was queued for them has run. Softirqs: */
		local_bh_disable();
		local_bh_enable();
		return true;
	case POLICY_QUIET_YIELD:
		/* A real-time task only lets its equals run when it yields. */
		if (rt_task(current) || owner->quiesced > 64)
			sleep_for(nap, TICK_NSEC, false);
		else
			yield();
		return true;
	case POLICY_QUIET_RCU:
		sleep_for(nap, left_ns, true);
		return true;
	case POLICY_QUIET_TIMER:
		/* It may have fired since the policy looked: the next one may be far. */
		task_isolation_next_timer(&in_ns, &function);
		sleep_for(nap, min(in_ns, left_ns), false);
		return true;
	case POLICY_QUIET_TICK:
		/* The tick may be held by what ends with time: do not spin for it. */
		if (owner->quiesced > 8)
			sleep_for(nap, TICK_NSEC, false);
		task_isolation_tick_kick();
		return true;
	case POLICY_QUIET_LATE:
	case POLICY_QUIET_OFF:
	case POLICY_QUIET_LOSS:
		break;
	}
	return false;
}

/* ---- inside prctl ------------------------------------------------------------ */

static int wait_until_quiet(struct owner *owner, struct nap **nap)
{
	struct policy_quiet_verdict verdict;
	struct policy_cause cause;
	u32 unmet;

	begin_or_go_on(owner);
	for (;;) {
		local_irq_disable();
		unmet = task_isolation_test(&owner->isolation);
		local_irq_enable();
		if (task_isolation_rcu_callbacks())
			unmet |= TASK_ISOLATION_UNMET_RCU;
		if (READ_ONCE(released)) {
			owner_refuse(owner, -EPERM, POLICY_REFUSAL_RELEASED, 0, NULL);
			return -EPERM;
		}
		if (!unmet)
			return 0;
		/* A handler makes it EINTR, without one the call starts again. */
		if (signal_pending(current)) {
			owner_refuse(owner, -EINTR, POLICY_REFUSAL_SIGNAL,
				     unmet | TASK_ISOLATION_UNMET_WORK, NULL);
			if (!test_thread_flag(TIF_SIGPENDING))
				quiet_restart(owner);
			return -ERESTARTNOHAND;
		}
		/*
		 * Only the way out can do it; looking for a signal there starts the call
		 * again, unless one came meanwhile and has a handler.
		 */
		if (work_waits()) {
			owner_refuse(owner, -EINTR, POLICY_REFUSAL_SIGNAL,
				     unmet | TASK_ISOLATION_UNMET_WORK, NULL);
			set_thread_flag(TIF_SIGPENDING);
			quiet_restart(owner);
			return -ERESTARTNOHAND;
		}
		ask(owner, unmet, POLICY_PHASE_CALL, true, &verdict);
		if (!step(owner, verdict.quiet, nap))
			break;
		cond_resched();
	}
	if (unmet & TASK_ISOLATION_UNMET_RCU)
		hurry_callbacks(owner);
	find_in_the_way(unmet, &cause);
	if (!verdict.error)
		verdict.error = -EAGAIN;
	owner_refuse(owner, verdict.error, verdict.refusal, unmet, &cause);
	return verdict.error;
}

/*
 * Wait until the CPU is quiet; 0, or -errno with the reason recorded, or to make
 * the call start again.
 */
int quiet_wait(struct owner *owner)
{
	struct nap *nap = NULL;
	int error = wait_until_quiet(owner, &nap);

	nap_end(nap);
	return error;
}

/* ---- on the way to user space -------------------------------------------------- */

/* To user space as it is. Foreign entries that come to a late task are not waited for. */
static void go_late(struct task_isolation *isolation)
{
	isolation->late = true;
	isolation->may_wait = false;
}

/* The final test failed. It is made again after this. */
void quiet_unmet(struct task_isolation *isolation, struct pt_regs *regs, u32 unmet)
{
	struct owner *owner = container_of(isolation, struct owner, isolation);
	bool entering = !isolation->ready;
	struct policy_quiet_verdict verdict;
	struct nap *nap = NULL;
	bool again;
	struct policy_event event = {
		.kind	 = POLICY_EVENT_INTERFERENCE,
		/* The entry whose way out this is was judged before. */
		.counted = 1,
	};

	/* Entering has one limit, for the call and its way out. */
	if (!isolation->retried && entering)
		owner->quiesced = 0;
	else if (!isolation->retried)
		quiet_begin(owner);
	ask(owner, unmet, POLICY_PHASE_EXIT, entering, &verdict);
	again = step(owner, verdict.quiet, &nap);
	nap_end(nap);
	if (again)
		return;

	find_in_the_way(unmet, &event.cause);
	if (entering) {
		/* The call has returned 0 already; its result is still in reach. */
		if (!verdict.error)
			verdict.error = -EAGAIN;
		owner_refuse(owner, verdict.error, verdict.refusal, unmet, &event.cause);
		syscall_set_return_value(current, regs, verdict.error, 0);
		owner_back(owner);
	} else if (verdict.quiet == POLICY_QUIET_LATE) {
		go_late(isolation);
	} else {
		if (unmet & TASK_ISOLATION_UNMET_CPU) {
			event.kind = POLICY_EVENT_DELIVERY;
			event.cause = (struct policy_cause){
				/* None: it left the list, which nobody does to an owner. */
				.cause = delivery_displaced(isolation) ?:
					 TASK_ISOLATION_CAUSE_AFFINITY,
			};
		}
		/* Judged to stay isolated all the same: do not test for ever. */
		if (interruption_judge(owner, &event, NULL)) {
			if (unmet & TASK_ISOLATION_UNMET_CPU)
				owner_leave(owner, NULL);
			else
				go_late(isolation);
		}
	}
}
