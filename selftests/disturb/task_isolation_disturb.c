// SPDX-License-Identifier: GPL-2.0
/*
 * Purpose: disturb one CPU in one known way, for the selftests.
 *
 * Writing "KIND CPU" to /sys/kernel/debug/task_isolation_disturb does it once:
 *   ipi     cross call, waited for        nmi     NMI, handled silently
 *   work    work item on that CPU         timer   timer on that CPU, due in 10 ms
 *   kick    reschedule interrupt alone    tick    tick dependency, until untick
 *   ipi-with-tick   cross call, and work for the task there such as a tick gives it
 *   irq-work   irq_work on that CPU      resched  what RCU does to a CPU that is long busy
 *   rearm  timer of that CPU that may run anywhere, and is armed anew as it runs, until
 *          unrearm; reading counts how often another CPU ran it
 *   rearm-beside-tick  the same, and the CPU's tick comes and goes while it runs elsewhere
 *   alarm   hrtimer on that CPU, armed by a cross call; waited for
 *   tick-after-call   the same, on the way out of the next prctl() there that succeeds
 *   signal-after-call   SIGUSR2 for its caller, likewise
 *   callback  a hotplug state comes and goes: the hotplug thread of every CPU runs for it
 *   order   what only orders memory       readers  a grace period of RCU Tasks Trace
 *   churn   kernel addresses freed, until they are flushed
 *   unalias what precedes a change of page attributes: freed addresses flushed now;
 *   patch   kernel text patched to and fro: a static key
 *           these six concern every CPU, whatever number is given
 *   task-resume, task-signal   task work for the task of that number, by either way to tell it
 * Reading gives the number of work items, task works and callbacks that have run.
 *
 * Context: called on a housekeeping CPU. Never part of an installation.
 */
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/jump_label.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/rcupdate_trace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/task_work.h>
#include <linux/tick.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <asm/syscall.h>
#ifdef CONFIG_X86
#include <asm/apic.h>
#include <asm/nmi.h>
#endif

static struct dentry *file;
static atomic_long_t works;
static atomic_t nmis_wanted;
static struct timer_list timer;

static void run_work(struct work_struct *work)
{
	atomic_long_inc(&works);
}
static DECLARE_WORK(work, run_work);

static void run_timer(struct timer_list *unused)
{
}

/* ---- a timer that stays where it runs ---- */

static struct timer_list rearmed;
static bool beside_tick;

/* Armed while it runs it stays on its base, whichever CPU runs it. */
static void run_rearmed(struct timer_list *unused)
{
	int cpu = rearmed.flags & TIMER_CPUMASK;

	if (raw_smp_processor_id() != cpu) {
		atomic_long_inc(&works);
		if (READ_ONCE(beside_tick)) {
			tick_nohz_dep_set_cpu(cpu, TICK_DEP_BIT_POSIX_TIMER);
			mdelay(20);
			tick_nohz_dep_clear_cpu(cpu, TICK_DEP_BIT_POSIX_TIMER);
			mdelay(50);
		}
	}
	mod_timer(&rearmed, jiffies + 2);
}

static void arm_rearmed(void *unused)
{
	mod_timer(&rearmed, jiffies + 2);
}

/* ---- kernel text ---- */

/* One that nobody else switches. It guards something, or there is no text to patch. */
static DEFINE_STATIC_KEY_FALSE(patched);

static void run_call(void *unused)
{
	if (static_branch_unlikely(&patched))
		cpu_relax();
}

/* Under the hotplug lock, as all disturbances here. */
static void patch(void)
{
	static_branch_enable_cpuslocked(&patched);
	static_branch_disable_cpuslocked(&patched);
}

/* ---- a timer that is due at once ---- */

/* Late enough that the CPU is back in user space from being told. */
#define ALARM_US	1000

static struct hrtimer alarm;
static DEFINE_MUTEX(alarm_mutex);

static enum hrtimer_restart run_alarm(struct hrtimer *unused)
{
	return HRTIMER_NORESTART;
}

static void set_alarm(void *unused)
{
	hrtimer_start(&alarm, ns_to_ktime(ALARM_US * NSEC_PER_USEC), HRTIMER_MODE_REL_PINNED_HARD);
}

static int do_alarm(int cpu)
{
	int error;

	guard(mutex)(&alarm_mutex);
	error = smp_call_function_single(cpu, set_alarm, NULL, 1);
	while (!error && hrtimer_active(&alarm))
		fsleep(ALARM_US / 2);
	return error;
}

#ifdef CONFIG_X86
static int take_nmi(unsigned int type, struct pt_regs *regs)
{
	return atomic_add_unless(&nmis_wanted, -1, 0) ? NMI_HANDLED : NMI_DONE;
}

static int send_nmi(int cpu)
{
	atomic_inc(&nmis_wanted);
	apic->send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
	return 0;
}

#else
static int send_nmi(int cpu)
{
	return -EOPNOTSUPP;
}
#endif

/* Whoever runs there looks up, and finds nothing: no task is woken, no flag is set. */
static int send_reschedule(int cpu)
{
	struct task_struct *process, *task;

	guard(rcu)();
	for_each_process_thread(process, task) {
		if (READ_ONCE(task->on_cpu) && task_cpu(task) == cpu) {
			kick_process(task);
			return 0;
		}
	}
	return 0;
}

static void run_irq_work(struct irq_work *unused)
{
}
static struct irq_work irq_work = IRQ_WORK_INIT_HARD(run_irq_work);

static bool (*queue_on)(struct irq_work *work, int cpu);
static void (*reschedule)(int cpu);

/* Not exported: a probe that is never armed finds it. It takes the hotplug lock. */
static void *find(const char *function)
{
	struct kprobe probe = { .symbol_name = function, .flags = KPROBE_FLAG_DISABLED };

	if (register_kprobe(&probe))
		return NULL;
	unregister_kprobe(&probe);
	return probe.addr;
}

static int send_irq_work(int cpu)
{
	irq_work_sync(&irq_work);
	return queue_on(&irq_work, cpu) ? 0 : -EBUSY;
}

/* ---- between a call and its way out to user space ---- */

static atomic_t after_call_cpu = ATOMIC_INIT(-1);
static bool signal_after_call;	/* a signal instead of the tick */

/*
 * Interrupts off, the thread flags not read yet, on every way out of a nohz_full CPU.
 * Not the bit of perf events: that one every tick clears. A call that is started again has its
 * number where the result would be, and has not succeeded.
 */
static int on_way_out(struct kprobe *probe, struct pt_regs *unused)
{
	struct pt_regs *regs = task_pt_regs(current);
	int cpu = raw_smp_processor_id();

	if (atomic_read(&after_call_cpu) == cpu &&
	    syscall_get_nr(current, regs) == __NR_prctl &&
	    !syscall_get_return_value(current, regs) &&
	    atomic_cmpxchg(&after_call_cpu, cpu, -1) == cpu) {
		if (READ_ONCE(signal_after_call))
			send_sig(SIGUSR2, current, 1);
		else
			tick_nohz_dep_set_cpu(cpu, TICK_DEP_BIT_POSIX_TIMER);
	}
	return 0;
}

static struct kprobe call_probe = {
	.symbol_name	= "rcu_nocb_flush_deferred_wakeup",
	.pre_handler	= on_way_out,
};
static bool call_probed;	/* once, and until the module goes */
static DEFINE_MUTEX(call_probe_mutex);

/* Takes the hotplug lock itself: not under it. */
static int do_after_call(int cpu, bool signal)
{
	int error = 0;

	guard(mutex)(&call_probe_mutex);
	if (!call_probed)
		error = register_kprobe(&call_probe);
	if (error)
		return error;
	call_probed = true;
	WRITE_ONCE(signal_after_call, signal);
	atomic_set(&after_call_cpu, cpu);
	return 0;
}

/* One page at addresses enough that their purge is due, which comes in the background. */
static int churn(void)
{
	enum { AREA_PAGES = 4096, AREAS = 16 };
	struct page *page = alloc_page(GFP_KERNEL), **pages;
	int i, error = -ENOMEM;
	void *area;

	pages = kvmalloc_array(AREA_PAGES, sizeof(*pages), GFP_KERNEL);
	if (!page || !pages)
		goto out;
	for (i = 0; i < AREA_PAGES; i++)
		pages[i] = page;
	for (i = 0; i < AREAS; i++) {
		area = vmap(pages, AREA_PAGES, VM_MAP, PAGE_KERNEL);
		if (!area)
			goto out;
		vunmap(area);
	}
	error = 0;
out:
	kvfree(pages);
	if (page)
		__free_page(page);
	return error;
}

/* ---- task work ---- */

/* As task_tick_mm_cid() does it, when it is due. */
static void run_call_and_tick(void *unused)
{
#ifdef CONFIG_SCHED_MM_CID
	struct callback_head *work = &current->cid_work;

	if (current->mm && work->next == work)
		task_work_add(current, work, TWA_RESUME);
#endif
}

static void run_task_work(struct callback_head *head)
{
	kfree(head);
	atomic_long_inc(&works);
}

static int give_task_work(pid_t nr, enum task_work_notify_mode how)
{
	struct callback_head *head = kmalloc(sizeof(*head), GFP_KERNEL);
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	int error = -ESRCH;

	if (!head) {
		error = -ENOMEM;
	} else if (task) {
		init_task_work(head, run_task_work);
		error = task_work_add(task, head, how);
	}
	if (task)
		put_task_struct(task);
	put_pid(pid);
	if (error)
		kfree(head);
	return error;
}

static int run_callback(unsigned int cpu)
{
	atomic_long_inc(&works);
	return 0;
}

/* Takes the hotplug lock itself: not under it. */
static int do_callback(void)
{
	int state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "task_isolation_disturb", run_callback,
				      NULL);

	if (state < 0)
		return state;
	cpuhp_remove_state(state);
	return 0;
}

static int disturb(const char *kind, int cpu)
{
	if (!strcmp(kind, "churn"))
		return churn();
	if (!strcmp(kind, "unalias")) {
		vm_unmap_aliases();
		return 0;
	}
	if (!strcmp(kind, "ipi"))
		return smp_call_function_single(cpu, run_call, NULL, 1);
	if (!strcmp(kind, "ipi-with-tick"))
		return smp_call_function_single(cpu, run_call_and_tick, NULL, 1);
	if (!strcmp(kind, "nmi"))
		return send_nmi(cpu);
	if (!strcmp(kind, "kick"))
		return send_reschedule(cpu);
	if (!strcmp(kind, "irq-work"))
		return send_irq_work(cpu);
	if (!strcmp(kind, "resched")) {
		reschedule(cpu);
		return 0;
	}
	if (!strcmp(kind, "rearm") || !strcmp(kind, "rearm-beside-tick")) {
		WRITE_ONCE(beside_tick, kind[5]);
		return smp_call_function_single(cpu, arm_rearmed, NULL, 1);
	}
	if (!strcmp(kind, "unrearm")) {
		timer_delete_sync(&rearmed);
		return 0;
	}
	if (!strcmp(kind, "order")) {
		kick_all_cpus_sync();
		return 0;
	}
	if (!strcmp(kind, "patch")) {
		patch();
		return 0;
	}
	if (!strcmp(kind, "alarm"))
		return do_alarm(cpu);
	if (!strcmp(kind, "work"))
		return queue_work_on(cpu, system_wq, &work) ? 0 : -EBUSY;
	if (!strcmp(kind, "timer")) {
		timer_delete_sync(&timer);
		timer.expires = jiffies + msecs_to_jiffies(10);
		add_timer_on(&timer, cpu);
		return 0;
	}
	if (!strcmp(kind, "tick")) {
		tick_nohz_dep_set_cpu(cpu, TICK_DEP_BIT_PERF_EVENTS);
		return 0;
	}
	if (!strcmp(kind, "untick")) {
		atomic_set(&after_call_cpu, -1);
		tick_nohz_dep_clear_cpu(cpu, TICK_DEP_BIT_POSIX_TIMER);
		tick_nohz_dep_clear_cpu(cpu, TICK_DEP_BIT_PERF_EVENTS);
		return 0;
	}
	return -EINVAL;
}

static ssize_t write_file(struct file *f, const char __user *from, size_t len, loff_t *pos)
{
	char text[32], kind[20];
	int cpu, error;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, len))
		return -EFAULT;
	text[len] = 0;
	if (sscanf(text, "%19s %d", kind, &cpu) != 2)
		return -EINVAL;
	if (!strcmp(kind, "tick-after-call") || !strcmp(kind, "signal-after-call")) {
		error = do_after_call(cpu, kind[0] == 's');
		return error ? error : len;
	}
	if (!strcmp(kind, "task-resume") || !strcmp(kind, "task-signal")) {
		error = give_task_work(cpu, kind[5] == 'r' ? TWA_RESUME : TWA_SIGNAL);
		return error ? error : len;
	}
	if (!strcmp(kind, "callback")) {
		error = do_callback();
		return error ? error : len;
	}
	if (!strcmp(kind, "readers")) {
		synchronize_rcu_tasks_trace();
		return len;
	}
	cpus_read_lock();
	error = cpu >= 0 && cpu < nr_cpu_ids && cpu_online(cpu) ? disturb(kind, cpu) : -ENODEV;
	cpus_read_unlock();
	return error ? error : len;
}

static ssize_t read_file(struct file *f, char __user *to, size_t len, loff_t *pos)
{
	char text[24];

	return simple_read_from_buffer(to, len, pos, text,
				       scnprintf(text, sizeof(text), "%ld\n", atomic_long_read(&works)));
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.read = read_file,
	.write = write_file,
};

static int __init disturb_init(void)
{
	int error = 0;

	queue_on = find("irq_work_queue_on");
	reschedule = find("resched_cpu");
	if (!queue_on || !reschedule)
		return -ENOENT;
	timer_setup(&timer, run_timer, TIMER_PINNED);
	timer_setup(&rearmed, run_rearmed, 0);
	hrtimer_init(&alarm, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	alarm.function = run_alarm;
#ifdef CONFIG_X86
	error = register_nmi_handler(NMI_LOCAL, take_nmi, 0, "task_isolation_disturb");
	if (error)
		return error;
#endif
	file = debugfs_create_file("task_isolation_disturb", 0600, NULL, NULL, &operations);
	return error;
}

static void __exit disturb_exit(void)
{
	debugfs_remove(file);
	if (call_probed)
		unregister_kprobe(&call_probe);
#ifdef CONFIG_X86
	unregister_nmi_handler(NMI_LOCAL, "task_isolation_disturb");
#endif
	timer_delete_sync(&timer);
	timer_shutdown_sync(&rearmed);
	hrtimer_cancel(&alarm);
	flush_work(&work);
	irq_work_sync(&irq_work);
}

module_init(disturb_init);
module_exit(disturb_exit);
MODULE_DESCRIPTION("Disturbances for the task isolation selftests");
MODULE_LICENSE("GPL");
