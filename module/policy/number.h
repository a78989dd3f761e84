/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: one decimal number as text, for the files that take one (6.6).
 *
 * Example: parse_number({"60000\n", 6}, 60000).value() == 60000
 *
 * Invariants: answers as kstrtouint() with base 10 does: an optional plus, at
 * least one digit, at most one newline behind; too large for 32 bits is
 * OutOfRange. Above max it is Invalid.
 */
#pragma once

#include "lib/result.h"
#include "lib/text_reader.h"

namespace task_isolation
{

[[nodiscard]] Result<u32, Errno> parse_number(TextReader reader, u32 max);

} // namespace task_isolation
