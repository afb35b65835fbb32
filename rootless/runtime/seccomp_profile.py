"""The seccomp profile of every container that names none: what Docker and podman have in effect.

System calls that programs use are allowed, those that reach into the kernel need the capability
that they are of, and some old or dangerous ones are refused (EPERM). What is not named, in most
cases because it is newer than the list, is not there (ENOSYS): a C library then does without it.
As in podman, and unlike in Docker, a container may make namespaces and mount in them.

Each name is a fact of the kernel's; tests/unit compares the whole with the profile of Debian's
golang-github-containers-common, call for call.
"""

from collections.abc import Collection, Iterator

from rootless.oci.seccomp_spec import ArgumentRule, SeccompSpec, SyscallRule

_ALLOW = "SCMP_ACT_ALLOW"
_ERRNO = "SCMP_ACT_ERRNO"
_EPERM = 1
_EINVAL = 22
_ENOSYS = 38
_EAFNOSUPPORT = 97

_ALLOWED = """
    _llseek _newselect accept accept4 access adjtimex alarm bind brk capget capset chdir
    chmod chown chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64
    clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 clone clone3 close
    close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
    epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
    eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64
    fallocate fanotify_mark fchdir fchmod fchmodat fchown fchown32 fchownat fcntl fcntl64
    fdatasync fgetxattr flistxattr flock fork fremovexattr fsconfig fsetxattr fsmount fsopen
    fspick fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex
    futex_time64 futimesat get_mempolicy get_robust_list get_thread_area getcpu getcwd
    getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups
    getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
    getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname
    getsockopt gettid gettimeofday getuid getuid32 getxattr inotify_add_watch inotify_init
    inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_setup io_submit
    ioctl ioprio_get ioprio_set ipc keyctl kill landlock_add_rule landlock_create_ruleset
    landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listxattr llistxattr
    lremovexattr lseek lsetxattr lstat lstat64 madvise mbind membarrier memfd_create
    memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mount
    mount_setattr move_mount mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
    mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap msgctl msgget
    msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat
    open open_tree openat openat2 pause pidfd_getfd pidfd_open pidfd_send_signal pipe pipe2
    pivot_root pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64
    preadv preadv2 prlimit64 process_mrelease process_vm_readv process_vm_writev pselect6
    pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readdir readlink
    readlinkat readv reboot recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages
    removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction
    rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
    rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min
    sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
    sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam
    sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop
    semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_mempolicy
    set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32
    setgid setgid32 setgroups setgroups32 setitimer setns setpgid setpriority setregid
    setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit
    setsid setsockopt setuid setuid32 setxattr shmat shmctl shmdt shmget shutdown sigaction
    sigaltstack signal signalfd signalfd4 sigpending sigprocmask sigreturn sigsuspend
    socketcall socketpair splice stat stat64 statfs statfs64 statx symlink symlinkat sync
    sync_file_range syncfs syscall sysinfo syslog tee tgkill time timer_create timer_delete
    timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd
    timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times
    tkill truncate truncate64 ugetrlimit umask umount umount2 uname unlink unlinkat unshare
    utime utimensat utimensat_time64 utimes vfork wait4 waitid waitpid write writev
"""

# Since Linux 5.16; later than the profile that the rest is compared with.
_ALLOWED_NEWER = """
    cachestat fchmodat2 file_getattr file_setattr futex_requeue futex_wait futex_waitv
    futex_wake getxattrat listmount listxattrat lsm_get_self_attr lsm_list_modules
    lsm_set_self_attr map_shadow_stack mseal open_tree_attr removexattrat
    set_mempolicy_home_node setxattrat statmount
"""

_ON_ARM = "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2"

# By machine, as uname(2) has it.
_ALLOWED_ON = {
    "x86_64": "arch_prctl modify_ldt uretprobe",
    "i686": "modify_ldt",
    "aarch64": _ON_ARM,
    "armv7l": _ON_ARM,
    "ppc64le": "sync_file_range2",
    "riscv64": "riscv_flush_icache riscv_hwprobe",
    "s390x": "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr",
}

# Allowed to whoever holds one of the capabilities, refused to the others.
_WITH_CAPABILITY = (
    (("CAP_DAC_READ_SEARCH",), "open_by_handle_at"),
    (
        ("CAP_SYS_ADMIN",),
        "fanotify_init lookup_dcookie quotactl quotactl_fd setdomainname sethostname",
    ),
    (("CAP_SYS_ADMIN", "CAP_BPF"), "bpf"),
    (("CAP_SYS_ADMIN", "CAP_PERFMON"), "perf_event_open"),
    (("CAP_SYS_CHROOT",), "chroot"),
    (("CAP_SYS_MODULE",), "delete_module finit_module init_module query_module"),
    (("CAP_SYS_PACCT",), "acct"),
    (("CAP_SYS_PTRACE",), "kcmp process_madvise"),
    (("CAP_SYS_RAWIO",), "ioperm iopl"),
    (("CAP_SYS_TIME",), "clock_settime clock_settime64 settimeofday stime"),
    (("CAP_SYS_TTY_CONFIG",), "vhangup"),
)

_REFUSED = """
    bdflush io_pgetevents kexec_file_load kexec_load migrate_pages move_pages nfsservctl nice
    oldfstat oldlstat oldolduname oldstat olduname pciconfig_iobase pciconfig_read
    pciconfig_write sgetmask ssetmask swapcontext swapoff swapon sysfs uselib userfaultfd ustat
    vm86 vm86old vmsplice
"""

# personality(2): PER_LINUX, PER_LINUX32, each with UNAME26 too, and the question which one it is
_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)

_AF_NETLINK = 16
_AF_VSOCK = 40
_NETLINK_AUDIT = 9
# All address families but these two, all protocols but that one: each the first of a block of 2
# to the power of the second.
_FAMILIES = ((0, 4), (17, 0), (18, 1), (20, 2), (24, 3), (32, 3), (41, 0), (42, 1), (44, 2))
_NETLINK_PROTOCOLS = ((0, 3), (8, 0), (10, 1), (12, 2), (16, 4))

# What runs on a machine beside its own.
_ARCHITECTURES = {
    "x86_64": ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"),
    "aarch64": ("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"),
    "mips64": ("SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64N32"),
    "s390x": ("SCMP_ARCH_S390X", "SCMP_ARCH_S390"),
}


def default_seccomp(capabilities: Collection[str], machine: str) -> SeccompSpec:
    """Return the `linux.seccomp` of a container with these capabilities in its bounding set.

    Args:
        capabilities: Names as in capabilities(7).
        machine: As uname(2) has it.
    """
    return SeccompSpec(
        default_action=_ERRNO,
        default_errno_ret=_ENOSYS,
        architectures=_ARCHITECTURES.get(machine, ()),
        syscalls=tuple(_rules(capabilities, machine)),
    )


def _rules(capabilities: Collection[str], machine: str) -> Iterator[SyscallRule]:
    allowed, refused = [_ALLOWED, _ALLOWED_NEWER, _ALLOWED_ON.get(machine, "")], [_REFUSED]
    for one_of, names in _WITH_CAPABILITY:
        may = any(capability in capabilities for capability in one_of)
        (allowed if may else refused).append(names)
    yield _allow(" ".join(allowed))
    yield _refuse(" ".join(refused))
    for personality in _PERSONALITIES:
        yield _allow("personality", ArgumentRule(0, "SCMP_CMP_EQ", personality))
    yield from _socket_rules(writes_audit_log="CAP_AUDIT_WRITE" in capabilities)


def _socket_rules(*, writes_audit_log: bool) -> Iterator[SyscallRule]:
    """No socket reaches a hypervisor; the audit log's is there for who may write to it.

    To whoever asks for one of them it looks as if the kernel had none. The kernel takes 32 bits of
    an argument and a rule compares 64: what is compared is masked, else a set bit above would pass.
    """
    yield _refuse("socket", _masked(0, _AF_VSOCK), errno_ret=_EAFNOSUPPORT)
    for family, free_bits in _FAMILIES:
        yield _allow("socket", _masked(0, family, free_bits))
    netlink = _masked(0, _AF_NETLINK)
    if writes_audit_log:
        yield _allow("socket", netlink)
        return
    for protocol, free_bits in _NETLINK_PROTOCOLS:
        yield _allow("socket", netlink, _masked(2, protocol, free_bits))
    yield _refuse("socket", netlink, _masked(2, _NETLINK_AUDIT), errno_ret=_EINVAL)


def _masked(index: int, value: int, free_bits: int = 0) -> ArgumentRule:
    mask = 0xFFFFFFFF >> free_bits << free_bits
    return ArgumentRule(index, "SCMP_CMP_MASKED_EQ", mask, value)


def _allow(names: str, *arguments: ArgumentRule) -> SyscallRule:
    return SyscallRule(tuple(names.split()), _ALLOW, arguments=arguments)


def _refuse(names: str, *arguments: ArgumentRule, errno_ret: int = _EPERM) -> SyscallRule:
    return SyscallRule(tuple(names.split()), _ERRNO, errno_ret, arguments)
