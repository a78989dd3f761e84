/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: integers that do not mix: a CPU is no pid, a time no count.
 *
 * Example:
 *	using Pid = Strong<struct PidTag, s32>;
 *	void blame(Pid pid);	// blame(5) does not compile, blame(Pid{5}) does
 *
 * Invariants: nothing converts silently in either direction; only comparing
 * is offered, what else a kind of number can do stands beside its name.
 */
#pragma once

#include "lib/integers.h"

namespace task_isolation
{

template <typename Tag, typename Representation> class Strong final
{
public:
	[[gnu::always_inline]] constexpr explicit Strong(Representation value) : value_{value}
	{
	}

	[[nodiscard, gnu::always_inline]] constexpr Representation value() const
	{
		return value_;
	}

	[[nodiscard, gnu::always_inline]] friend constexpr bool operator==(Strong left,
									   Strong right)
	{
		return left.value_ == right.value_;
	}

	[[nodiscard, gnu::always_inline]] friend constexpr bool operator<(Strong left, Strong right)
	{
		return left.value_ < right.value_;
	}

private:
	Representation value_;
};

using Pid = Strong<struct PidTag, s32>;
using Cpu = Strong<struct CpuTag, s32>;
using SignalNumber = Strong<struct SignalTag, u32>;
using Nanoseconds = Strong<struct NanosecondsTag, u64>;

/* What is left of limit; 0, not a huge number, when it is over. */
[[nodiscard, gnu::always_inline]] constexpr Nanoseconds remaining(Nanoseconds limit,
								  Nanoseconds spent)
{
	return Nanoseconds{spent < limit ? limit.value() - spent.value() : 0};
}

static_assert(Pid{3} == Pid{3});
static_assert(Cpu{2} < Cpu{3});
static_assert(remaining(Nanoseconds{5}, Nanoseconds{3}) == Nanoseconds{2});
static_assert(remaining(Nanoseconds{5}, Nanoseconds{9}) == Nanoseconds{0});

} // namespace task_isolation
