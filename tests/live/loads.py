# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""loads.py FILE mended|none|asked - what `loads` has told of BPF programs, judged. Prints what is wrong.

mended: no program with functions has loads that the kernel mends when they fault, unless it has the table
for that. Without one, such a load is a panic, see src/kernel/extable.h.

none: no program with functions has such loads at all.

asked: no pointer that was loaded is followed, or handed to a helper, before it has been compared with zero,
on any way through the program. For that the values of registers and of the stack are followed, as the
verifier does: a value is where it was loaded, or nothing if no harm can come of it.
"""

import struct
import sys

LD, LDX, ST, STX, ALU, JMP, JMP32, ALU64 = range(8)
MEM, PROBE_MEM, PROBE_MEMSX = 0x60, 0x20, 0x40
JEQ, JNE, CALL, EXIT, JA = 1, 5, 8, 9, 0
MOV = 0xB
ADDR_PERCPU = -1
STACK, CONTEXT, CONSTANT, MEMORY, HARMLESS = "stack", "context", "constant", "memory", "harmless"

class Instruction:
    def __init__(self, raw):
        self.code, registers, self.off, self.imm = struct.unpack("<BBhi", raw)
        self.dst, self.src = registers & 15, registers >> 4
        self.kind, self.mode = self.code & 7, self.code & 0xE0
        self.operation = self.code >> 4

    def loads(self):
        return self.kind == LDX

    def mended(self):
        return self.loads() and self.mode in (PROBE_MEM, PROBE_MEMSX)


def instructions_of(text):
    raw = bytes.fromhex(text)
    return [Instruction(raw[at : at + 8]) for at in range(0, len(raw), 8)]


def join(a, b):
    """A value that may be either: unasked if one of them is."""
    if a == b:
        return a
    for value in (a, b):
        if isinstance(value, tuple):
            return value
    return MEMORY if MEMORY in (a, b) else HARMLESS


def joined(old, new):
    if old is None:
        return dict(new)
    return {place: join(old.get(place, HARMLESS), new.get(place, HARMLESS)) for place in old.keys() | new.keys()}


def asked_for(state, value):
    """It is not zero: nor is any copy of it."""
    return {place: MEMORY if other == value else other for place, other in state.items()}


class Program:
    """`state` is {register number or ("slot", offset): value}; a loaded value is a tuple (place, of)."""

    def __init__(self, text, following):
        self.code = instructions_of(text)
        self.following = following  # calls that follow a pointer, and in which register that is
        self.wrong = {}

    def use(self, state, register, at, what):
        value = state.get(register, HARMLESS)
        if isinstance(value, tuple):
            self.wrong[at] = f"instruction {at} {what} what instruction {value[0]} loaded, unasked"

    def loaded(self, state, at, i):
        base = state.get(i.src, HARMLESS)
        if base == STACK:
            return state.get(("slot", i.off), HARMLESS)
        if base == CONTEXT:
            return MEMORY  # an argument; bpf/arguments.h says which may be NULL
        if base == CONSTANT:
            return HARMLESS  # netlog's own memory
        self.use(state, i.src, at, "follows")
        # only a pointer as a whole can be followed later
        return (at, i.src) if i.code & 0x18 == 0x18 else HARMLESS

    def step(self, state, at):
        """Yields (next place, state there)."""
        i, state = self.code[at], dict(state)
        if i.kind == LD:  # a constant of 64 bits
            state[i.dst] = CONSTANT
            yield at + 2, state
            return
        if i.loads():
            state[i.dst] = self.loaded(state, at, i)
        elif i.kind == STX and state.get(i.dst) == STACK and i.mode == MEM:
            state[("slot", i.off)] = state.get(i.src, HARMLESS) if i.code & 0x18 == 0x18 else HARMLESS
        elif i.kind == ST and state.get(i.dst) == STACK:
            state[("slot", i.off)] = HARMLESS
        elif i.kind in (ALU, ALU64):
            self.calculate(state, i)
        elif i.kind in (JMP, JMP32):
            yield from self.jump(state, at, i)
            return
        yield at + 1, state

    @staticmethod
    def calculate(state, i):
        by_register = i.code & 8
        if i.kind == ALU64 and i.operation == MOV and by_register and i.off == ADDR_PERCPU:
            state[i.dst] = CONSTANT  # a variable of this CPU's, such as the task at work: never NULL
        elif i.kind == ALU64 and i.operation == MOV and by_register and not i.off:
            state[i.dst] = state.get(i.src, HARMLESS)
        elif i.kind == ALU64 and i.operation == 0 and not by_register:
            # a place in the structure; in the stack it is some other slot
            if state.get(i.dst) == STACK:
                state[i.dst] = "stack address"
        else:
            state[i.dst] = HARMLESS

    def jump(self, state, at, i):
        if i.operation == CALL:
            if i.src == 0 and i.imm in self.following:
                self.use(state, self.following[i.imm], at, "hands over")
            # what a helper writes to the stack is copied, or its own
            state = {place: value for place, value in state.items() if place not in range(6)}
            state[0] = MEMORY
            yield at + 1, state
        elif i.operation == JA:
            yield at + 1 + (i.imm if i.kind == JMP32 else i.off), state
        elif i.operation != EXIT:
            value = state.get(i.dst)
            zero = isinstance(value, tuple) and i.kind == JMP and not i.code & 8 and i.imm == 0
            there = asked_for(state, value) if zero and i.operation == JNE else state
            here = asked_for(state, value) if zero and i.operation == JEQ else state
            yield at + 1 + i.off, there
            yield at + 1, here

    def functions(self):
        return {0} | {at + 1 + i.imm for at, i in enumerate(self.code) if i.code == 0x85 and i.src == 1}

    def unasked(self):
        for entry in self.functions():
            known = {}
            first = {1: CONTEXT if entry == 0 else MEMORY, 10: STACK}
            todo = [(entry, first | {r: MEMORY for r in range(2, 6)} if entry else first)]
            while todo:
                at, state = todo.pop()
                new = joined(known.get(at), state)
                if new == known.get(at):
                    continue
                known[at] = new
                todo.extend(self.step(new, at))
        return [self.wrong[at] for at in sorted(self.wrong)]


def main():
    path, question = sys.argv[1], sys.argv[2]
    with open(path, encoding="ascii") as file:
        first, *programs = [line.split() for line in file]
    if first[0] != "following" or not programs:
        sys.exit("no programs")
    following = {int(call): int(register) for call, register in (word.split(":") for word in first[1:])}
    for _, name, functions, count, has_table, text in programs:
        program = Program(text, following)
        mended = sum(i.mended() for i in program.code)
        # of one with functions, the kernel may count the first one's only
        if functions == "0" and mended != int(count):
            print(f"{name}: {mended} mended loads, and the kernel counts {count}")
        if question == "mended" and mended and int(functions) > 1 and has_table == "0":
            print(f"{name}: {mended} loads that cannot be mended, {functions} functions")
        if question == "none" and mended and int(functions) > 1:
            print(f"{name}: {mended} mended loads, {functions} functions")
        if question == "asked":
            for wrong in program.unasked():
                print(f"{name}: {wrong}")


main()
