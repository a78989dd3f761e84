/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: the modes a task can enter in, as a type; and the signals that a
 * loss may send.
 *
 * Example: switch (mode) { case Mode::Strict: ... }
 *
 * Invariants: the numbers are the border's. mode_from() is the only way from a
 * number to a Mode.
 */
#pragma once

#include "lib/result.h"
#include "lib/strong.h"
#include "policy.h"

namespace task_isolation
{

enum class Mode : u32 {
	Strict = POLICY_MODE_STRICT,
	Signal = POLICY_MODE_SIGNAL,
	Persistent = POLICY_MODE_PERSISTENT,
	Oneshot = POLICY_MODE_ONESHOT,
};

constexpr u32 modes = POLICY_MODES;
constexpr SignalNumber no_signal{0};
constexpr SignalNumber signal_kill{9};

[[nodiscard, gnu::always_inline]] constexpr Result<Mode, Errno> mode_from(u32 number)
{
	if (number >= modes)
		return Errno::Invalid;
	return static_cast<Mode>(number);
}

static_assert(modes == number_of(Mode::Oneshot) + 1);

} // namespace task_isolation
