// SPDX-License-Identifier: GPL-2.0
/*
 * The mix: all sources at once, over and over, beside a task in strict mode
 * with the default signal. The first interruption ends it, and the run.
 *
 * The sources are dealt out to worker processes on the housekeeping CPUs; each
 * takes its share round robin, at least once. They change different things, or
 * the same thing in a way that another may see (free memory), so any of them
 * may meet any other. Only those that switch tracing are left to one worker,
 * which has nothing else: they change the same instance, and would wait for each
 * other nearly all the time. The preemption model has a worker too, since a turn
 * of it, thousands of places to patch among others who patch, takes half a minute.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "noise.h"

#define WORKERS		7
#define TRACING_WORKER		0
#define PREEMPTION_WORKER	1
#define FIRST_WORKER		2	/* of the others */
#define MOST_SOURCES	64

struct share {
	uint32_t turns;
	uint64_t work;			/* in the unit of the source */
	double seconds;
	struct failure failure;		/* empty: none */
};

/* What workers and harness share. */
static struct {
	uint32_t stop;			/* harness */
	int32_t busy[WORKERS];		/* worker: index of its source, or -1 */
	struct share shares[MOST_SOURCES];	/* worker */
} *mix;

static const struct source *mixed[MOST_SOURCES];
static int worker_of[MOST_SOURCES];
static size_t mixed_count;

static int take_turn(size_t index)
{
	const struct source *source = mixed[index];
	struct share *share = &mix->shares[index];
	double began = monotonic();
	int done;

	/* Whatever it starts has its name; a record of what was sent shows it. */
	prctl(PR_SET_NAME, source->name);
	done = source->work(source->rounds);
	if (done < 0) {
		share->failure = failure;
		return -1;
	}
	share->work += (uint64_t)done;
	share->seconds += monotonic() - began;
	STORE(share->turns, share->turns + 1);
	return 0;
}

/* When it was told to end, but not before each source of its share had a turn. */
static int over(int worker)
{
	size_t index;

	for (index = 0; index < mixed_count; index++)
		if (worker_of[index] == worker && !LOAD(mix->shares[index].turns))
			return 0;
	return LOAD(mix->stop);
}

static int work_share(int worker)
{
	size_t index;

	while (!over(worker)) {
		for (index = 0; index < mixed_count && !over(worker); index++) {
			if (worker_of[index] != worker)
				continue;
			STORE(mix->busy[worker], (int32_t)index);
			if (take_turn(index))
				return -1;
		}
	}
	STORE(mix->busy[worker], -1);
	return 0;
}

/* ---- one start of the task ----------------------------------------------- */

static int has_share(int worker)
{
	size_t index;

	for (index = 0; index < mixed_count; index++)
		if (worker_of[index] == worker)
			return 1;
	return 0;
}

static int watch(pid_t pid)
{
	int fd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		die("cannot watch a worker", strerror(errno));
	return fd;
}

/* Until the time is over, the task ends, or a worker does, which then has failed. */
static void wait_for_end(struct pollfd *ends, nfds_t count, double until)
{
	double left;

	while ((left = until - monotonic()) > 0)
		if (poll(ends, count, (int)(left * 1000) + 1) > 0)
			return;
}

static void print_under_way(const int32_t *busy)
{
	int i, printed = 0;

	printf(",\"under_way\":[");
	for (i = 0; i < WORKERS; i++)
		if (busy[i] >= 0)
			printf("%s\"%s\"", printed++ ? "," : "", mixed[busy[i]]->name);
	printf("]");
}

static void print_shares(void)
{
	size_t i;

	printf(",\"sources\":{");
	for (i = 0; i < mixed_count; i++) {
		const struct share *share = &mix->shares[i];

		printf("%s\"%s\":{\"turns\":%u,\"rounds\":%d,\"work\":%llu,\"unit\":\"%s\",\"seconds\":%.1f",
		       i ? "," : "", mixed[i]->name, share->turns, mixed[i]->rounds,
		       (unsigned long long)share->work, mixed[i]->unit, share->seconds);
		if (share->failure.what[0])
			print_failure(&share->failure);
		printf("}");
	}
	printf("}");
}

static void print_end_of_task(const siginfo_t *info)
{
	char loss[128] = "";

	read_isolation(options.cpu, "last_loss", loss, sizeof(loss));
	printf(",\"ended\":\"%s %d\",\"last_loss\":", info->si_code == CLD_EXITED ? "status" : "signal",
	       info->si_status);
	print_json(loss);
}

static double ticks_per_ms(uint64_t since_ticks, double since)
{
	return (double)(__builtin_ia32_rdtsc() - since_ticks) / ((monotonic() - since) * 1000);
}

static void read_all(struct reading *last)
{
	read_task("last reading", last);
	if (read_sent())
		die(failure.what, strerror(failure.error));
}

/* 0 when nothing arrived and all work was done. */
static int start_once(int number, int seconds)
{
	struct reading first, last, delta;
	struct pollfd ends[WORKERS + 1];	/* the last is the task */
	int32_t busy[WORKERS];
	pid_t workers[WORKERS];
	uint64_t began_ticks;
	siginfo_t ending;
	double began;
	int i, ended, bad = 0;
	int count = 0;

	memset(mix, 0, sizeof(*mix));
	memset(&failure, 0, sizeof(failure));
	start_task(STRICT);
	if (forget_sent())
		die(failure.what, strerror(failure.error));
	read_task("first reading", &first);
	STORE(page->watch, 1);
	began = monotonic();
	began_ticks = __builtin_ia32_rdtsc();
	for (i = 0; i < WORKERS; i++) {
		STORE(mix->busy[i], -1);
		if (!has_share(i))
			continue;
		workers[count] = start_on(i % HOUSEKEEPING_CPUS, work_share, i);
		ends[count] = (struct pollfd){ .fd = watch(workers[count]), .events = POLLIN };
		count++;
	}
	ends[count] = (struct pollfd){ .fd = watch_task(), .events = POLLIN };
	wait_for_end(ends, (nfds_t)count + 1, began + seconds);
	memcpy(busy, mix->busy, sizeof(busy));
	ended = task_ended(&ending);
	/* What comes to a CPU after its task is gone is nobody's interruption. */
	if (ended)
		read_all(&last);
	STORE(mix->stop, 1);
	for (i = 0; i < count; i++) {
		bad |= finish_child(workers[i]) != 0;
		close(ends[i].fd);
	}
	close(ends[count].fd);
	if (!ended) {
		sleep_ms(SETTLE_MS);
		ended = task_ended(&ending);
		if (!ended)
			must_poll("end");
		read_all(&last);
	}
	delta = difference(&first, &last);

	printf("NOISE-MIX {\"start\":%d,\"wanted_seconds\":%d,\"seconds\":%.1f,\"alive\":%s,", number, seconds,
	       monotonic() - began, ended ? "false" : "true");
	print_reading(&delta, 1);
	printf(",\"longest_pause_ms\":%.1f,", (double)LOAD(page->longest) / ticks_per_ms(began_ticks, began));
	print_sent();
	print_shares();
	if (bad)
		print_failure(&failure);
	if (ended) {
		print_end_of_task(&ending);
		print_under_way(busy);
		bury_task();
	} else {
		stop_task();
	}
	print_end();
	for (i = 0; i < COUNTERS; i++)
		bad |= delta.counter[i] != 0;
	return ended || bad || entries(&delta) ? -1 : 0;
}

/* ---- all of it ----------------------------------------------------------- */

int run_mix(int seconds, int starts)
{
	int i, bad = 0;

	mix = mmap(NULL, sizeof(*mix), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (mix == MAP_FAILED)
		die("mmap", strerror(errno));
	for (i = 0; i < starts && !bad; i++) {
		fprintf(stderr, "noise: start %d of %d, %d s\n", i + 1, starts, seconds);
		bad = start_once(i + 1, seconds);
	}
	return bad;
}

static int switches_tracing(const struct source *source)
{
	return source->work == work_trace_events || source->work == work_first_use ||
	       source->work == work_function_tracer || source->work == work_kprobes ||
	       source->work == work_ring_buffer;
}

/* Used once, so that first uses are over. */
int add_to_mix(const struct source *source)
{
	static int dealt;

	if (mixed_count == MOST_SOURCES) {
		errno = ENOSPC;
		return failed("more than %d sources", MOST_SOURCES);
	}
	if ((source->prepare && source->prepare()) || source->work(1) < 0)
		return -1;
	if (switches_tracing(source))
		worker_of[mixed_count] = TRACING_WORKER;
	else if (source->work == work_static_calls)
		worker_of[mixed_count] = PREEMPTION_WORKER;
	else
		worker_of[mixed_count] = FIRST_WORKER + dealt++ % (WORKERS - FIRST_WORKER);
	mixed[mixed_count++] = source;
	return 0;
}

void finish_mix(void)
{
	size_t i;

	for (i = 0; i < mixed_count; i++)
		if (mixed[i]->finish)
			mixed[i]->finish();
}
