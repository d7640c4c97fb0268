# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
process.py - what a script does to its own process: the network namespace that it is in, and its name.
"""
import ctypes
import os

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def enter(netns):
    """The calling thread goes to this network namespace, given by a path."""
    fd = os.open(netns, os.O_RDONLY)
    try:
        if libc.setns(fd, CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), netns)
    finally:
        os.close(fd)


def name(comm):
    """The process is shown by this name, of 15 bytes at the most."""
    with open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write(comm)
