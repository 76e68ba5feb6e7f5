/* A disk that fails when it is told to: preloaded into a process under test.
 *
 * INJECT_CALL   write, fsync, rename, open or close
 * INJECT_ERRNO  the error's number
 * INJECT_PATH   files whose path holds this text, and no others
 * INJECT_AFTER  how many bytes (for write) or calls succeed before
 *
 * A write that reaches the limit is cut short there, as a disk does that fills up.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long done;

static int is_meant(const char *call, const char *path)
{
    const char *wanted = getenv("INJECT_CALL"), *part = getenv("INJECT_PATH");
    return wanted && part && path && !strcmp(call, wanted) && strstr(path, part) != NULL;
}

static int is_meant_fd(const char *call, int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0)
        return 0;
    path[size] = 0;
    return is_meant(call, path);
}

/* How much of `size` still succeeds; -1 and errno where nothing does. */
static long allowed(long size)
{
    const char *after = getenv("INJECT_AFTER"), *number = getenv("INJECT_ERRNO");
    long left = (after ? atol(after) : 0) - done;
    if (left <= 0) {
        errno = number ? atoi(number) : EIO;
        return -1;
    }
    if (size > left)
        size = left;
    done += size;
    return size;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size)
{
    if (is_meant_fd("write", fd)) {
        long part = allowed(size);
        if (part < 0)
            return -1;
        size = part;
    }
    return NEXT(write)(fd, data, size);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    if (is_meant_fd("write", fd)) {
        long part = allowed(size);
        if (part < 0)
            return -1;
        size = part;
    }
    return NEXT(pwrite64)(fd, data, size, at);
}

int fsync(int fd)
{
    return is_meant_fd("fsync", fd) && allowed(1) < 0 ? -1 : NEXT(fsync)(fd);
}

int close(int fd)
{
    if (is_meant_fd("close", fd) && allowed(1) < 0) {
        int number = errno;
        NEXT(close)(fd);
        errno = number;
        return -1;
    }
    return NEXT(close)(fd);
}

int rename(const char *from, const char *to)
{
    return is_meant("rename", to) && allowed(1) < 0 ? -1 : NEXT(rename)(from, to);
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    if (flags & (O_WRONLY | O_RDWR) && is_meant("open", path) && allowed(1) < 0)
        return -1;
    return NEXT(open64)(path, flags, mode);
}
