// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own cpulist parser as a file, for tests: write "NBITS TEXT" to
 * /proc/kernel_cpulist in one write, read "ERRNO LIST" back from the same open
 * file. LIST is empty unless ERRNO is 0.
 */
#include <linux/bitmap.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define MAX_BITS	256
#define MAX_TEXT	1024
#define MAX_ANSWER	2048

struct answer {
	size_t length;
	char text[MAX_ANSWER];
};

static int kernel_cpulist_open(struct inode *inode, struct file *file)
{
	file->private_data = kzalloc(sizeof(struct answer), GFP_KERNEL);
	return file->private_data ? 0 : -ENOMEM;
}

static int kernel_cpulist_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static ssize_t kernel_cpulist_write(struct file *file, const char __user *buffer, size_t count,
				    loff_t *position)
{
	struct answer *answer = file->private_data;
	DECLARE_BITMAP(bits, MAX_BITS);
	unsigned int nbits = 0;
	char *request, *text;
	int error;

	if (count > MAX_TEXT)
		return -EINVAL;
	request = memdup_user_nul(buffer, count);
	if (IS_ERR(request))
		return PTR_ERR(request);

	for (text = request; *text >= '0' && *text <= '9'; text++) {
		nbits = nbits * 10 + (*text - '0');
		if (nbits > MAX_BITS)
			break;
	}
	if (nbits == 0 || nbits > MAX_BITS || *text != ' ') {
		kfree(request);
		return -EINVAL;
	}

	error = bitmap_parselist(text + 1, bits, nbits);
	if (error)
		answer->length = scnprintf(answer->text, MAX_ANSWER, "%d \n", error);
	else
		answer->length = scnprintf(answer->text, MAX_ANSWER, "0 %*pbl\n", nbits, bits);
	kfree(request);
	return count;
}

static ssize_t kernel_cpulist_read(struct file *file, char __user *buffer, size_t count,
				   loff_t *position)
{
	struct answer *answer = file->private_data;

	return simple_read_from_buffer(buffer, count, position, answer->text, answer->length);
}

static const struct proc_ops kernel_cpulist_ops = {
	.proc_open	= kernel_cpulist_open,
	.proc_release	= kernel_cpulist_release,
	.proc_read	= kernel_cpulist_read,
	.proc_write	= kernel_cpulist_write,
};

static int __init kernel_cpulist_init(void)
{
	return proc_create("kernel_cpulist", 0600, NULL, &kernel_cpulist_ops) ? 0 : -ENOMEM;
}

static void __exit kernel_cpulist_exit(void)
{
	remove_proc_entry("kernel_cpulist", NULL);
}

module_init(kernel_cpulist_init);
module_exit(kernel_cpulist_exit);
MODULE_DESCRIPTION("Task isolation tests: the kernel's own cpulist parser as a file");
MODULE_LICENSE("GPL");
