// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that cannot be had: a call says so and leaves everything as it was, or
 * does without. For a kernel with fault injection, which lets the n-th allocation,
 * or copy from or to the program, of a task fail: the first, the second, until the
 * call no longer has so many.
 *
 * Loading a module is not in here: the kernel itself warns of an allocation that
 * fails there, before the module has a say.
 */
#include "modules.h"
#include "shot.h"
#include <sys/ioctl.h>
#include "kselftest_harness.h"

#define INJECTION	"/sys/kernel/debug"
#define DEVICE		"/dev/task_isolation"
#define MOST		500	/* no call of ours has so many */

static int nth = -1;

static bool open_nth(void)
{
	nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return nth >= 0;
}

/* From here on, the @n-th fails. */
static bool arm(int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", n);

	return pwrite(nth, text, length, 0) == length;
}

/* Nothing fails any more. Did something, since? */
static bool disarm(void)
{
	char text[16] = "";
	/* The copy of this answer is one that may fail: then nothing had until now. */
	bool failed = pread(nth, text, sizeof(text) - 1, 0) > 0 && !atoi(text);

	while (pwrite(nth, "0", 1, 0) != 1)
		;
	return failed;
}

static bool says_so(int error)
{
	return error == ENOMEM || error == EFAULT;
}

FIXTURE(failing_allocations) { struct stage *s; };

FIXTURE_SETUP(failing_allocations)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc", "fail_usercopy" };
	char path[96];

	ASSERT_TRUE(settle()) TH_LOG("a CPU is still owned");
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), INJECTION "/%s/verbose", kinds[i]);
		ASSERT_EQ(0, write_text(path, "0"));
	}
	/* also what may wait for memory, and single pages */
	ASSERT_EQ(0, write_text(INJECTION "/failslab/ignore-gfp-wait", "N"));
	ASSERT_EQ(0, write_text(INJECTION "/fail_page_alloc/ignore-gfp-wait", "N"));
	ASSERT_EQ(0, write_text(INJECTION "/fail_page_alloc/min-order", "0"));
	ASSERT_TRUE(open_nth());
	self->s = stage_new();
}

FIXTURE_TEARDOWN(failing_allocations)
{
	arm(0);
	close(nth);
	restore_switches();
}

/* ---- the list ----------------------------------------------------------------- */

TEST_F_TIMEOUT(failing_allocations, p4_8_a_list_is_written_whole_or_not_at_all, 1200)
{
	char usual[256], one[16], now[256];
	bool failed = true;
	struct shot before;
	int error = 0, n;

	ASSERT_GT(read_text(FILE_LIST, usual, sizeof(usual)), 0);
	snprintf(one, sizeof(one), "cpus=%d", CPU_A);
	/* loaded anew, or what a CPU needs on the list would be there already */
	ASSERT_EQ(0, unload(STANDARD));
	ASSERT_EQ(0, unload(SHELL));
	ASSERT_EQ(0, load(SHELL, one));
	ASSERT_EQ(0, load(STANDARD, ""));
	shoot(&before);
	for (n = 1; failed && n < MOST; n++) {
		ASSERT_TRUE(arm(n));
		error = -write_text(FILE_LIST, usual);
		failed = disarm();
		if (!error) {
			EXPECT_GT(read_text(FILE_LIST, now, sizeof(now)), 0);
			EXPECT_STREQ(usual, now);
			ASSERT_EQ(0, write_text(FILE_LIST, number(CPU_A)));
			continue;
		}
		EXPECT_TRUE(says_so(error)) TH_LOG("the %d. of a write: errno %d", n, error);
		EXPECT_AS(before);
		EXPECT_GT(read_text(FILE_LIST, now, sizeof(now)), 0);
		EXPECT_EQ(CPU_A, atoi(now)) TH_LOG("the list is %s", now);
		EXPECT_TRUE(!strchr(now, '-') && !strchr(now, ',')) TH_LOG("the list is %s", now);
	}
	EXPECT_EQ(0, error);
	EXPECT_FALSE(failed);
	EXPECT_GT(n, 4) TH_LOG("nothing failed: the test proves nothing");
	TH_LOG("%d allocations and copies", n - 2);
	ASSERT_EQ(0, unload(STANDARD));
	ASSERT_EQ(0, unload(SHELL));
	ASSERT_EQ(0, load(SHELL, ""));
	ASSERT_EQ(0, load(STANDARD, ""));
}

/* ---- entering -------------------------------------------------------------------- */

/* Until a call had nothing that failed and was not refused for any other reason. */
static void act_enter_without_memory(struct stage *s)
{
	bool failed = true;
	int error = 0, n = 1, others = 0;

	if (!open_nth())
		return;
	while (n < MOST && others < 100) {
		arm(n);
		error = enter(PERSISTENT) ? errno : 0;
		failed = disarm();
		if (error == EAGAIN) {
			others++;
			continue;
		}
		if (error && flags_now())
			s->value[0]++;
		if (error && !says_so(error))
			s->value[1] = error;
		if (!error && leave())
			s->value[2]++;
		s->value[3] += failed;
		if (!failed)
			break;
		n++;
	}
	s->error = error;
	s->value[4] = failed;
}

TEST_F_TIMEOUT(failing_allocations, p2_9_who_cannot_enter_for_want_of_memory_learns_it, 600)
{
	pid_t pid = actor(self->s, CPU_A, act_enter_without_memory);

	EXPECT_TRUE(ended_well(finish_ms(pid, 500000)));
	EXPECT_EQ(0, self->s->error);
	EXPECT_EQ(0, self->s->value[0]) TH_LOG("refused and isolated");
	EXPECT_EQ(0, self->s->value[1]) TH_LOG("refused with errno %ld", self->s->value[1]);
	EXPECT_EQ(0, self->s->value[2]) TH_LOG("could not leave");
	EXPECT_GT(self->s->value[3], 0) TH_LOG("nothing failed: the test proves nothing");
	EXPECT_EQ(0, self->s->value[4]) TH_LOG("it never came through");
	NEXT_CAN_ENTER(STRICT);
}

/* ---- a loss ------------------------------------------------------------------------- */

/* value: which fails, did it, ..., the signal */
static void act_lose_without_memory(struct stage *s)
{
	if (!open_nth())
		return;
	handle(s->value[6], on_chosen, 0);
	arm(s->value[0]);
	s->error = enter(WITH_SIGNAL(s->value[6])) ? errno : 0;
	if (!s->error)
		s->value[2] = getppid();
	s->value[1] = disarm();
	s->flags_after = flags_now();
}

static void lose_without_memory(struct __test_metadata *_metadata, int signal)
{
	int refused = 0, told = 0, ended = 0, n;

	for (n = 1; n < MOST; n++) {
		struct stage *s = stage_new();
		int status;

		s->value[0] = n;
		s->value[6] = signal;
		status = finish(actor(s, CPU_A, act_lose_without_memory));
		ASSERT_NE(-1, status) TH_LOG("the %d.: it does not end", n);
		if (!ended_well(status)) {
			/* no room for the signal, or its frame could not be written */
			EXPECT_TRUE(killed_by(status, SIGKILL) || killed_by(status, SIGSEGV))
				TH_LOG("the %d.: status %#x", n, status);
			ended++;
		} else if (s->error) {
			EXPECT_TRUE(says_so(s->error) || s->error == EAGAIN)
				TH_LOG("the %d.: errno %d", n, s->error);
			if (s->error == EAGAIN)
				n--;
			refused++;
		} else {
			EXPECT_EQ(1, s->hits) TH_LOG("the %d.: it went on and was not told", n);
			EXPECT_EQ(0, s->flags_after);
			told++;
			if (!s->value[1])
				break;
		}
		munmap(s, 65536);
		ASSERT_LT(refused, 200);
	}
	EXPECT_LT(n, MOST);
	EXPECT_GT(refused, 0);
	EXPECT_GT(told, 1);
	TH_LOG("%d refused, %d told, %d ended", refused, told, ended);
	NEXT_CAN_ENTER(STRICT);
}

TEST_F_TIMEOUT(failing_allocations, p7_2_a_loss_is_told_by_a_standard_signal, 1200)
{
	lose_without_memory(_metadata, CHOSEN);
}

TEST_F_TIMEOUT(failing_allocations, p7_2_a_loss_is_told_by_a_real_time_signal, 1200)
{
	lose_without_memory(_metadata, SIGRTMIN);
}

/* ---- the device and the switches ------------------------------------------------------ */

static int open_and_read(void)
{
	char report[4096];
	int fd = open(DEVICE, O_RDONLY | O_NONBLOCK | O_CLOEXEC), error;

	if (fd < 0)
		return errno;
	error = read(fd, report, sizeof(report)) < 0 ? errno : 0;
	close(fd);
	return error == EAGAIN ? 0 : error;
}

TEST_F_TIMEOUT(failing_allocations, a_reader_learns_it, CASE_TIMEOUT)
{
	bool failed = true;
	int error = 0, n;

	for (n = 1; failed && n < MOST; n++) {
		ASSERT_TRUE(arm(n));
		error = open_and_read();
		failed = disarm();
		EXPECT_TRUE(!error || says_so(error)) TH_LOG("the %d.: errno %d", n, error);
	}
	EXPECT_EQ(0, error);
	EXPECT_FALSE(failed);
	EXPECT_GT(n, 3);
}

TEST_F_TIMEOUT(failing_allocations, p6_7_a_switch_moves_whole_or_not_at_all, CASE_TIMEOUT)
{
	static const struct { const char *file, *usual, *other; } switches[] = {
		{ FILE_ALLOW, "privileged", "any" }, { FILE_RELEASE, "0", "1" },
		{ FILE_TIMEOUT, NULL, "77" }, { FILE_DEBUG, "0", "1" },
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++) {
		bool failed = true;
		char before[64], now[64];
		int error = 0, n;

		for (n = 1; failed && n < MOST; n++) {
			restore_switches();
			ASSERT_GT(read_text(switches[i].file, before, sizeof(before)), 0);
			ASSERT_TRUE(arm(n));
			error = -write_text(switches[i].file, switches[i].other);
			failed = disarm();
			ASSERT_GT(read_text(switches[i].file, now, sizeof(now)), 0);
			if (error) {
				EXPECT_TRUE(says_so(error))
					TH_LOG("%s: errno %d", switches[i].file, error);
				EXPECT_STREQ(before, now);
			} else {
				EXPECT_EQ(0, strncmp(now, switches[i].other,
						     strlen(switches[i].other)));
			}
		}
		EXPECT_EQ(0, error);
		EXPECT_FALSE(failed);
		EXPECT_GT(n, 2);
	}
}

TEST_HARNESS_MAIN
