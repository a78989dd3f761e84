/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: the task states and the only steps between them.
 *
 * Example: State after = next(State::Isolated, Step::Lose);  // Lost
 *
 * Invariants: Late is reached from Isolated and Late alone, Lost from those
 * two alone: who never was isolated has nothing to lose. A task leaves Lost by
 * entering again or by ending.
 */
#pragma once

#include "lib/result.h"
#include "lib/table.h"
#include "linux/task_isolation.h"

namespace task_isolation
{

enum class State : u32 {
	Off = TASK_ISOLATION_OFF,
	Entering = TASK_ISOLATION_ENTERING,
	Isolated = TASK_ISOLATION_ISOLATED,
	Late = TASK_ISOLATION_LATE,
	Lost = TASK_ISOLATION_LOST,
};

enum class Step : u32 {
	Stay = 0,   /* nothing changes */
	Enter = 1,  /* prctl let the caller wait for a quiet CPU */
	Ready = 2,  /* the final test passed */
	Expire = 3, /* not quiet again in time, persistent */
	Lose = 4,   /* a loss */
	End = 5,    /* ended without one: left, one-shot, refused, exit */
};

constexpr u32 states = number_of(State::Lost) + 1;
constexpr u32 steps = number_of(Step::End) + 1;

using StateRow = Table<Step, State, steps>;

// clang-format off
constexpr Table<State, StateRow, states> state_table{{
	/* from          Stay             Enter            Ready            Expire       Lose         End */
	/* Off */      {{State::Off,      State::Entering, State::Off,      State::Off,  State::Off,  State::Off}},
	/* Entering */ {{State::Entering, State::Entering, State::Isolated, State::Off,  State::Off,  State::Off}},
	/* Isolated */ {{State::Isolated, State::Entering, State::Isolated, State::Late, State::Lost, State::Off}},
	/* Late */     {{State::Late,     State::Entering, State::Isolated, State::Late, State::Lost, State::Off}},
	/* Lost */     {{State::Lost,     State::Entering, State::Lost,     State::Lost, State::Lost, State::Off}},
}};
// clang-format on

[[nodiscard, gnu::always_inline]] constexpr State next(State from, Step step)
{
	return state_table[from][step];
}

/* Whether an entry in this state has anything to do with isolation. */
[[nodiscard, gnu::always_inline]] constexpr bool is_protected(State state)
{
	return state == State::Isolated || state == State::Late;
}

[[nodiscard, gnu::always_inline]] constexpr Result<State, Errno> state_from(u32 number)
{
	if (number >= states)
		return Errno::Invalid;
	return static_cast<State>(number);
}

/* The word sysfs shows. */
[[nodiscard]] const char *state_word(State state);

/* Only Ready isolates, and only a protected task can become late or lost. */
consteval bool only_ready_isolates()
{
	for (u32 from = 0; from < states; from++) {
		for (u32 step = 0; step < steps; step++) {
			const State before = static_cast<State>(from);
			const State after = next(before, static_cast<Step>(step));

			if (after == State::Isolated && before != State::Isolated &&
			    static_cast<Step>(step) != Step::Ready)
				return false;
			if ((after == State::Late || after == State::Lost) && after != before &&
			    !is_protected(before))
				return false;
		}
	}
	return true;
}
static_assert(only_ready_isolates());

} // namespace task_isolation
