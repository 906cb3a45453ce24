// The wall clock jumps each time that it is asked. What only goes forward, the monotonic clock, is left alone.
//
// JUMP      seconds that it jumps each time; with `both`, ten years there and back.
// JUMP_LOG  a file that gets a byte each time.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const long TEN_YEARS = 315360000;

static long jumped(void) {
    static atomic_long asked;
    long nth = atomic_fetch_add(&asked, 1) + 1;
    const char *jump = getenv("JUMP"), *path = getenv("JUMP_LOG");
    int log = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    if (log >= 0) {
        if (write(log, ".", 1) < 0) abort();
        close(log);
    }
    if (!jump) return 0;
    return strcmp(jump, "both") == 0 ? (nth % 2 ? TEN_YEARS : -TEN_YEARS) : nth * atol(jump);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*next)(clockid_t, struct timespec *);
    if (!next) next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int failed = next(clock, now);
    if (!failed && clock == CLOCK_REALTIME) now->tv_sec += jumped();
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}
