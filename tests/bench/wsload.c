/* wsload: WebSocket fan-out load on loopback, one epoll thread, bounded in time.
 *
 *   cc -O2 -o wsload wsload.c
 *   wsload [options] PORT PATH MESSAGE [INIT...]
 *
 * PATH, MESSAGE and INIT may hold %r (room number), %c (connection number) and,
 * in MESSAGE, %t: a stamp "~<microseconds>|" that every delivered copy must carry.
 * A delivery is a '~' in the payload of a received text frame, so several messages
 * in one frame count as several deliveries. INIT texts are sent after the upgrade.
 *
 *   -n N   connections (500)          -s N   of them, senders (4)
 *   -r N   rooms, connection i is in room i mod N (1)
 *   -w N   messages in flight per room before the next is sent (8)
 *   -d S   seconds of sending (4)     -p SID server's session (setsid): its CPU time and memory
 *   -k N   reads every Nth connection alone; what the others get is counted in bytes and dropped by
 *          the kernel, which makes the load cheap (1: all; pings are not answered: keep runs short)
 *   -P X   Sec-WebSocket-Protocol     -q F   paced: F messages a second in all, instead of -w
 *
 * Prints one line of key=value figures; exit 3 if a message did not reach every member.
 * cpu_us_… is the server's CPU time (with -p), load_us_… this program's own.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  int fd, room, open;
  uint8_t head[14];
  int head_len;
  uint64_t left; /* payload bytes of the current frame still to come */
  int opcode, counted;
} Conn;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

/* CPU seconds and resident KiB of every process in a session. */
static void usage(int sid, double *cpu, long *rss) {
  *cpu = 0;
  *rss = 0;
  DIR *proc = opendir("/proc");
  for (struct dirent *d; proc && (d = readdir(proc));) {
    if (d->d_name[0] < '0' || d->d_name[0] > '9') continue;
    char path[300], text[2048];
    snprintf(path, sizeof path, "/proc/%s/stat", d->d_name);
    FILE *f = fopen(path, "r");
    if (!f) continue;
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    int session = 0;
    unsigned long user = 0, sys = 0;
    long pages = 0;
    char *p = strrchr(text, ')');
    if (p) sscanf(p + 2, "%*c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %ld", &session, &user, &sys, &pages);
    if (session != sid) continue;
    *cpu += (user + sys) / (double)sysconf(_SC_CLK_TCK);
    *rss += pages * (sysconf(_SC_PAGESIZE) / 1024);
  }
  if (proc) closedir(proc);
}

static void expand(char *out, size_t size, const char *fmt, int room, int conn, const char *stamp) {
  char *end = out + size - 1;
  for (; *fmt && out < end; fmt++) {
    if (fmt[0] == '%' && fmt[1] && strchr("rct", fmt[1])) {
      char piece[48];
      if (fmt[1] == 't') snprintf(piece, sizeof piece, "%s", stamp);
      else snprintf(piece, sizeof piece, "%d", fmt[1] == 'r' ? room : conn);
      for (char *s = piece; *s && out < end; s++) *out++ = *s;
      fmt++;
    } else *out++ = *fmt;
  }
  *out = 0;
}

static void send_all(int fd, const void *data, size_t n) {
  const char *p = data;
  while (n) {
    ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN || errno == EINTR) { usleep(50); continue; }
      return;
    }
    p += sent;
    n -= sent;
  }
}

static void send_frame(int fd, int opcode, const char *text, size_t n) {
  static uint8_t frame[70000];
  size_t k = 0;
  frame[k++] = 0x80 | opcode;
  if (n < 126) frame[k++] = 0x80 | n;
  else { frame[k++] = 0x80 | 126; frame[k++] = n >> 8; frame[k++] = n & 255; }
  memset(frame + k, 0, 4); /* a zero mask leaves the payload as it is */
  k += 4;
  memcpy(frame + k, text, n);
  send_all(fd, frame, k + n);
}

static uint64_t delivered, frames; /* frames: those with a message in them */
static double latencies[200000];
static int latency_count;

static void payload(Conn *c, const char *data, size_t n) {
  static int skip;
  if (c->opcode == 9) { send_frame(c->fd, 10, data, n < 125 ? n : 125); return; }
  if (n == 1 && *data == '2') { send_frame(c->fd, 1, "3", 1); return; } /* Engine.IO ping */
  if (!c->counted && memchr(data, '~', n)) { frames++; c->counted = 1; }
  for (const char *p = data, *end = data + n; (p = memchr(p, '~', end - p)); p++) {
    delivered++;
    if (++skip % 61 == 0 && end - p > 24 && latency_count < 200000)
      latencies[latency_count++] = now() * 1e6 - atof(p + 1);
  }
}

static void feed(Conn *c, const char *data, size_t n) {
  while (n) {
    if (c->left) {
      size_t take = n < c->left ? n : c->left;
      payload(c, data, take);
      data += take; n -= take; c->left -= take;
      continue;
    }
    c->head[c->head_len++] = *data++; n--;
    int len7 = c->head_len > 1 ? c->head[1] & 127 : -1;
    int need = len7 < 0 ? 2 : len7 == 126 ? 4 : len7 == 127 ? 10 : 2;
    if (c->head_len < need) continue;
    c->opcode = c->head[0] & 15;
    c->left = c->counted = 0;
    if (len7 < 126) c->left = len7;
    else for (int i = 2; i < need; i++) c->left = c->left << 8 | c->head[i];
    c->head_len = 0;
  }
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  int every = 1, conns = 500, senders = 4, rooms = 1, window = 8, sid = 0, opt;
  double seconds = 4, rate = 0;
  const char *protocol = NULL;
  while ((opt = getopt(argc, argv, "n:s:r:w:d:p:P:q:k:")) != -1) switch (opt) {
    case 'n': conns = atoi(optarg); break;
    case 's': senders = atoi(optarg); break;
    case 'r': rooms = atoi(optarg); break;
    case 'w': window = atoi(optarg); break;
    case 'd': seconds = atof(optarg); break;
    case 'p': sid = atoi(optarg); break;
    case 'P': protocol = optarg; break;
    case 'k': every = atoi(optarg); break;
    case 'q': rate = atof(optarg); break;
    default: return 2;
  }
  if (argc - optind < 3) { fprintf(stderr, "usage: wsload [options] PORT PATH MESSAGE [INIT...]\n"); return 2; }
  int port = atoi(argv[optind]);
  const char *path_fmt = argv[optind + 1], *message_fmt = argv[optind + 2];
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, "127.0.0.1", &addr.sin_addr);

  Conn *conn = calloc(conns, sizeof *conn);
  int poll_fd = epoll_create1(0), closed = 0;
  static char buf[1 << 18];
  double cpu_before = 0, cpu_after;
  long rss_before = 0, rss_after = 0, rss_end;
  if (sid) usage(sid, &cpu_before, &rss_before);
  double begin = now();
  for (int i = 0; i < conns; i++) {
    Conn *c = &conn[i];
    c->room = i % rooms;
    c->open = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (void *)&addr, sizeof addr)) { perror("connect"); return 1; }
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    char path[512], request[1024];
    expand(path, sizeof path, path_fmt, c->room, i, "");
    int n = snprintf(request, sizeof request,
      "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
      path, port, protocol ? "Sec-WebSocket-Protocol: " : "", protocol ? protocol : "", protocol ? "\r\n" : "");
    send_all(c->fd, request, n);
    int got = 0;
    while (got < 4 || memcmp(buf + got - 4, "\r\n\r\n", 4)) {
      if (got > 8000 || recv(c->fd, buf + got, 1, 0) <= 0) { fprintf(stderr, "upgrade %d failed\n", i); return 1; }
      got++;
    }
    if (strncmp(buf + 9, "101", 3)) { fprintf(stderr, "upgrade %d: %.40s\n", i, buf); return 1; }
    for (int k = optind + 3; k < argc; k++) {
      char text[1024];
      expand(text, sizeof text, argv[k], c->room, i, "");
      send_frame(c->fd, 1, text, strlen(text));
    }
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &e);
  }
  double connect_seconds = now() - begin;

  uint64_t sent = 0, expected = 0, bytes = 0;
  struct epoll_event events[512];
  uint64_t members[rooms];
  memset(members, 0, sizeof members);
  uint64_t all[rooms];
  memset(all, 0, sizeof all);
  for (int i = 0; i < conns; i++) {
    all[i % rooms]++;
    if (i / rooms % every == 0) members[i % rooms]++;
  }
  uint64_t read_conns = 0, unread = 0, reached = 0;
  for (int r = 0; r < rooms; r++) read_conns += members[r];
  double settle = now() + 1, start = 0, stop_at = 0, last = 0, next_due = 0;
  clock_t own_before = 0;
  int stopped = 0, next_sender = 0;
  for (;;) {
    double t = now();
    if (!start && t > settle) {
      delivered = frames = latency_count = bytes = unread = 0;
      if (sid) usage(sid, &cpu_before, &rss_after);
      own_before = clock();
      start = last = next_due = t = now();
      stop_at = t + seconds;
    }
    if (start && t > stop_at) stopped = 1;
    while (start && !stopped && (rate ? now() >= next_due : expected - delivered < window * read_conns)) {
      Conn *c = &conn[next_sender++ % senders];
      char stamp[40], text[4096];
      snprintf(stamp, sizeof stamp, "~%.0f|", now() * 1e6);
      expand(text, sizeof text, message_fmt, c->room, c - conn, stamp);
      send_frame(c->fd, 1, text, strlen(text));
      sent++;
      expected += members[c->room];
      reached += all[c->room];
      if (rate) next_due += 1 / rate;
      if (now() > stop_at) stopped = 1;
    }
    int n = epoll_wait(poll_fd, events, 512, rate ? 1 : 20);
    for (int k = 0; k < n; k++) {
      Conn *c = &conn[events[k].data.u32];
      ssize_t got;
      if ((c - conn) / rooms % every) {
        while ((got = recv(c->fd, NULL, 1 << 20, MSG_TRUNC)) > 0) { unread += got; last = now(); }
      } else while ((got = recv(c->fd, buf, sizeof buf, 0)) > 0) { bytes += got; feed(c, buf, got); last = now(); }
      if ((got == 0 || (errno != EAGAIN && errno != EINTR)) && c->open) {
        c->open = 0; closed++;
        epoll_ctl(poll_fd, EPOLL_CTL_DEL, c->fd, NULL);
      }
    }
    if (stopped && ((delivered >= expected && (every == 1 || now() - last > 0.1)) || now() - last > 2)) break;
  }
  double cpu = 0, span = last - start, own = (clock() - own_before) / (double)CLOCKS_PER_SEC;
  if (sid) { usage(sid, &cpu_after, &rss_end); cpu = cpu_after - cpu_before; }
  double each = delivered ? bytes / (double)delivered : 0, whole = delivered + (each ? unread / each : 0);
  qsort(latencies, latency_count, sizeof *latencies, compare);
  printf("conns=%d rooms=%d connect_per_s=%.0f kib_per_conn=%.1f sent=%lu delivered=%lu expected=%lu closed=%d "
         "in_per_s=%.0f out_per_s=%.0f cpu_us_per_delivery=%.3f cpu_us_per_message=%.1f p50_ms=%.2f p99_ms=%.2f bytes_per_delivery=%.1f load_us_per_delivery=%.3f "
         "messages_per_frame=%.1f\n",
         conns, rooms, conns / connect_seconds, (rss_after - rss_before) / (double)conns, sent, delivered, expected, closed,
         sent / span, whole / span, whole ? cpu * 1e6 / whole : 0, sent ? cpu * 1e6 / sent : 0,
         latency_count ? latencies[latency_count / 2] / 1e3 : 0, latency_count ? latencies[(int)(latency_count * .99)] / 1e3 : 0,
         each, whole ? own * 1e6 / whole : 0,
         frames ? delivered / (double)frames : 0);
  return delivered < expected || whole < 0.98 * reached ? 3 : 0;
}
