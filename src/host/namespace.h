/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * namespace.h - is this process in the namespaces that the host itself began with?
 */
#ifndef NETLOG_NAMESPACE_H
#define NETLOG_NAMESPACE_H

/* Kinds of namespaces of which the first one's number is a constant of the kernel. */
enum namespace_kind { namespace_cgroup, namespace_pid };

/* 1: it is in the first one; 0: in another. An error of readlink(2), as where /proc is missing. */
int namespace_is_first(enum namespace_kind kind);

#endif
