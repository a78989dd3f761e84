// SPDX-License-Identifier: GPL-2.0
#include "callbacks.h"

constinit policy_operations task_isolation_policy =
	task_isolation::standard::operations("standard");
