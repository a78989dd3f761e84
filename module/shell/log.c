// SPDX-License-Identifier: GPL-2.0
/*
 * The log: one line per loss, printed on a housekeeping CPU.
 *
 * printk() on an isolated CPU would raise work there. The line is made by the
 * victim, put on a lockless list, and printed by an unbound worker, which runs
 * on housekeeping CPUs only.
 */
#include <linux/init.h>
#include <linux/llist.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "shell.h"

struct line {
	struct llist_node node;
	bool debug;
	bool sent;		/* @sender follows the text */
	struct task_isolation_note sender;
	char text[TASK_COMM_LEN * 4 + 96 + TASK_ISOLATION_TEXT_LEN];
};

static LLIST_HEAD(lines);
/* One for losses, one for the rest: refusals, which anybody can bring about, use up their own. */
static DEFINE_PER_CPU(struct ratelimit_state [2], limits);

/* Who caused it, and where (6.9). */
static void print_sender(const struct task_isolation_note *sender)
{
	if (sender->by_task)
		pr_info("task_isolation: sent by %*pE/%d on CPU %d:\n",
			(int)strnlen(sender->comm, sizeof(sender->comm)), sender->comm,
			sender->pid, sender->cpu);
	else
		pr_info("task_isolation: sent by an interrupt on CPU %d:\n", sender->cpu);
	for (unsigned int i = 0; i < sender->depth; i++)
		pr_info("task_isolation:  %pS\n", (void *)sender->stack[i]);
}

static void print_lines(struct work_struct *work)
{
	struct llist_node *first = llist_reverse_order(llist_del_all(&lines));
	struct line *line, *next;

	llist_for_each_entry_safe(line, next, first, node) {
		if (line->debug)
			pr_info("%s\n", line->text);
		else
			pr_warn("%s\n", line->text);
		if (line->sent)
			print_sender(&line->sender);
		kfree(line);
	}
}

static DECLARE_WORK(print_work, print_lines);

/* Ten lines of each kind in five seconds for each CPU; what is left out is only not printed. */
static bool allowed(int cpu, bool debug)
{
	return __ratelimit(&per_cpu(limits, cpu)[debug]);
}

/* Before anybody can queue. */
void __init log_begin(void)
{
	struct ratelimit_state *limit;
	int cpu;

	for_each_possible_cpu(cpu) {
		for (int kind = 0; kind < 2; kind++) {
			limit = &per_cpu(limits, cpu)[kind];
			ratelimit_state_init(limit, DEFAULT_RATELIMIT_INTERVAL,
					     DEFAULT_RATELIMIT_BURST);
			/* Its own message would come from that CPU. */
			ratelimit_set_flags(limit, RATELIMIT_MSG_ON_RELEASE);
		}
	}
}

static struct line *new_line(int cpu, bool debug)
{
	struct line *line = allowed(cpu, debug) ? kzalloc(sizeof(*line), GFP_KERNEL) : NULL;

	if (line)
		line->debug = debug;
	return line;
}

static void queue(struct line *line)
{
	llist_add(&line->node, &lines);
	queue_work(system_unbound_wq, &print_work);
}

/* Print @text, at information level when @debug. May sleep. */
void log_line(const char *text, bool debug)
{
	struct line *line = new_line(raw_smp_processor_id(), debug);

	if (!line)
		return;
	strscpy(line->text, text);
	queue(line);
}

/*
 * Print what the policy says of @cause as @loser's, who owned @cpu; @log as in struct
 * policy_verdict. With debug, who sent it, too, when @note says that.
 */
void log_loss(struct task_struct *loser, int cpu, const struct policy_cause *cause, u32 log,
	      const struct task_isolation_note *note)
{
	const struct policy_operations *policy;
	struct policy_task task = { .pid = task_pid_nr(loser) };
	struct line *line;
	u32 length = 0;

	if (log == 2 && !debug)
		return;
	line = new_line(cpu, log == 2);
	if (!line)
		return;
	if (debug && note) {
		line->sent = true;
		line->sender = *note;
	}
	get_task_comm(task.comm, loser);
	scoped_guard(rcu) {
		policy = policy_serving();
		if (policy && policy->loss_line)
			length = policy->loss_line(&task, cause, log, line->text,
						   sizeof(line->text));
	}
	if (length)
		queue(line);
	else
		kfree(line);
}

/* Nobody can queue any more: print what is left. */
void log_end(void)
{
	flush_work(&print_work);
}
