/*
 * Kills its process at the n-th system call that has to do with one directory, or with standard output: counted over all threads and
 * all kinds together. strace cannot say that: it counts the calls of each thread, and of each kind, for itself.
 *   LD_PRELOAD=kill-at-call.so KILL_DIR=/tmp/x KILL_AT=17 program      killed before its 17th call
 *   KILL_TRACE=file   writes the calls there, one a line
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;
static char watched[4096];
static int traceFile = -1;

static int isInside(const char *path) {
  const char *dir = getenv("KILL_DIR");
  return dir != NULL && path != NULL && strncmp(path, dir, strlen(dir)) == 0;
}

static int isWatched(int fd) { return fd == 1 || (fd > 2 && fd < (int)sizeof watched && watched[fd]); }

static void count(const char *name, const char *what) {
  static long at = -1;
  if (at < 0) at = getenv("KILL_AT") == NULL ? 0 : atol(getenv("KILL_AT"));
  long now = atomic_fetch_add(&calls, 1) + 1;
  if (getenv("KILL_TRACE") != NULL) {
    if (traceFile < 0) traceFile = open(getenv("KILL_TRACE"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dprintf(traceFile, "%ld %s %s\n", now, name, what);
  }
  if (now == at) {
    kill(getpid(), SIGKILL);
    pause();
  }
}

static void countFd(const char *name, int fd) {
  char what[16];
  if (!isWatched(fd)) return;
  snprintf(what, sizeof what, "%d", fd);
  count(name, what);
}

static int noted(int fd) {
  if (fd > 2 && fd < (int)sizeof watched) watched[fd] = 1;
  return fd;
}

#define NEXT(name) static __typeof__(&name) next; if (next == NULL) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define OPEN(name)                                                   \
  int name(const char *path, int flags, ...) {                       \
    NEXT(name);                                                      \
    va_list list; va_start(list, flags);                             \
    mode_t mode = va_arg(list, mode_t); va_end(list);                \
    if (!isInside(path)) return next(path, flags, mode);             \
    count("open", path);                                             \
    return noted(next(path, flags, mode));                           \
  }
#define ON_FD(type, name, signature, ...) \
  type name signature { NEXT(name); countFd(#name, fd); return next(__VA_ARGS__); }
#define ON_PATH(name, signature, path, ...) \
  int name signature { NEXT(name); if (isInside(path)) count(#name, path); return next(__VA_ARGS__); }
#define FCNTL(name)                                                  \
  int name(int fd, int command, ...) {                               \
    NEXT(name);                                                      \
    va_list list; va_start(list, command);                           \
    void *given = va_arg(list, void *); va_end(list);                \
    countFd("fcntl", fd);                                            \
    return next(fd, command, given);                                 \
  }

OPEN(open)
OPEN(open64)
FCNTL(fcntl)
FCNTL(fcntl64)
ON_FD(ssize_t, write, (int fd, const void *data, size_t n), fd, data, n)
ON_FD(ssize_t, pwrite, (int fd, const void *data, size_t n, off_t at), fd, data, n, at)
ON_FD(ssize_t, pwrite64, (int fd, const void *data, size_t n, off64_t at), fd, data, n, at)
ON_FD(ssize_t, pread, (int fd, void *data, size_t n, off_t at), fd, data, n, at)
ON_FD(ssize_t, pread64, (int fd, void *data, size_t n, off64_t at), fd, data, n, at)
ON_FD(ssize_t, read, (int fd, void *data, size_t n), fd, data, n)
ON_FD(int, fsync, (int fd), fd)
ON_FD(int, fdatasync, (int fd), fd)
ON_FD(int, ftruncate, (int fd, off_t n), fd, n)
ON_FD(int, ftruncate64, (int fd, off64_t n), fd, n)
ON_FD(int, fallocate, (int fd, int mode, off_t at, off_t n), fd, mode, at, n)
ON_FD(int, fchmod, (int fd, mode_t mode), fd, mode)
ON_PATH(unlink, (const char *path), path, path)
ON_PATH(rename, (const char *from, const char *to), to, from, to)
ON_PATH(link, (const char *from, const char *to), to, from, to)
ON_PATH(mkdir, (const char *path, mode_t mode), path, path, mode)

void *mmap(void *where, size_t n, int protection, int flags, int fd, off_t at) {
  NEXT(mmap);
  countFd("mmap", fd);
  return next(where, n, protection, flags, fd, at);
}

int close(int fd) {
  NEXT(close);
  if (fd > 2 && isWatched(fd)) {
    countFd("close", fd);
    watched[fd] = 0;
  }
  return next(fd);
}
