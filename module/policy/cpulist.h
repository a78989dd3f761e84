/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: lists of CPUs as text, in the kernel's own syntax (6.4).
 *
 * Example:
 *	"2-5,8-30:2/4"	ranges; of each group of 4 the first 2
 *	"all", "0-N"	every CPU; N is the last one
 *
 * Invariants: accepts and refuses what bitmap_parselist() of 6.12 does, with
 * the same errno and the same bits; a corpus is run through both.
 */
#pragma once

#include "lib/bitmap.h"
#include "lib/result.h"
#include "lib/text_reader.h"
#include "lib/text_writer.h"

namespace task_isolation
{

/* On an error the bitmap holds the regions before the bad one. */
[[nodiscard]] Result<Nothing, Errno> parse_cpulist(TextReader reader, Bitmap bitmap);

/* "2-5,8", as %*pbl prints it; a pair of neighbours is a range too. */
void write_cpulist(TextWriter &writer, ConstBitmap bitmap);

} // namespace task_isolation
