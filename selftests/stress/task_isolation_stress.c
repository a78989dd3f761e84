// SPDX-License-Identifier: GPL-2.0
/*
 * Purpose: text that is patched over and over, and that proves on every entry of
 * an isolated CPU that the CPU runs the newest of it.
 *
 * Six subjects: a static key, a static call, a function that ftrace traces, a
 * kprobe on a function's entry (by ftrace), one inside (a breakpoint, then a
 * jump), and a page mapped where another one was before. Who changes one makes
 * its generation odd, patches, writes down what it does from now on, and makes
 * the generation even. Who runs it between two readings of one even generation
 * must see exactly that; anything else is stale: text, or an entry of the TLB.
 * The change is complete before the generation is even, so an entry that was
 * spared its interrupt gets no grace.
 *
 * /dev/task_isolation_stress:
 *   write "patch N"    changes subject N of enum subject once
 *   write "call CPU"   runs the subjects there in an interrupt, waited for
 *   write "nmi CPU"    the same in an NMI
 *   ioctl(0)           the same in the system call
 *   touch of a mapping the same in the fault
 *   read               runs by context, stale ones by subject, changes, in words
 *
 * Context: patching sleeps; running the subjects works anywhere RCU watches.
 * Never part of an installation.
 */
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/jump_label.h>
#include <linux/kprobes.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/objtool.h>
#include <linux/smp.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/apic.h>
#include <asm/nmi.h>

enum subject { KEY, CALL, TRACED, PROBED_ENTRY, PROBED_INSIDE, MAPPED, SUBJECTS };
enum context { SYSCALL, FAULT, INTERRUPT, IN_NMI, CONTEXTS };

static const char *const subject_names[SUBJECTS] = {
	"static_key", "static_call", "ftrace", "kprobe_entry", "kprobe_inside", "mapping",
};

static const char *const context_names[CONTEXTS] = { "syscall", "fault", "interrupt", "nmi" };

/* What the text of a subject does: valid while the generation is even. */
struct promise {
	struct mutex patching;		/* one change at a time */
	unsigned int generation;
	int now;
};

static struct promise promises[SUBJECTS];
static atomic_long_t runs[CONTEXTS];
static atomic_long_t checked[SUBJECTS];	/* between two readings of one even generation */
static atomic_long_t stale[SUBJECTS];
static atomic_long_t changes;
static atomic_long_t remapped;	/* the other page came to the same address */

/* ---- the subjects -------------------------------------------------------- */

static DEFINE_PER_CPU(int [SUBJECTS], hits);
static DEFINE_PER_CPU(int, depth);

static DEFINE_STATIC_KEY_FALSE(key);

static noinline int answer_0(void) { return 0; }
static noinline int answer_1(void) { return 1; }
static noinline int answer_2(void) { return 2; }
static int (*const answers[])(void) = { answer_0, answer_1, answer_2 };
DEFINE_STATIC_CALL(answer, answer_0);

static noinline void traced(void)
{
	barrier();
}

static noinline void probed_at_entry(void)
{
	barrier();
}

/* An instruction of five bytes, so that the breakpoint can become a jump, with more behind it. */
static noinline void probed_inside(void)
{
	asm volatile(ANNOTATE_NOENDBR
		     ".globl task_isolation_stress_inside\n"
		     "task_isolation_stress_inside:\n\t"
		     ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n\t"
		     ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n\t"
		     ::: "memory");
}

extern char task_isolation_stress_inside[];

static void notrace count_trace(unsigned long ip, unsigned long parent, struct ftrace_ops *op,
				struct ftrace_regs *regs)
{
	this_cpu_inc(hits[TRACED]);
}

static struct ftrace_ops tracer = { .func = count_trace };

static int count_entry(struct kprobe *probe, struct pt_regs *regs)
{
	this_cpu_inc(hits[PROBED_ENTRY]);
	return 0;
}

static int count_inside(struct kprobe *probe, struct pt_regs *regs)
{
	this_cpu_inc(hits[PROBED_INSIDE]);
	return 0;
}

static struct kprobe entry_probe = { .pre_handler = count_entry };
static struct kprobe inside_probe = { .pre_handler = count_inside };

/* Two pages, each holding its number, take turns at one address. */
static struct page *pages[2];
static int *mapped;

static int map_other(int now)
{
	enum { AREA_PAGES = 4096, AREAS = 8 };
	int *old = mapped, i;
	struct page **many;
	void *area;

	WRITE_ONCE(mapped, NULL);
	synchronize_rcu();
	vunmap(old);
	/* Freed addresses are flushed and used anew when enough of them have come together. */
	many = kvmalloc_array(AREA_PAGES, sizeof(*many), GFP_KERNEL);
	if (!many)
		return -ENOMEM;
	for (i = 0; i < AREA_PAGES; i++)
		many[i] = pages[now];
	for (i = 0; i < AREAS; i++) {
		area = vmap(many, AREA_PAGES, VM_MAP, PAGE_KERNEL);
		if (!area)
			break;
		vunmap(area);
	}
	kvfree(many);
	msleep(20);
	area = vmap(&pages[now], 1, VM_MAP, PAGE_KERNEL);
	if (!area)
		return -ENOMEM;
	if (area == old)
		atomic_long_inc(&remapped);
	WRITE_ONCE(mapped, area);
	return 0;
}

static int run(enum subject subject)
{
	int before = this_cpu_read(hits[subject]);
	int *page;

	switch (subject) {
	case MAPPED:
		/* Interrupts are off: a reader of RCU. Gone meanwhile: the generation tells. */
		page = READ_ONCE(mapped);
		return page ? READ_ONCE(*page) : -1;
	case KEY:
		return static_branch_unlikely(&key) ? 1 : 0;
	case CALL:
		return static_call(answer)();
	case TRACED:
		traced();
		break;
	case PROBED_ENTRY:
		probed_at_entry();
		break;
	default:
		probed_inside();
	}
	return this_cpu_read(hits[subject]) - before;
}

static void check(enum subject subject)
{
	struct promise *promise = &promises[subject];
	/* pairs with change_ends(): what was promised, and the change, came before */
	unsigned int generation = smp_load_acquire(&promise->generation);
	int wanted = READ_ONCE(promise->now), seen;

	/* No page is mapped between two, or no more after an error. */
	if (subject == MAPPED && !READ_ONCE(mapped))
		return;
	seen = run(subject);

	smp_rmb(); /* pairs with change_begins(): the text was run before the generation moved */
	if ((generation & 1) || READ_ONCE(promise->generation) != generation)
		return;
	atomic_long_inc(&checked[subject]);
	if (seen == wanted)
		return;
	atomic_long_inc(&stale[subject]);
	WARN_ONCE(1, "task_isolation_stress: %s did %d, not %d: stale\n",
		  subject_names[subject], seen, wanted);
}

/*
 * A check may be interrupted by an NMI that checks, too. The hits of a CPU are
 * counted for one at a time, and a kprobe within a kprobe's handler is missed
 * by design: an NMI leaves the probes alone, and ftrace when it came into a check.
 */
static void run_all(enum context context)
{
	unsigned long flags;
	int subject;

	local_irq_save(flags);
	this_cpu_inc(depth);
	atomic_long_inc(&runs[context]);
	for (subject = 0; subject < SUBJECTS; subject++) {
		if (context == IN_NMI && (subject == PROBED_ENTRY || subject == PROBED_INSIDE ||
					  (subject == TRACED && this_cpu_read(depth) > 1)))
			continue;
		check(subject);
	}
	this_cpu_dec(depth);
	local_irq_restore(flags);
}

/* ---- patching ------------------------------------------------------------ */

static void change_begins(struct promise *promise)
{
	WRITE_ONCE(promise->generation, promise->generation + 1);
	smp_wmb(); /* pairs with smp_rmb() in check() */
}

static void change_ends(struct promise *promise, int now)
{
	WRITE_ONCE(promise->now, now);
	/* pairs with check() */
	smp_store_release(&promise->generation, promise->generation + 1);
	atomic_long_inc(&changes);
}

static int change(enum subject subject)
{
	struct promise *promise = &promises[subject];
	int now, error = 0;

	guard(mutex)(&promise->patching);
	now = subject == CALL ? (promise->now + 1) % (int)ARRAY_SIZE(answers) : !promise->now;
	change_begins(promise);
	switch (subject) {
	case KEY:
		if (now)
			static_branch_enable(&key);
		else
			static_branch_disable(&key);
		break;
	case CALL:
		static_call_update(answer, answers[now]);
		break;
	case TRACED:
		error = now ? register_ftrace_function(&tracer) :
			      unregister_ftrace_function(&tracer);
		break;
	case MAPPED:
		error = map_other(now);
		break;
	case PROBED_ENTRY:
		error = now ? enable_kprobe(&entry_probe) : disable_kprobe(&entry_probe);
		break;
	default:
		error = now ? enable_kprobe(&inside_probe) : disable_kprobe(&inside_probe);
	}
	change_ends(promise, error ? promise->now : now);
	return error;
}

/* ---- contexts ------------------------------------------------------------ */

static DEFINE_PER_CPU(atomic_t, nmis_wanted);

static void run_in_interrupt(void *unused)
{
	run_all(INTERRUPT);
}

static int run_in_nmi(unsigned int type, struct pt_regs *regs)
{
	if (!atomic_add_unless(this_cpu_ptr(&nmis_wanted), -1, 0))
		return NMI_DONE;
	run_all(IN_NMI);
	return NMI_HANDLED;
}

static vm_fault_t run_in_fault(struct vm_fault *fault)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	if (!page)
		return VM_FAULT_OOM;
	run_all(FAULT);
	fault->page = page;
	return 0;
}

static const struct vm_operations_struct mapping = { .fault = run_in_fault };

static int map(struct file *file, struct vm_area_struct *area)
{
	area->vm_ops = &mapping;
	return 0;
}

static long run_in_call(struct file *file, unsigned int unused, unsigned long argument)
{
	run_all(SYSCALL);
	return 0;
}

/* The subject or the CPU that is the second word. */
static int command(const char *kind, int number)
{
	int error = 0;

	if (!strcmp(kind, "patch"))
		return number >= 0 && number < SUBJECTS ? change(number) : -EINVAL;
	cpus_read_lock();
	if (number < 0 || number >= nr_cpu_ids || !cpu_online(number)) {
		error = -ENODEV;
	} else if (!strcmp(kind, "call")) {
		error = smp_call_function_single(number, run_in_interrupt, NULL, 1);
	} else if (!strcmp(kind, "nmi")) {
		atomic_inc(&per_cpu(nmis_wanted, number));
		apic->send_IPI_mask(cpumask_of(number), NMI_VECTOR);
	} else {
		error = -EINVAL;
	}
	cpus_read_unlock();
	return error;
}

static ssize_t write_command(struct file *file, const char __user *from, size_t length, loff_t *at)
{
	char text[24], kind[8];
	int number, error;

	if (length >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, length))
		return -EFAULT;
	text[length] = 0;
	if (sscanf(text, "%7s %d", kind, &number) != 2)
		return -EINVAL;
	error = command(kind, number);
	return error ? error : length;
}

static ssize_t read_counts(struct file *file, char __user *to, size_t length, loff_t *at)
{
	char text[1024];
	int n = 0, i;

	for (i = 0; i < CONTEXTS; i++)
		n += scnprintf(text + n, sizeof(text) - n, "run_%s %ld\n", context_names[i],
			       atomic_long_read(&runs[i]));
	for (i = 0; i < SUBJECTS; i++)
		n += scnprintf(text + n, sizeof(text) - n, "checked_%s %ld\nstale_%s %ld\n",
			       subject_names[i], atomic_long_read(&checked[i]),
			       subject_names[i], atomic_long_read(&stale[i]));
	n += scnprintf(text + n, sizeof(text) - n, "changes %ld\nremapped %ld\n",
		       atomic_long_read(&changes), atomic_long_read(&remapped));
	return simple_read_from_buffer(to, length, at, text, n);
}

static const struct file_operations operations = {
	.owner		= THIS_MODULE,
	.read		= read_counts,
	.write		= write_command,
	.unlocked_ioctl	= run_in_call,
	.mmap		= map,
};

static struct miscdevice device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "task_isolation_stress",
	.fops	= &operations,
	.mode	= 0600,
};

static int __init stress_init(void)
{
	int error, i;

	for (i = 0; i < SUBJECTS; i++)
		mutex_init(&promises[i].patching);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		if (!pages[i]) {
			error = -ENOMEM;
			goto pages;
		}
		*(int *)page_address(pages[i]) = i;
	}
	mapped = vmap(&pages[0], 1, VM_MAP, PAGE_KERNEL);
	if (!mapped) {
		error = -ENOMEM;
		goto pages;
	}
	error = ftrace_set_filter_ip(&tracer, (unsigned long)traced, 0, 0);
	if (error)
		goto unmap;
	entry_probe.addr = (kprobe_opcode_t *)probed_at_entry;
	inside_probe.addr = (kprobe_opcode_t *)task_isolation_stress_inside;
	entry_probe.flags = KPROBE_FLAG_DISABLED;
	inside_probe.flags = KPROBE_FLAG_DISABLED;
	error = register_kprobe(&entry_probe);
	if (error)
		goto filter;
	error = register_kprobe(&inside_probe);
	if (error)
		goto entry;
	error = register_nmi_handler(NMI_LOCAL, run_in_nmi, 0, "task_isolation_stress");
	if (error)
		goto inside;
	error = misc_register(&device);
	if (!error)
		return 0;
	unregister_nmi_handler(NMI_LOCAL, "task_isolation_stress");
inside:
	unregister_kprobe(&inside_probe);
entry:
	unregister_kprobe(&entry_probe);
filter:
	ftrace_free_filter(&tracer);
unmap:
	vunmap(mapped);
pages:
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		if (pages[i])
			__free_page(pages[i]);
	return error;
}

static void __exit stress_exit(void)
{
	misc_deregister(&device);
	unregister_nmi_handler(NMI_LOCAL, "task_isolation_stress");
	unregister_kprobe(&inside_probe);
	unregister_kprobe(&entry_probe);
	if (promises[TRACED].now)
		unregister_ftrace_function(&tracer);
	ftrace_free_filter(&tracer);
	vunmap(mapped);
	__free_page(pages[0]);
	__free_page(pages[1]);
}

module_init(stress_init);
module_exit(stress_exit);
MODULE_DESCRIPTION("Patched text that checks itself, for the task isolation stress test");
MODULE_LICENSE("GPL");
