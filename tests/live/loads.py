# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""loads.py FILE mended|none|asked - what `loads` has told of BPF programs, judged. Prints what is wrong.

mended: no program with functions has loads that the kernel mends when they fault, unless it has the table
for that. Without one, such a load is a panic, see src/kernel/extable.h.

none: no program with functions has such loads at all, nor any load by which a hook's argument is followed: on
some kernels that is a mended one, on others not.

asked: no pointer that was loaded is followed, or handed to a helper that follows it, before it has been
compared with zero, on any way through the program and its functions. For that the values of registers and of
the stack are followed, as the verifier does.
"""

import struct
import sys
from typing import NamedTuple

LD, LDX, ST, STX, ALU, JMP, JMP32, ALU64 = range(8)
MEM, PROBE_MEM, PROBE_MEMSX = 0x60, 0x20, 0x40
JEQ, JNE, CALL, EXIT, JA = 1, 5, 8, 9, 0
ADD, MOV = 0, 0xB
ADDR_PERCPU = -1
PSEUDO_CALL = 1

# Values. All but those that were loaded are safe to follow, or are followed by nobody.
CONTEXT, ARGUMENT, CONSTANT, MEMORY, HARMLESS = "context", "argument", "constant", "memory", "harmless"


class Stack(NamedTuple):
    """An address in the program's own stack."""

    offset: int


class Loaded(NamedTuple):
    """What was loaded through a pointer, and not yet compared with zero: by its place, or where ways meet."""

    place: tuple
    moved: bool = False  # something has been added to it: comparing that tells nothing


class Instruction:
    def __init__(self, raw):
        self.code, registers, self.off, self.imm = struct.unpack("<BBhi", raw)
        self.dst, self.src = registers & 15, registers >> 4
        self.kind, self.mode = self.code & 7, self.code & 0xE0
        self.operation = self.code >> 4

    def loads(self):
        return self.kind == LDX

    def leaves(self):
        return self.kind == JMP and self.operation in (EXIT, JA)

    def mended(self):
        return self.loads() and self.mode in (PROBE_MEM, PROBE_MEMSX)


def instructions_of(text):
    raw = bytes.fromhex(text)
    return [Instruction(raw[at : at + 8]) for at in range(0, len(raw), 8)]


def join(a, b, where):
    """A value that may be either, where two ways meet: not asked for if one of them is not."""
    if a == b:
        return a
    if isinstance(a, Loaded) or isinstance(b, Loaded):
        return Loaded(where)  # asking for the one does not tell of the other
    if isinstance(a, Stack) or isinstance(b, Stack):
        return MEMORY
    for value in (ARGUMENT, MEMORY):
        if value in (a, b):
            return value
    return HARMLESS


def joined(old, new, at):
    if old is None:
        return dict(new)
    places = old.keys() | new.keys()
    return {p: join(old.get(p, HARMLESS), new.get(p, HARMLESS), ("meeting", at, p)) for p in places}


def asked_for(state, value):
    """It is not zero: nor is any copy of it, and what was added to leads to where it should."""
    return {
        place: MEMORY if isinstance(other, Loaded) and other.place == value.place else other
        for place, other in state.items()
    }


class Program:
    """`state` is {register number or ("slot", offset): value}."""

    def __init__(self, text, functions, following):
        self.code = instructions_of(text)
        self.functions = functions
        self.following = following  # calls that follow a pointer, and in which register that is
        self.wrong, self.through_arguments = {}, set()
        self.known, self.todo, self.entries = {}, [], {0}
        # compiled, one of `off` and `imm` is the distance, and the other the function's number: which one that is
        # differs between kernels, see the end of jit_subprogs()
        calls = [at for at, i in enumerate(self.code) if i.code == JMP | CALL << 4 and i.src == PSEUDO_CALL]
        self.distance_in_off = all(self.begins_function(at + 1 + self.code[at].off) for at in calls)

    def begins_function(self, at):
        return 0 < at < len(self.code) and self.code[at - 1].leaves()

    def use(self, state, register, at, what):
        value = state.get(register, HARMLESS)
        if isinstance(value, Loaded):
            self.wrong[at] = f"instruction {at} {what} what {value.place[0]} {value.place[1]} loaded, unasked"

    def loaded(self, state, at, i):
        base = state.get(i.src, HARMLESS)
        whole = i.code & 0x18 == 0x18  # only a pointer as a whole can be followed later
        if isinstance(base, Stack):
            return state.get(("slot", base.offset + i.off), HARMLESS)
        if base == CONTEXT:
            return ARGUMENT  # bpf/arguments.h says which may be NULL
        if base == CONSTANT:
            return HARMLESS  # netlog's own memory
        self.use(state, i.src, at, "follows")
        if base == ARGUMENT:
            self.through_arguments.add(at)
        return Loaded(("instruction", at)) if whole else HARMLESS

    def step(self, state, at):
        """Goes on behind the instruction."""
        i, state = self.code[at], dict(state)
        if i.kind == LD:  # a constant of 64 bits
            state[i.dst] = CONSTANT
            self.go(at + 2, state)
            return
        if i.loads():
            state[i.dst] = self.loaded(state, at, i)
        elif i.kind in (ST, STX) and isinstance(state.get(i.dst), Stack):
            value = state.get(i.src, HARMLESS) if i.kind == STX and i.mode == MEM and i.code & 0x18 == 0x18 else HARMLESS
            state[("slot", state[i.dst].offset + i.off)] = value
        elif i.kind in (ALU, ALU64):
            self.calculate(state, i)
        elif i.kind in (JMP, JMP32):
            self.jump(state, at, i)
            return
        self.go(at + 1, state)

    @staticmethod
    def calculate(state, i):
        by_register, value = i.code & 8, state.get(i.dst)
        if i.kind == ALU64 and i.operation == MOV and by_register and i.off == ADDR_PERCPU:
            state[i.dst] = CONSTANT  # a variable of this CPU's, such as the task at work: never NULL
        elif i.kind == ALU64 and i.operation == MOV and by_register and not i.off:
            state[i.dst] = state.get(i.src, HARMLESS)
        elif i.kind == ALU64 and i.operation == ADD and not by_register:
            if isinstance(value, Stack):
                state[i.dst] = Stack(value.offset + i.imm)
            elif isinstance(value, Loaded):
                state[i.dst] = Loaded(value.place, True)
        else:
            state[i.dst] = HARMLESS

    def call(self, state, at, i):
        if i.src == PSEUDO_CALL:
            entry = at + 1 + (i.off if self.distance_in_off else i.imm)
            self.entries.add(entry)
            handed = {r: MEMORY if isinstance(state.get(r), Stack) else state.get(r, HARMLESS) for r in range(1, 6)}
            self.go(entry, handed | {10: Stack(0)})
        elif i.src == 0 and i.imm in self.following:
            self.use(state, self.following[i.imm], at, "hands over")
        # what a helper writes to the stack is copied, or its own
        state = {place: value for place, value in state.items() if place not in range(6)}
        state[0] = MEMORY
        self.go(at + 1, state)

    def jump(self, state, at, i):
        if i.operation == CALL:
            self.call(state, at, i)
        elif i.operation == JA:
            self.go(at + 1 + (i.imm if i.kind == JMP32 else i.off), state)
        elif i.operation != EXIT:
            value = state.get(i.dst)
            zero = isinstance(value, Loaded) and not value.moved and i.kind == JMP and not i.code & 8 and i.imm == 0
            self.go(at + 1 + i.off, asked_for(state, value) if zero and i.operation == JNE else state)
            self.go(at + 1, asked_for(state, value) if zero and i.operation == JEQ else state)

    def go(self, at, state):
        new = joined(self.known.get(at), state, at)
        if new != self.known.get(at):
            self.known[at] = new
            self.todo.append(at)

    def follow(self):
        """What is wrong, in the order of the instructions."""
        self.go(0, {1: CONTEXT, 10: Stack(0)})
        while self.todo:
            at = self.todo.pop()
            self.step(self.known[at], at)
        # before 6.8 there are also functions that nobody calls
        if len(self.entries) > max(self.functions, 1):
            return [f"{len(self.entries)} functions were found, not {self.functions}"]
        for entry in self.entries - {0}:
            if not self.begins_function(entry):
                return [f"no function begins at instruction {entry}"]
        return [self.wrong[at] for at in sorted(self.wrong)]


def main():
    path, question = sys.argv[1], sys.argv[2]
    with open(path, encoding="ascii") as file:
        first, *programs = [line.split() for line in file]
    if first[0] != "following" or not programs:
        sys.exit("no programs")
    following = {int(call): int(register) for call, register in (word.split(":") for word in first[1:])}
    if not following:
        sys.exit("no helpers")
    for _, name, functions, count, has_table, text in programs:
        functions = int(functions)
        program = Program(text, functions, following)
        wrong = program.follow()
        mended = sum(i.mended() for i in program.code)
        # of one with functions, the kernel may count the first one's only
        if not functions and mended != int(count):
            print(f"{name}: {mended} mended loads, and the kernel counts {count}")
        if question == "mended" and mended and functions > 1 and has_table == "0":
            print(f"{name}: {mended} loads that cannot be mended, {functions} functions")
        if question == "none" and functions > 1 and mended:
            print(f"{name}: {mended} mended loads, {functions} functions")
        if question == "none" and functions > 1 and program.through_arguments:
            print(f"{name}: arguments are followed at {sorted(program.through_arguments)}, {functions} functions")
        if question == "asked":
            for what in wrong:
                print(f"{name}: {what}")


main()
