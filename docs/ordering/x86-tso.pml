/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory as x86 CPUs see it (x86-TSO), for two CPUs: the sender's and its victim's.
 *
 * A store waits in a FIFO of its CPU and reaches memory at any later time. A load takes the newest store of its own CPU
 * to that word, else memory. A locked instruction and a full barrier wait until the FIFO of their CPU is empty. Loads
 * stay in program order.
 */
#define SENDER	0
#define VICTIM	1
#define ROOM	2

byte memory[WORDS];

typedef fifo {
	byte used;
	byte word[ROOM];
	byte value[ROOM];
}
fifo stores[2];

#define WAITS(cpu, at, w)	(stores[cpu].used > at && stores[cpu].word[at] == w)
#define LOAD(cpu, w) \
	(WAITS(cpu, 1, w) -> stores[cpu].value[1] : (WAITS(cpu, 0, w) -> stores[cpu].value[0] : memory[w]))
#define EMPTY(cpu)		(stores[cpu].used == 0)
#define ROOMY(cpu)		(stores[cpu].used < ROOM)

/* Within one d_step, after ROOMY(). */
inline put(cpu, w, v)
{
	stores[cpu].word[stores[cpu].used] = w;
	stores[cpu].value[stores[cpu].used] = v;
	stores[cpu].used++
}

inline store(cpu, w, v)
{
	d_step { ROOMY(cpu) -> put(cpu, w, v) }
}

inline smp_mb(cpu)
{
	EMPTY(cpu)
}

inline drain(cpu)
{
	memory[stores[cpu].word[0]] = stores[cpu].value[0];
	stores[cpu].word[0] = stores[cpu].word[1];
	stores[cpu].value[0] = stores[cpu].value[1];
	stores[cpu].word[1] = 0;
	stores[cpu].value[1] = 0;
	stores[cpu].used--
}

active proctype Memory()
{
end:
	do
	:: d_step { stores[SENDER].used -> drain(SENDER) }
	:: d_step { stores[VICTIM].used -> drain(VICTIM) }
	od
}
