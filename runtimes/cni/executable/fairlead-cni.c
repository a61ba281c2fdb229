/*
 * The executable of a CNI plugin: hands its invocation to the daemon and prints the answer. What it promises stands in ../wire.ts, and
 * fairlead-cni.pl and fairlead-cni.cjs promise the same where this one can't run.
 *
 * It is started for everything that happens to a pod's network, on hosts of any distribution: so it brings no library, not even libc, which
 * takes longer to start than all of this needs. The headers give constants and layouts only.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

/* `fairlead cni install` writes its values into these, in a copy of this program. */
#define SLOT(name, size, value) __attribute__((used)) char name[size] = "fairlead-slot:" #name "=" value
SLOT(socket_path, 160, "/run/fairlead/cni.sock");
SLOT(spool_path, 320, "/var/lib/fairlead/cni/spool");
SLOT(deadline_ms, 64, "115000");
#define VALUE(name) (name + sizeof "fairlead-slot:" #name "=" - 1)

#define STATUS_DEADLINE 10000
#define MAX_INVOCATION (4 * 1024 * 1024)
#define MAX_ANSWER (16 * 1024 * 1024)
#define VERSIONS(quote, comma) \
  quote "0.1.0" quote comma quote "0.2.0" quote comma quote "0.3.0" quote comma quote "0.3.1" quote comma \
  quote "0.4.0" quote comma quote "1.0.0" quote comma quote "1.1.0" quote

typedef unsigned long Size;

#if defined(__x86_64__)
__asm__(".globl _start\n_start: mov %rsp,%rdi\nand $-16,%rsp\ncall start\n");
static long call(long n, long a, long b, long c, long d, long e) {
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
  __asm__ volatile("syscall" : "+a"(n) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return n;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: mov x0,sp\nbl start\n");
static long call(long n, long a, long b, long c, long d, long e) {
  register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d,
                x4 __asm__("x4") = e;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}
#else
#error "system calls of this architecture are not known: the executable in perl or Node is used"
#endif
#define CALL(n, a, b, c, d) call(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), 0)

/* A compiler calls these for what it copies and fills, even where there is no library: that for ARM64 does. */
__attribute__((used)) void *memset(void *to, int byte, Size length) {
  for (char *at = to; length--;) *at++ = byte;
  return to;
}
__attribute__((used)) void *memcpy(void *to, const void *from, Size length) {
  const char *source = from;
  for (char *at = to; length--;) *at++ = *source++;
  return to;
}

static char invocation[MAX_INVOCATION + 64], answer[MAX_ANSWER + 1], text[2048];
static Size invocation_length, stdin_start, text_length;
static long long end_ms;

static Size length_of(const char *s) {
  Size n = 0;
  while (s[n]) n++;
  return n;
}
static int begins(const char *s, const char *with) {
  while (*with)
    if (*s++ != *with++) return 0;
  return 1;
}
static int same(const char *a, const char *b) { return begins(a, b) && begins(b, a); }
static void say(const char *s) {
  while (*s && text_length < sizeof text) text[text_length++] = *s++;
}
static void say_number(unsigned long long n, int digits) {
  char reversed[20];
  int length = 0;
  for (; n || length < digits; n /= 10) reversed[length++] = '0' + n % 10;
  while (length && text_length < sizeof text) text[text_length++] = reversed[--length];
}

static void leave(int code) {
  for (;;) CALL(exit_group, code, 0, 0, 0);
}
/* Writes all of it to a file; 0, or what went wrong. */
static long write_all(int file, const char *bytes, Size length) {
  while (length) {
    long n = CALL(write, file, bytes, length, 0);
    if (n == -EAGAIN) CALL(ppoll, &((struct pollfd){file, POLLOUT, 0}), 1, 0, 0);
    else if (n < 0 && n != -EINTR) return n;
    else if (n > 0) bytes += n, length -= n;
  }
  return 0;
}

static struct timespec now(int clock) {
  struct timespec at;
  CALL(clock_gettime, clock, &at, 0, 0);
  return at;
}
static long long elapsed(void) {
  struct timespec at = now(CLOCK_MONOTONIC);
  return at.tv_sec * 1000LL + at.tv_nsec / 1000000;
}
/* Waits until a file is ready, or all time is over: then 0. Without a file, waits for `most` milliseconds. */
static int ready(int file, short events, long long most) {
  for (;;) {
    long long left = end_ms - elapsed();
    if (left <= 0) return 0;
    if (most && left > most) left = most;
    struct timespec time = {left / 1000, left % 1000 * 1000000};
    struct pollfd poll = {file, events, 0};
    if (CALL(ppoll, &poll, 1, &time, 0) != 0 || most) return 1;
  }
}

/* The version that the configuration names, for errors; nothing where it is not found. */
static void say_version(void) {
  for (Size i = stdin_start; stdin_start && i < invocation_length; i++) {
    const char *at = invocation + i;
    if (!begins(at, "\"cniVersion\"")) continue;
    at += 12;
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r' || *at == ':') at++;
    Size length = 0;
    if (*at++ != '"') continue;
    while ((at[length] >= '0' && at[length] <= '9') || at[length] == '.') length++;
    if (length == 0 || length > 16 || at[length] != '"') continue;
    say("    \"cniVersion\": \"");
    while (length--) text[text_length++] = *at++;
    say("\",\n");
    return;
  }
}
/* Leaves with an error. Details are `<subject>: <details><number>`, the subject and the number where there are any. */
static void fail(int code, const char *message, const char *subject, const char *details, long number) {
  text_length = 0;
  say("{\n");
  say_version();
  say("    \"code\": ");
  say_number(code, 1);
  say(",\n    \"msg\": \"");
  say(message);
  say("\",\n    \"details\": \"");
  say(subject);
  say(*subject ? ": " : "");
  say(details);
  if (number) say_number(number, 1);
  say("\"\n}\n");
  write_all(1, text, text_length);
  leave(1);
}

static void take(const char *bytes) {
  Size length = length_of(bytes) + 1;
  if (length > MAX_INVOCATION - invocation_length) fail(6, "the invocation is too large", "", "it has at most 4194304 bytes", 0);
  while (length--) invocation[invocation_length++] = *bytes++;
}
static void read_stdin(void) {
  stdin_start = invocation_length;
  for (;;) {
    if (!ready(0, POLLIN, 0)) fail(5, "error reading from stdin", "", "it did not end in time", 0);
    long n = CALL(read, 0, invocation + invocation_length, MAX_INVOCATION + 1 - invocation_length, 0);
    if (n == 0) return;
    if (n < 0 && n != -EINTR && n != -EAGAIN) fail(5, "error reading from stdin", "", "errno ", -n);
    if (n > 0 && (invocation_length += n) > MAX_INVOCATION) {
      fail(6, "the invocation is too large", "", "it has at most 4194304 bytes", 0);
    }
  }
}

/* Asks the daemon and leaves with its answer. Returns why there was none; what it says may go on with `*number`. */
static const char *ask(long *number) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  Size length = length_of(VALUE(socket_path));
  if (length >= sizeof address.sun_path) return "the path is too long for a socket";
  for (Size i = 0; i < length; i++) address.sun_path[i] = VALUE(socket_path)[i];
  int file = CALL(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, 0);
  long error;
  while ((error = CALL(connect, file, &address, sizeof address, 0)) == -EAGAIN || error == -EINTR)
    if (!ready(-1, 0, 10)) return "it takes no connection";
  *number = -error;
  if (error == -ENOENT) return *number = 0, "there is no such socket";
  if (error == -ECONNREFUSED) return *number = 0, "nobody listens there";
  if (error) return "errno ";
  for (Size sent = 0; sent < invocation_length;) {
    if (!ready(file, POLLOUT, 0)) return "it did not answer in time";
    long n = CALL(write, file, invocation + sent, invocation_length - sent, 0);
    if (n < 0 && n != -EAGAIN && n != -EINTR) break; /* It hung up, perhaps after an answer. */
    if (n > 0) sent += n;
  }
  CALL(shutdown, file, SHUT_WR, 0, 0);
  Size received = 0;
  for (;;) {
    if (!ready(file, POLLIN, 0)) return "it did not answer in time";
    long n = CALL(read, file, answer + received, sizeof answer - received, 0);
    if (n == 0 || (n < 0 && n != -EAGAIN && n != -EINTR)) break;
    if (n > 0 && (received += n) == sizeof answer) break;
  }
  Size numbers[3] = {0, 0, 0}, at = 0;
  for (int i = 0; i < 3; i++, at++) {
    Size start = at;
    for (; at < received && at - start < 9 && answer[at] >= '0' && answer[at] <= '9'; at++) numbers[i] = numbers[i] * 10 + answer[at] - '0';
    if (at == start || at >= received || answer[at] != (i < 2 ? ' ' : '\n')) return "its answer was cut off";
  }
  if (numbers[0] > 255 || received != at + numbers[1] + numbers[2]) return "its answer was cut off";
  write_all(2, answer + at + numbers[1], numbers[2]);
  leave(write_all(1, answer + at, numbers[1]) ? 1 : (int)numbers[0]);
  return 0;
}

/* Keeps what would have been sent for a later daemon. Leaves when that succeeded; returns what went wrong. */
static long spool(void) {
  struct timespec at = now(CLOCK_REALTIME);
  char *name = text;
  text_length = 0;
  say(".");
  say_number(at.tv_sec * 1000000000ULL + at.tv_nsec, 19);
  say("-");
  say_number(CALL(getpid, 0, 0, 0, 0), 1);
  text[text_length] = 0;
  CALL(mkdirat, AT_FDCWD, VALUE(spool_path), 0700, 0);
  long folder = CALL(openat, AT_FDCWD, VALUE(spool_path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (folder < 0) return folder;
  long file = CALL(openat, folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return file;
  long error = write_all(file, invocation, invocation_length);
  if (!error) error = CALL(fsync, file, 0, 0, 0);
  if (!error) error = CALL(close, file, 0, 0, 0);
  if (!error) error = call(SYS_renameat2, folder, (long)name, folder, (long)(name + 1), 0);
  if (!error) error = CALL(fsync, folder, 0, 0, 0);
  if (!error) leave(0);
  CALL(unlinkat, folder, name, 0, 0);
  return error;
}

__attribute__((used)) void start(long *stack) {
  char **arguments = (char **)(stack + 1), **environment = arguments + *stack + 1;
  const char *verb = "", *type = *stack > 0 ? arguments[0] : "fairlead-cni";
  /* What the kernel calls struct sigaction: handler, flags, restorer, mask. */
  CALL(rt_sigaction, SIGPIPE, ((long[]){(long)SIG_IGN, 0, 0, 0}), 0, 8);
  for (int file = 0; file < 3; file++)
    if (CALL(fcntl, file, F_GETFD, 0, 0) < 0) CALL(openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
  for (const char *at = type; *at; at++)
    if (*at == '/') type = at + 1;
  for (char **each = environment; *each && !*verb; each++)
    if (begins(*each, "CNI_COMMAND=")) verb = *each + 12;
  if (!*verb) {
    say("Fairlead: a CNI plugin made of rules. It hands invocations to the daemon at ");
    say(VALUE(socket_path));
    say(".\nCNI protocol versions supported: " VERSIONS("", ", ") "\n");
    write_all(2, text, text_length);
    leave(0);
  }
  if (same(verb, "VERSION")) {
    say("{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[" VERSIONS("\"", ",") "]}\n");
    leave(write_all(1, text, text_length) ? 1 : 0);
  }
  for (const char *at = VALUE(deadline_ms); *at >= '0' && *at <= '9'; at++) end_ms = end_ms * 10 + *at - '0';
  if (same(verb, "STATUS") && end_ms > STATUS_DEADLINE) end_ms = STATUS_DEADLINE;
  end_ms += elapsed();
  take("fairlead-cni/1\n");
  invocation_length--;
  for (; *environment; environment++)
    if (begins(*environment, "CNI_") || begins(*environment, "TRACEPARENT=") || begins(*environment, "TRACESTATE=") ||
        begins(*environment, "BAGGAGE="))
      take(*environment);
  take("TYPE=");
  invocation_length--;
  take(type);
  take("");
  read_stdin();
  long number = 0;
  const char *reason = ask(&number);
  int status = same(verb, "STATUS");
  if (!same(verb, "DEL")) fail(status ? 50 : 11, "the daemon did not answer", VALUE(socket_path), reason, number);
  fail(11, "the daemon did not answer, and the DEL can't be kept for it", VALUE(spool_path), "errno ", -spool());
}
