// SPDX-License-Identifier: GPL-2.0
/* The module of never_ready.cpp; an object of its own, for each has its own THIS_MODULE. */
#define POLICY_DESCRIPTION "Task isolation: the policy that never lets a task become isolated"
#include "../module.c"
