// SPDX-License-Identifier: GPL-2.0
#include "callbacks.h"

#include "admit.h"
#include "allow.h"
#include "cause_text.h"
#include "cpulist.h"
#include "judge.h"
#include "number.h"
#include "prctl.h"
#include "quiet.h"
#include "refusal_text.h"

namespace task_isolation::standard
{

void prctl(const policy_call_facts *facts, policy_call_verdict *verdict)
{
	*verdict = dispatch(*facts);
}

void admit(const policy_admit_facts *facts, policy_admit_verdict *verdict)
{
	*verdict = task_isolation::admit(*facts);
}

void quiet(const policy_quiet_facts *facts, policy_quiet_verdict *verdict)
{
	*verdict = make_quiet(*facts);
}

void judge(const policy_event *event, policy_verdict *verdict)
{
	*verdict = task_isolation::judge(*event);
}

u32 cause_text(const policy_cause *cause, char *text, u32 size)
{
	TextWriter writer{text, size};

	write_cause(writer, *cause);
	return writer.length();
}

u32 loss_line(const policy_task *task, const policy_cause *cause, u32 log, char *text, u32 size)
{
	TextWriter writer{text, size};

	if (log == 1 || log == 2)
		write_loss_line(writer, *task, *cause, log == 1);
	return writer.length();
}

u32 refusal_text(const policy_admit_facts *facts, u32 refusal, u32 unmet,
		 const policy_cause *in_the_way, char *text, u32 size)
{
	TextWriter writer{text, size};

	if (refusal < refusals)
		write_refusal(writer, *facts, static_cast<Refusal>(refusal), unmet, in_the_way);
	return writer.length();
}

u32 state_text(u32 state, char *text, u32 size)
{
	TextWriter writer{text, size};
	const Result<State, Errno> known = state_from(state);

	if (known.ok())
		writer.text(state_word(known.value()));
	return writer.length();
}

s32 parse_cpulist(const char *text, u32 len, unsigned long *bits, u32 nbits)
{
	const Result<Nothing, Errno> parsed =
		task_isolation::parse_cpulist(TextReader{text, len}, Bitmap{bits, nbits});

	return negative(parsed.error());
}

u32 format_cpulist(const unsigned long *bits, u32 nbits, char *text, u32 size)
{
	TextWriter writer{text, size};

	write_cpulist(writer, ConstBitmap{bits, nbits});
	return writer.length();
}

s32 parse_number(const char *text, u32 len, u32 max, u32 *value)
{
	const Result<u32, Errno> number = task_isolation::parse_number(TextReader{text, len}, max);

	if (number.ok())
		*value = number.value();
	return negative(number.error());
}

s32 parse_allow(const char *text, u32 len, u32 *allow, u32 *group)
{
	const Result<Admission, Errno> admission =
		task_isolation::parse_allow(TextReader{text, len});

	if (admission.ok()) {
		*allow = number_of(admission.value().allow);
		*group = admission.value().group;
	}
	return negative(admission.error());
}

u32 allow_text(u32 allow, u32 group, char *text, u32 size)
{
	TextWriter writer{text, size};

	if (allow <= number_of(Allow::Any))
		write_allow(writer, {static_cast<Allow>(allow), group});
	return writer.length();
}

} // namespace task_isolation::standard
