// Something happens at the nth call that opens or changes a file, counted over all threads.
//
// FAULT_AT=N   the call, from 1; without it calls are only counted.
// FAULT_IS     kill: the process is killed before it. A number: it fails with this errno; with ENOSPC only
//              if it is one that takes space.
// FAULT_FOR    for how many calls, 1 if it isn't set.
// FAULT_LOG    a file to which the number of calls and the last one's name are written as they are made.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls;

static long number(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text ? atol(text) : otherwise;
}

static void tell(long nth, const char *name) {
    const char *path = getenv("FAULT_LOG");
    if (!path) return;
    static int (*next)(const char *, int, ...);
    if (!next) next = dlsym(RTLD_NEXT, "open64");
    int log = next(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log >= 0) {
        dprintf(log, "%ld %s\n", nth, name);
        close(log);
    }
}

enum needs { NOTHING, SPACE };

// Whether this call fails, with errno set.
static int fails(const char *name, enum needs needs) {
    long nth = atomic_fetch_add(&calls, 1) + 1, at = number("FAULT_AT", 0);
    tell(nth, name);
    if (at == 0 || nth < at || nth >= at + number("FAULT_FOR", 1)) return 0;
    const char *is = getenv("FAULT_IS");
    if (is && strcmp(is, "kill") == 0) kill(getpid(), SIGKILL);
    int wanted = is ? atoi(is) : EIO;
    if (wanted == ENOSPC && needs != SPACE) return 0;
    errno = wanted;
    return 1;
}

static int is_file(int fd) {
    struct stat there;
    return fd > 2 && fstat(fd, &there) == 0 && S_ISREG(there.st_mode);
}

// What the system and the runtime open for themselves is not the build's.
static int is_own(const char *path) {
    return strcmp(path, "/") && strncmp(path, "/proc/", 6) && strncmp(path, "/sys/", 5) && strncmp(path, "/dev/", 5) &&
           strncmp(path, "/etc/", 5) && strncmp(path, "/lib/", 5) && strncmp(path, "/usr/", 5);
}

#define NEXT(type, name, ...)                                  \
    static type (*next)(__VA_ARGS__);                          \
    if (!next) next = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    NEXT(int, "open64", const char *, int, ...);
    return is_own(path) && fails("open", flags & O_CREAT ? SPACE : NOTHING) ? -1 : next(path, flags, mode);
}

ssize_t write(int fd, const void *bytes, size_t len) {
    NEXT(ssize_t, "write", int, const void *, size_t);
    return is_file(fd) && fails("write", SPACE) ? -1 : next(fd, bytes, len);
}

int fsync(int fd) {
    NEXT(int, "fsync", int);
    return fails("fsync", SPACE) ? -1 : next(fd);
}

int flock(int fd, int how) {
    NEXT(int, "flock", int, int);
    return fails("flock", NOTHING) ? -1 : next(fd, how);
}

int mkdir(const char *path, mode_t mode) {
    NEXT(int, "mkdir", const char *, mode_t);
    return fails("mkdir", SPACE) ? -1 : next(path, mode);
}

int rename(const char *from, const char *to) {
    NEXT(int, "rename", const char *, const char *);
    return fails("rename", SPACE) ? -1 : next(from, to);
}

int unlink(const char *path) {
    NEXT(int, "unlink", const char *);
    return fails("unlink", NOTHING) ? -1 : next(path);
}

int unlinkat(int folder, const char *path, int flags) {
    NEXT(int, "unlinkat", int, const char *, int);
    return fails("unlinkat", NOTHING) ? -1 : next(folder, path, flags);
}

ssize_t pread64(int fd, void *bytes, size_t len, off_t from) {
    NEXT(ssize_t, "pread64", int, void *, size_t, off_t);
    return is_file(fd) && fails("read", NOTHING) ? -1 : next(fd, bytes, len, from);
}
