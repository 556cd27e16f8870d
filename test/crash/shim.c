/*
 * Lets chosen system calls of a process fail: preloaded into it, it stands between libuv and the C
 * library. A call counts when its operation is in FAULT_OPERATIONS ("write,fsync") and its path has
 * FAULT_PATH in it; calls of all threads are counted together.
 *
 * FAULT_CONTROL names a file of the numbers below, shared with whoever planned the fault: it may be
 * changed while the process runs, and can be read after the process was killed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
  /* The number of the first call that meets the fault; 0 for none. Numbers start at 1. */
  _Atomic int64_t first;
  /* How many calls meet it; -1 for all from the first on. */
  _Atomic int64_t times;
  /* Calls that counted so far. */
  _Atomic int64_t seen;
  /* Calls that met the fault so far. */
  _Atomic int64_t hit;
  /* Which call met it first: its operation and path. */
  char where[480];
};

static struct control *control;
static const char *operations, *path_part, *kill_when;
static int error_number, delay_ms;
static size_t short_bytes;

static int number_of(const char *name) {
  const char *text = getenv(name);
  return text ? atoi(text) : 0;
}

__attribute__((constructor)) static void start(void) {
  const char *file = getenv("FAULT_CONTROL");
  if (!file) return;
  operations = getenv("FAULT_OPERATIONS");
  path_part = getenv("FAULT_PATH");
  kill_when = getenv("FAULT_KILL");
  error_number = number_of("FAULT_ERRNO");
  delay_ms = number_of("FAULT_DELAY_MS");
  short_bytes = number_of("FAULT_SHORT_BYTES");
  int fd = open(file, O_RDWR);
  void *memory = mmap(0, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd < 0 || memory == MAP_FAILED || !operations || !path_part) {
    perror("fault shim");
    _exit(125);
  }
  close(fd);
  control = memory;
}

static int is_chosen(const char *operation) {
  size_t length = strlen(operation);
  for (const char *at = operations; (at = strstr(at, operation)); at += length) {
    int begins = at == operations || at[-1] == ',';
    if (begins && (at[length] == ',' || at[length] == 0)) return 1;
  }
  return 0;
}

static int counts(const char *operation, const char *path) {
  if (!strstr(path, path_part)) return 0;
  int64_t number = atomic_fetch_add(&control->seen, 1) + 1;
  int64_t first = control->first, times = control->times;
  if (first == 0 || number < first || (times >= 0 && number >= first + times)) return 0;
  if (atomic_fetch_add(&control->hit, 1) == 0) {
    snprintf(control->where, sizeof control->where, "%s %s", operation, path);
  }
  return 1;
}

static void meet(void) {
  struct timespec delay = {delay_ms / 1000, delay_ms % 1000 * 1000000L};
  if (delay_ms) nanosleep(&delay, 0);
  if (kill_when && !strcmp(kill_when, "before")) kill(getpid(), SIGKILL);
}

/* Whether this call meets the fault; then the delay is over and a kill before it has been done. */
static int meets(const char *operation, const char *path) {
  if (!control || !is_chosen(operation) || !counts(operation, path)) return 0;
  meet();
  return 1;
}

static int meets_fd(const char *operation, int fd) {
  if (!control || !is_chosen(operation)) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return meets(operation, path);
}

static int fails(int is_met) {
  if (is_met && error_number) errno = error_number;
  return is_met && error_number;
}

static void done(int is_met) {
  if (is_met && kill_when && !strcmp(kill_when, "after")) kill(getpid(), SIGKILL);
}

static size_t taken(int is_met, size_t asked) {
  return is_met && short_bytes && short_bytes < asked ? short_bytes : asked;
}

/* A function of the C library with our own in front of it. */
#define SHIM(is_met, type, name, parameters, arguments) \
  type name parameters {                                \
    static type(*real) parameters;                      \
    if (!real) real = dlsym(RTLD_NEXT, #name);          \
    int met = is_met;                                   \
    if (fails(met)) return -1;                          \
    type result = real arguments;                       \
    int error = errno;                                  \
    done(met);                                          \
    errno = error;                                      \
    return result;                                      \
  }
#define ON_FD(operation, type, name, parameters, arguments) \
  SHIM(meets_fd(operation, fd), type, name, parameters, arguments)
#define ON_PATH(operation, type, name, parameters, arguments) \
  SHIM(meets(operation, path), type, name, parameters, arguments)

/* What libuv imports for files (nm -D --undefined-only node); it has no need of the others. */
ON_FD("write", ssize_t, write, (int fd, const void *data, size_t size), (fd, data, taken(met, size)))
ON_FD("write", ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at),
      (fd, data, taken(met, size), at))
ON_FD("write", ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
ON_FD("write", ssize_t, pwritev64, (int fd, const struct iovec *parts, int count, off64_t at),
      (fd, parts, count, at))
ON_FD("read", ssize_t, read, (int fd, void *data, size_t size), (fd, data, taken(met, size)))
ON_FD("read", ssize_t, pread64, (int fd, void *data, size_t size, off64_t at),
      (fd, data, taken(met, size), at))
ON_FD("fdatasync", int, fdatasync, (int fd), (fd))
ON_FD("fsync", int, fsync, (int fd), (fd))
ON_FD("ftruncate", int, ftruncate64, (int fd, off64_t size), (fd, size))
ON_PATH("unlink", int, unlink, (const char *path), (path))
ON_PATH("mkdir", int, mkdir, (const char *path, mode_t mode), (path, mode))
ON_PATH("rename", int, rename, (const char *from, const char *path), (from, path))
ON_PATH("open", int, scandir64,
        (const char *path, struct dirent64 ***names, int (*filter)(const struct dirent64 *),
         int (*compare)(const struct dirent64 **, const struct dirent64 **)),
        (path, names, filter, compare))

int open64(const char *path, int flags, ...) {
  static int (*real)(const char *, int, ...);
  if (!real) real = dlsym(RTLD_NEXT, "open64");
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  int may_create = flags & O_CREAT && is_chosen("create");
  int met = meets(may_create ? "create" : "open", path);
  if (fails(met)) return -1;
  int fd = real(path, flags, mode);
  done(met);
  return fd;
}
