// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/task_isolation: read() and poll() give reports, mmap() the page of a CPU.
 *
 * Context: readers, on their own CPUs; nothing here touches an owner's CPU or waits
 * for it. Whoever waits is woken by a worker on a housekeeping CPU that looks every
 * now and then whether there is something, and runs only while somebody waits.
 *
 * Mode 0444: what a reader gets depends on who it is, see struct task_isolation_sender.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "shell.h"

/* How late a reader may be woken. */
#define LOOK_EVERY	msecs_to_jiffies(10)

/**
 * struct reader - one that opened the device
 * @lock: threads that share the file
 * @only: its CPU, or -1 for all
 * @place: number of the next report of each CPU, and what it was too slow for
 */
struct reader {
	struct mutex lock;	/* place and only */
	int only;
	struct {
		u64 position;
		u64 dropped;
	} place[];
};

static DECLARE_WAIT_QUEUE_HEAD(waiting);

static void look(struct work_struct *work);
static DECLARE_DELAYED_WORK(look_work, look);

static void start_looking(void)
{
	queue_delayed_work(system_unbound_wq, &look_work, LOOK_EVERY);
}

/* Woken for nothing is cheap; not to touch what owners write more often is, too. */
static void look(struct work_struct *work)
{
	static u64 seen;
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += reports_head(cpu);
	if (sum != seen)
		wake_up_interruptible(&waiting);
	seen = sum;
	if (wq_has_sleeper(&waiting))
		start_looking();
}

static bool wants(const struct reader *reader, int cpu)
{
	return reader->only < 0 || reader->only == cpu;
}

static bool has_reports(const struct reader *reader)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (wants(reader, cpu) && reports_head(cpu) != reader->place[cpu].position)
			return true;
	return false;
}

/* The oldest report that @reader has not seen; false: none. Under its lock. */
static bool next_report(struct reader *reader, struct reported *next)
{
	struct reported candidate;
	int cpu, from = -1;

	for_each_possible_cpu(cpu) {
		if (!wants(reader, cpu) ||
		    !reports_peek(cpu, &reader->place[cpu].position, &reader->place[cpu].dropped,
				  &candidate))
			continue;
		if (from >= 0 && candidate.report.time_ns >= next->report.time_ns)
			continue;
		*next = candidate;
		from = cpu;
	}
	if (from < 0)
		return false;
	next->report.dropped = reader->place[from].dropped;
	return true;
}

static void advance(struct reader *reader, const struct reported *taken)
{
	reader->place[taken->report.cpu].position = taken->report.number + 1;
}

static bool serving;

static int device_open(struct inode *inode, struct file *file)
{
	struct reader *reader = kzalloc(struct_size(reader, place, nr_cpu_ids), GFP_KERNEL);
	int cpu;

	/* Pairs with chardev_serve(): loading may fail until then, and would not wait for us. */
	if (!smp_load_acquire(&serving)) {
		kfree(reader);
		return -ENODEV;
	}
	/* Also who may open anything. */
	if (file->f_mode & FMODE_WRITE) {
		kfree(reader);
		return -EPERM;
	}
	if (!reader)
		return -ENOMEM;
	mutex_init(&reader->lock);
	reader->only = -1;
	reports_reader_comes();
	for_each_possible_cpu(cpu)
		reader->place[cpu].position = reports_head(cpu);
	file->private_data = reader;
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	reports_reader_goes();
	kfree(file->private_data);
	return 0;
}

/* As many as there are and fit; 0 when nothing is to be told of all that there was. */
static ssize_t take_reports(struct file *file, char __user *to, size_t size)
{
	struct reader *reader = file->private_data;
	struct reported *reported;
	ssize_t taken = 0;

	reported = kmalloc(sizeof(*reported), GFP_KERNEL);
	if (!reported)
		return -ENOMEM;
	mutex_lock(&reader->lock);
	while (size - taken >= sizeof(reported->report) && next_report(reader, reported)) {
		/* Not told is over, too, but what was dropped is for the next that is told. */
		if (!report_mask(reported, file)) {
			advance(reader, reported);
			continue;
		}
		if (copy_to_user(to + taken, &reported->report, sizeof(reported->report))) {
			taken = taken ?: -EFAULT;
			break;
		}
		advance(reader, reported);
		reader->place[reported->report.cpu].dropped = 0;
		taken += sizeof(reported->report);
	}
	mutex_unlock(&reader->lock);
	kfree(reported);
	return taken;
}

static ssize_t device_read(struct file *file, char __user *to, size_t size, loff_t *offset)
{
	struct reader *reader = file->private_data;
	ssize_t taken;
	int error;

	if (size < sizeof(struct task_isolation_report))
		return -EINVAL;
	while (!(taken = take_reports(file, to, size))) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		/* On the queue first, or the last look may be over before anybody is there. */
		error = wait_event_interruptible(waiting, ({
			start_looking();
			has_reports(reader);
		}));
		if (error)
			return error;
	}
	return taken;
}

static __poll_t device_poll(struct file *file, poll_table *table)
{
	poll_wait(file, &waiting, table);
	start_looking();
	return has_reports(file->private_data) ? EPOLLIN | EPOLLRDNORM : 0;
}

static long device_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct reader *reader = file->private_data;
	int only;

	if (command != TASK_ISOLATION_ONLY_CPU)
		return -ENOTTY;
	if (get_user(only, (int __user *)argument))
		return -EFAULT;
	if (only < -1 || only >= (int)nr_cpu_ids || (only >= 0 && !cpu_possible(only)))
		return -EINVAL;
	guard(mutex)(&reader->lock);
	reader->only = only;
	return 0;
}

/* The core keeps the page for good. */
static int device_mmap(struct file *file, struct vm_area_struct *area)
{
	struct task_isolation_page *page;

	if (area->vm_end - area->vm_start != PAGE_SIZE)
		return -EINVAL;
	if (area->vm_flags & (VM_WRITE | VM_EXEC))
		return -EPERM;
	if (area->vm_pgoff >= nr_cpu_ids || !cpu_possible(area->vm_pgoff))
		return -EINVAL;
	page = task_isolation_page(area->vm_pgoff);
	if (!page)
		return -ENXIO;
	vm_flags_mod(area, VM_DONTEXPAND, VM_MAYWRITE | VM_MAYEXEC);
	return vm_insert_page(area, area->vm_start, virt_to_page(page));
}

static const struct file_operations operations = {
	.owner		= THIS_MODULE,
	.open		= device_open,
	.release	= device_release,
	.read		= device_read,
	.poll		= device_poll,
	.unlocked_ioctl	= device_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= device_mmap,
};

static struct miscdevice device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "task_isolation",
	.fops	= &operations,
	.mode	= 0444,
};

int chardev_add(void)
{
	return misc_register(&device);
}

/* Nothing can fail any more: the device may be opened. */
void chardev_serve(void)
{
	smp_store_release(&serving, true);
}

/* Readers hold the module, so there is none. */
void chardev_remove(void)
{
	misc_deregister(&device);
	cancel_delayed_work_sync(&look_work);
}
