"""What a seccomp filter answers: its BPF program, run as the kernel does (bpf(2), 4.4BSD).

An independent reading of the program: tests ask it for calls that nobody could make for real.
"""

import struct
from collections.abc import Sequence

X86_64 = 0xC000003E
I386 = 0x40000003
AARCH64 = 0xC00000B7

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
KILL_THREAD = 0x00000000
TRAP = 0x00030000
LOG = 0x7FFC0000
NOTIFY = 0x7FC00000


def errno_action(number: int) -> int:
    """Return the action that makes a call fail."""
    return 0x00050000 | number


def trace_action(number: int) -> int:
    """Return the action that stops for a tracer."""
    return 0x7FF00000 | number


def answer(program: bytes, number: int, arguments: Sequence[int] = (), arch: int = X86_64) -> int:
    """Return the action of a program for one system call."""
    values = [*arguments, *([0] * (6 - len(arguments)))]
    # struct seccomp_data
    call = struct.pack("<iIQ6Q", number, arch, 0, *(value & (1 << 64) - 1 for value in values))
    accumulator = at = 0
    while True:
        code, if_true, if_false, k = struct.unpack_from("=HBBI", program, at * 8)
        at += 1
        if code == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            (accumulator,) = struct.unpack_from("<I", call, k)
        elif code == 0x54:  # BPF_ALU | BPF_AND | BPF_K
            accumulator &= k
        elif code == 0x05:  # BPF_JMP | BPF_JA
            at += k
        elif code == 0x06:  # BPF_RET | BPF_K
            return int(k)
        else:
            # BPF_JMP | BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET
            holds = {
                0x15: accumulator == k,
                0x25: accumulator > k,
                0x35: accumulator >= k,
                0x45: bool(accumulator & k),
            }[code]
            at += if_true if holds else if_false
