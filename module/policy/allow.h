/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: who may enter, as the file "allow" takes and shows it (6.8).
 *
 * Example: parse_allow({"gid=27\n", 7}).value()  // {Allow::Group, 27}
 *
 * Invariants: one of privileged, gid=N and any, at most one newline behind;
 * what is written is read back as it was.
 */
#pragma once

#include "lib/result.h"
#include "lib/text_reader.h"
#include "lib/text_writer.h"
#include "policy.h"

namespace task_isolation
{

enum class Allow : u32 {
	Privileged = POLICY_ALLOW_PRIVILEGED,
	Group = POLICY_ALLOW_GROUP,
	Any = POLICY_ALLOW_ANY,
};

struct Admission {
	Allow allow;
	u32 group; /* of Allow::Group: a group id of the initial user namespace */
};

[[nodiscard]] Result<Admission, Errno> parse_allow(TextReader reader);

void write_allow(TextWriter &writer, const Admission &admission);

} // namespace task_isolation
