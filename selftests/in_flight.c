// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts in flight (3.7, 7.4): what was sent before a task was isolated is absorbed,
 * however late it arrives; what was sent after is told, however early the work was
 * meant. The moments that decide it, on both sides, are made long by a test module
 * (disturb/task_isolation_flight.c), which knows for each interrupt what is right.
 *
 * A hit is an interrupt for which it was clear, and that took the task out of user space.
 */
#include "isolation.h"
#include "kselftest_harness.h"

#define FILE_FLIGHT	"/sys/kernel/debug/task_isolation_flight"
#define MODULE		"task_isolation_flight"

/* A debug kernel waits a second and more for its RCU callbacks before each stay. */
#define HITS		rounds_or(default_timeout_ms() > 1000 ? 500 : 2000)
#define TURNS_INSIDE	20

FIXTURE(in_flight) { struct stage *s; };
FIXTURE_VARIANT(in_flight) { unsigned long flags; int ready, send; };
/* Turns of the windows: of the owner's alone, of the sender's alone, of both. */
FIXTURE_VARIANT_ADD(in_flight, ready_signal) { WITH_SIGNAL(CHOSEN), 40, 0 };
FIXTURE_VARIANT_ADD(in_flight, send_signal) { WITH_SIGNAL(CHOSEN), 4, 40 };
FIXTURE_VARIANT_ADD(in_flight, both_signal) { WITH_SIGNAL(CHOSEN), 30, 30 };
FIXTURE_VARIANT_ADD(in_flight, both_persistent) { PERSISTENT, 30, 30 };

static int load_module(void)
{
	int fd = open(MODULE ".ko", O_RDONLY | O_CLOEXEC);
	int result = syscall(SYS_finit_module, fd, "", 0);

	close(fd);
	return result;
}

FIXTURE_SETUP(in_flight)
{
	ASSERT_TRUE(settle()) TH_LOG("a CPU is still owned");
	self->s = stage_new();
	self->s->flags = variant->flags;
	ASSERT_EQ(0, load_module()) TH_LOG("errno %d", errno);
}

FIXTURE_TEARDOWN(in_flight)
{
	syscall(SYS_delete_module, MODULE, O_NONBLOCK);
	restore_switches();
}

/* In and out, a moment inside each time, so that interrupts meet it everywhere. */
static void act_come_and_go(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	s->at = AT_READY;
	while (!s->may) {
		int before = s->hits;

		if (enter(s->flags))
			continue;
		s->entered++;
		for (int i = 0; i < TURNS_INSIDE && s->hits == before; i++)
			relax();
		/* Its way out passes the last test once more; of a persistent one, each call's. */
		leave();
	}
}

struct flown { long before, after, between, killed, unnoticed, misnamed, unordered; };

static bool read_flown(struct flown *flown)
{
	char text[256];

	return read_text(FILE_FLIGHT, text, sizeof(text)) > 0 &&
	       sscanf(text, "before %ld after %ld between %ld killed %ld unnoticed %ld misnamed %ld unordered %ld",
		      &flown->before, &flown->after, &flown->between, &flown->killed,
		      &flown->unnoticed, &flown->misnamed, &flown->unordered) == 7;
}

TEST_F_TIMEOUT(in_flight, p7_4_sent_before_is_absorbed_sent_after_is_told, 280)
{
	struct flown sum = { 0 }, flown;
	char text[64];
	pid_t pid;

	pid = actor(self->s, CPU_A, act_come_and_go);
	ASSERT_TRUE(UNTIL(self->s->entered > 2)) TH_LOG("errno %d", self->s->error);
	/* Half of them each: with the owner's window nearly all are before, without it after. */
	while (sum.before < HITS / 2 || sum.after < HITS / 2) {
		snprintf(text, sizeof(text), "%d 500 %d %d", CPU_A,
			 sum.before < HITS / 2 ? variant->ready : 0, variant->send);
		ASSERT_EQ(0, write_text(FILE_FLIGHT, text));
		ASSERT_TRUE(read_flown(&flown));
		sum.before += flown.before;
		sum.after += flown.after;
		sum.between += flown.between;
		ASSERT_EQ(0, flown.killed);
		ASSERT_EQ(0, flown.unnoticed);
		ASSERT_EQ(0, flown.misnamed);
		ASSERT_EQ(0, flown.unordered);
	}
	TH_LOG("absorbed %ld, told %ld, either %ld", sum.before, sum.after, sum.between);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	/* Told by the signal, each of them. */
	if (variant->flags != PERSISTENT)
		EXPECT_LE(sum.after, self->s->hits);
}

TEST_HARNESS_MAIN
